import { sameShape, stridedOffsets } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { gatherStrided } from './gather.js';

/** Writes the elements of `src` to those of `target`; same shape, any strides. The target's dtype converts. */
export function copyInto(target: Tensor, src: Tensor): void {
  if (!sameShape(target.shape, src.shape)) throw new Error('copyInto: shapes differ');
  const n = src.numel;
  if (n === 0) return;
  const to = target.storage.data;
  const from = src.storage.data;
  const toBool = target.dtype === 'bool' && src.dtype !== 'bool';
  if (target.isContiguous && src.isContiguous && !toBool) {
    to.set(from.subarray(src.offset, src.offset + n) as never, target.offset);
    return;
  }
  if (target.isContiguous && !toBool && to !== from) {
    const whole = target.offset === 0 && to.length === n;
    gatherStrided(whole ? to : to.subarray(target.offset, target.offset + n), from, src.shape, src.strides, src.offset);
    return;
  }
  // Through a copy: the two may overlap.
  const values = src.toTypedArray();
  const offsets = stridedOffsets(target.shape, target.strides, target.offset);
  for (let i = 0; i < n; i++) to[offsets[i]!] = toBool ? (values[i] !== 0 ? 1 : 0) : values[i]!;
}
