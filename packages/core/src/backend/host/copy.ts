import { numberIn, type TypedArray } from '../../memory/dtype.js';
import { stridedOffsets } from '../../memory/shape.js';
import type { View } from '../kernels.js';
import { copyCoded, fillCoded } from './coded.js';
import { codedOf, dataOf, elementsOf } from './data.js';
import { gatherStrided, scatterStrided } from './strided.js';

/** `Kernels.copy` for any dtypes. */
export function copy(src: View, target: View): void {
  const n = src.numel;
  if (n === 0) return;
  if (codedOf(target) !== null || codedOf(src) !== null) {
    copyCoded(src, target);
    return;
  }
  const to = dataOf(target);
  const from = dataOf(src);
  const toBool = target.dtype === 'bool' && src.dtype !== 'bool';
  if (target.isContiguous && !toBool) {
    if (src.isContiguous && (n > smallCopy || to === from)) {
      to.set(from.subarray(src.offset, src.offset + n) as never, target.offset);
      return;
    }
    if (to !== from) {
      if (n <= smallCopy) copyTo(to, target.offset, src);
      else gatherStrided(to.subarray(target.offset, target.offset + n), from, src.shape, src.strides, src.offset);
      return;
    }
  }
  // Copies through a buffer if the two may overlap.
  const values = to === from ? elementsOf(src).slice() : elementsOf(src);
  scatterStrided(
    to,
    toBool ? Uint8Array.from(values as ArrayLike<number>, (v) => (v !== 0 ? 1 : 0)) : values,
    target.shape,
    target.strides,
    target.offset,
  );
}

/** Up to this many elements a loop is faster than calls of `subarray` and `set`. */
const smallCopy = 64;

/**
 * Writes the elements of `src`, in row-major order, to `to` from `p` on. float32 has a loop of its own: see `loops.ts`.
 */
function copyTo(to: TypedArray, p: number, src: View): void {
  const n = src.numel;
  const from = dataOf(src);
  if (src.isContiguous || n === 1) {
    const q = src.offset - p;
    if (to instanceof Float32Array && from instanceof Float32Array)
      for (const end = p + n; p < end; p++) to[p] = from[p + q]!;
    else for (const end = p + n; p < end; p++) to[p] = from[p + q]!;
    return;
  }
  const offsets = stridedOffsets(src.shape, src.strides, src.offset);
  for (let i = 0; i < n; i++) to[p + i] = from[offsets[i]!]!;
}

/** `Kernels.fill` for any dtype. */
export function fill(value: number | boolean, out: View): void {
  const coded = codedOf(out);
  if (coded !== null) fillCoded(coded, Number(value));
  // A call of the engine's for one number takes ten times as long as the write.
  else if (out.numel === 1) dataOf(out)[out.offset] = numberIn(out.dtype, value);
  else dataOf(out).fill(numberIn(out.dtype, value));
}
