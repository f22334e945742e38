import { DTypeError, IndexError, ShapeError } from '../errors.js';
import { formatShape, sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { div, mul, ne, neg, square, sub, where } from './elementwise.js';
import { mean, sum } from './reduce.js';
import { logSoftmax } from './softmax.js';

/** What becomes of the losses of single elements. */
export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  reduction?: Reduction;
}

/** Applies a reduction by name. */
export function reduceLoss(op: string, loss: Tensor, reduction: Reduction = 'mean'): Tensor {
  if (reduction === 'none') return loss;
  if (reduction === 'sum') return sum(loss);
  if (reduction === 'mean') return mean(loss);
  throw new TypeError(`${op}: reduction is 'mean', 'sum' or 'none', got ${JSON.stringify(reduction)}`);
}

/** Input and target of equal shape, floating point. */
export function checkSameShape(op: string, input: Tensor, target: Tensor): void {
  if (!(input instanceof Tensor && target instanceof Tensor))
    throw new TypeError(`${op}: expected an input and a target Tensor`);
  if (!sameShape(input.shape, target.shape))
    throw new ShapeError(
      op,
      `input ${formatShape(input.shape)} and target ${formatShape(target.shape)} must have equal shapes`,
    );
}

/** The mean of `(input - target)²`. */
export function mseLoss(input: Tensor, target: Tensor, { reduction }: LossOptions = {}): Tensor {
  checkSameShape('mseLoss', input, target);
  return reduceLoss('mseLoss', square(sub(input, target)), reduction);
}

export interface NllLossOptions extends LossOptions {
  /** A weight for each class, `[C]`. */
  weight?: Tensor | null;
  /** Targets of this class are left out. */
  ignoreIndex?: number;
}

export interface CrossEntropyOptions extends NllLossOptions {
  /** How much of the target is spread evenly over the classes, from 0 to 1. */
  labelSmoothing?: number;
}

/** Scores `[N, C]` or `[N, C, d1, ...]` (or `[C]`) with int32 classes `[N]`, `[N, d1, ...]` (or `[]`). */
function checkClasses(
  op: string,
  input: Tensor,
  target: Tensor,
  weight: Tensor | null | undefined,
  ignoreIndex: number,
): void {
  if (!(input instanceof Tensor && target instanceof Tensor))
    throw new TypeError(`${op}: expected an input and a target Tensor`);
  if (target.dtype !== 'int32') throw new DTypeError(op, `target classes are int32, got ${target.dtype}; use .int()`);
  const expected = input.shape.filter((_, i) => i !== (input.ndim === 1 ? 0 : 1));
  if (input.ndim === 0 || !sameShape(expected, target.shape))
    throw new ShapeError(
      op,
      `scores ${formatShape(input.shape)} need target classes of shape ${formatShape(expected)}, got ${formatShape(target.shape)}`,
    );
  const classes = input.shape[input.ndim === 1 ? 0 : 1]!;
  if (weight && !sameShape(weight.shape, [classes]))
    throw new ShapeError(
      op,
      `weight has shape ${formatShape(weight.shape)}, expected one for each class: [${classes}]`,
    );
  for (const c of target.elements())
    if ((c < 0 || c >= classes) && c !== ignoreIndex)
      throw new IndexError(op, `target class ${c} is out of range for ${classes} classes`);
}

/** The negative log likelihood: of log-probabilities, those of the target classes, weighted and averaged. */
export function nllLoss(input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor {
  const { weight, ignoreIndex = -100, reduction = 'mean' } = options;
  checkClasses('nllLoss', input, target, weight, ignoreIndex);
  const dim = input.ndim === 1 ? 0 : 1;
  const counted = ne(target, ignoreIndex);
  const index = where(counted, target, 0);
  const picked = input.gather(dim, index.unsqueeze(dim)).squeeze(dim);
  const each = weight ? weight.indexSelect(0, index.flatten()).reshape(index.shape) : counted.to(input.dtype);
  const w = mul(each, counted);
  const loss = neg(mul(where(counted, picked, 0), w));
  if (reduction === 'mean') return div(sum(loss), sum(w));
  return reduceLoss('nllLoss', loss, reduction);
}

/**
 * The cross entropy of scores before softmax with target classes (int32) or class probabilities (the scores' shape and
 * dtype). Classes are dimension 1, or 0 for a single sample.
 */
export function crossEntropy(input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { weight, ignoreIndex = -100, reduction = 'mean', labelSmoothing = 0 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
    throw new TypeError(`crossEntropy: labelSmoothing is from 0 to 1, got ${labelSmoothing}`);
  if (!(input instanceof Tensor && target instanceof Tensor))
    throw new TypeError('crossEntropy: expected an input and a target Tensor');
  const dim = input.ndim === 1 ? 0 : 1;
  const classes = input.shape[dim] ?? 1;
  const asColumn = (w: Tensor) => (input.ndim === 1 ? w : w.reshape([1, -1, ...Array<number>(input.ndim - 2).fill(1)]));
  const probabilities = target.dtype === input.dtype && target.ndim === input.ndim && input.ndim > 0;
  if (!probabilities) checkClasses('crossEntropy', input, target, weight, ignoreIndex);
  else checkSameShape('crossEntropy', input, target);
  const logp = logSoftmax(input, dim);
  if (probabilities) {
    const smooth = labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
    const weighted = weight ? mul(smooth, asColumn(weight)) : smooth;
    const loss = neg(sum(mul(logp, weighted), dim));
    return reduction === 'mean' ? div(sum(loss), loss.numel) : reduceLoss('crossEntropy', loss, reduction);
  }
  const nll = nllLoss(logp, target, options);
  if (labelSmoothing === 0) return nll;
  const counted = ne(target, ignoreIndex);
  const all = neg(sum(weight ? mul(logp, asColumn(weight)) : logp, dim));
  const smooth = where(counted, all, 0);
  let smoothLoss: Tensor;
  if (reduction === 'mean') {
    const index = where(counted, target, 0);
    const w = weight ? mul(weight.indexSelect(0, index.flatten()).reshape(index.shape), counted) : counted;
    smoothLoss = div(sum(smooth), sum(w));
  } else smoothLoss = reduceLoss('crossEntropy', smooth, reduction);
  return nll.mul(1 - labelSmoothing).add(smoothLoss.mul(labelSmoothing / classes));
}
