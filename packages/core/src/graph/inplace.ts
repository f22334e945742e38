import { kernelsOf } from '../backend/backends.js';
import { closeWindows } from '../backend/host/storage.js';
import { AutogradError, DTypeError, ShapeError } from '../errors.js';
import { isGradEnabled, isInferenceMode } from '../grad/index.js';
import { lacksKind } from '../memory/dtype.js';
import { recording } from '../memory/recording.js';
import { noteTouched } from '../memory/scope.js';
import { formatShape, sameShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import { Tensor } from '../tensor/tensor.js';
import { writingTo } from './destination.js';
import { recordWriteThroughView } from './view.js';

/** Refuses a write to `target` that the current mode does not allow. Called before anything is computed or written. */
export function checkWritable(op: string, target: Tensor): void {
  if (target.inference && !isInferenceMode())
    throw new AutogradError(
      op,
      `a tensor made under inferenceMode cannot be written to outside of it; use clone(). It was made under ${target.inferenceOrigin}`,
    );
  if (target.numel > 0 && target.strides.some((step, i) => step === 0 && target.shape[i]! > 1))
    throw new ShapeError(
      op,
      `several elements of this tensor of shape ${formatShape(target.shape)} share one place in memory, as expand() makes them; use clone()`,
    );
  if (!isGradEnabled()) return;
  const base = target.viewInfo?.base ?? target;
  // Also where this flow has it frozen: a recorded write would make it a result in all flows.
  if (base.isLeaf && base.ownRequiresGrad)
    throw new AutogradError(
      op,
      `a ${base === target ? 'leaf' : 'view of a leaf'} that requires grad cannot be written to while gradients are recorded; wrap the write in noGrad.run(() => ...)`,
    );
}

/**
 * Gives `target` the value of `compute(target)`, in place. The write is recorded if gradients are on, and counted in
 * the version; nothing is written if a check or `compute` throws. `others` are what else takes part.
 */
export function inPlace<T extends Tensor>(
  op: string,
  target: T,
  compute: (self: Tensor) => Tensor,
  others: readonly unknown[] = [],
): T {
  checkTensors(op, target);
  checkWritable(op, target);
  const tracked = (t: unknown) => Tensor.is(t) && t.requiresGrad;
  const value =
    isGradEnabled() && [target, ...others].some(tracked)
      ? compute(before(target))
      : writingTo(op.slice(0, -1), target, compute);
  checkFits(op, target, value);
  checkView(op, target, value);
  if (value !== target) kernelsOf(op, target, value).copy(value, target);
  noteWrite(op, target, value);
  return target;
}

/** The tensor as it is before the write, for what the operation saves of it. */
function before(target: Tensor): Tensor {
  const copy = target.detach().clone();
  copy.setHistory(target.gradFn, target.outputNr);
  return copy;
}

/** Results that an in-place operation can hold: the same shape, and no kind of number that the target lacks. */
function checkFits(op: string, target: Tensor, value: Tensor): void {
  if (!sameShape(target.shape, value.shape))
    throw new ShapeError(
      op,
      `the result has shape ${formatShape(value.shape)} and does not fit in place into ${formatShape(target.shape)}; use the form without underscore`,
    );
  if (lacksKind(target.dtype, value.dtype) || (target.dtype === 'bool' && value.dtype !== 'bool'))
    throw new DTypeError(
      op,
      `the result is ${value.dtype} and cannot be written into a ${target.dtype} tensor; use the form without underscore`,
    );
}

function checkView(op: string, target: Tensor, value: Tensor): void {
  if (target.viewInfo?.untracked && isGradEnabled() && (value.requiresGrad || target.viewInfo.base.requiresGrad))
    throw new AutogradError(
      op,
      'this view was taken while recording was off, so a recorded write through it would lose gradients; take the view ' +
        'and write to it in the same mode',
    );
}

function noteOverwritten({ gradFn, outputNr }: Tensor, op: string): void {
  if (gradFn === null) return;
  gradFn.overwritten ??= new Map();
  gradFn.overwritten.set(outputNr, op);
}

function noteWrite(op: string, target: Tensor, value: Tensor): void {
  closeWindows();
  target.storage.version++;
  if (!isGradEnabled()) {
    // The graph does not know of this write: a backward pass through the old value must not go on silently.
    noteOverwritten(target, op);
    if (target.viewInfo !== null) noteOverwritten(target.viewInfo.base, op);
    return;
  }
  if (target.viewInfo !== null) {
    if (value.requiresGrad || target.viewInfo.base.requiresGrad) recordWriteThroughView(target, value);
    return;
  }
  if (!value.requiresGrad && !target.requiresGrad) return;
  target.history++;
  target.setHistory(value.gradFn, value.outputNr);
  noteTouched(target);
  recording.current?.wroteInPlace(target);
}
