import { describeFrame } from '../grad/index.js';
import { isFloat } from '../memory/dtype.js';
import { checkTensors } from '../tensor/check.js';
import { frozen } from '../tensor/frozen.js';
import type { Tensor } from '../tensor/tensor.js';

/** Why there is no gradient to compute for `t`, and the way out. */
export function explainUntracked(t: Tensor): string {
  const what = `this ${t.dtype} tensor of shape [${t.shape.join(', ')}] does not require grad and has no gradFn`;
  if (!isFloat(t.dtype)) return `${what}: ${t.dtype} tensors never require grad; use float32`;
  if (t.isFrozenHere) return `${what} here: it is frozen by ${describeFrame(frozen.setBy!)}`;
  if (t.inference) return `${what}: it was made under ${t.inferenceOrigin}; compute it outside`;
  if (t.untracked === 'detach') return `${what}: it, or what it was computed from, came from detach()`;
  if (t.untracked?.freezes)
    return `${what}: what it was computed from was frozen there, by ${describeFrame(t.untracked)}`;
  if (t.untracked !== null)
    return `${what}: recording was off where it was computed, switched off by ${describeFrame(t.untracked)}`;
  return `${what}: nothing it was computed from requires grad; set requiresGrad on an input before computing it`;
}

/**
 * Whether operations on `t` are recorded, and if not, why: the gate and its place, `detach()`, its inputs or its dtype.
 *
 * ```ts
 * explainGrad(noGrad.run(() => tensor([1], { requiresGrad: true }).mul(2)));
 * ```
 */
export function explainGrad(t: Tensor): string {
  checkTensors('explainGrad', t);
  if (t.gradFn !== null) return `tracked: computed by ${t.gradFn.name}`;
  if (t.requiresGrad) return 'tracked: a leaf that requires grad';
  return `untracked: ${explainUntracked(t)}`;
}
