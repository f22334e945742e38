import type { TypedArray } from '../../memory/dtype.js';
import { type Shape, stridedOffsets } from '../../memory/shape.js';

/** Copies strided elements, which start at `start` of `from`, to `to` in row-major order. */
export function gatherStrided(
  to: TypedArray,
  from: TypedArray,
  shape: Shape,
  strides: readonly number[],
  start: number,
): void {
  if (to.length === 0) return;
  // Rows are the last dimensions, as far as they have one step; the offsets of the rows are computed.
  let d = shape.length;
  while (d > 0 && shape[d - 1] === 1) d--;
  if (d === 0) {
    to[0] = from[start]!;
    return;
  }
  const step = strides[d - 1]!;
  let inner = shape[--d]!;
  while (d > 0 && (shape[d - 1] === 1 || strides[d - 1] === step * inner)) inner *= shape[--d]!;
  const starts = stridedOffsets(shape.slice(0, d), strides.slice(0, d), start);
  if (step === 0 && inner >= 16)
    for (let r = 0; r < starts.length; r++) to.fill(from[starts[r]!]!, r * inner, (r + 1) * inner);
  else if (step === 1 && inner >= 32)
    for (let r = 0; r < starts.length; r++) to.set(from.subarray(starts[r]!, starts[r]! + inner) as never, r * inner);
  else if (inner >= 4)
    for (let r = 0, i = 0; r < starts.length; r++) {
      let p = starts[r]!;
      for (const end = i + inner; i < end; i++, p += step) to[i] = from[p]!;
    }
  else {
    const offsets = stridedOffsets(shape, strides, start);
    for (let i = 0; i < to.length; i++) to[i] = from[offsets[i]!]!;
  }
}
