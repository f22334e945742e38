import type { TypedArray } from '../../memory/dtype.js';
import { type Shape, stridedOffsets } from '../../memory/shape.js';

/** Strided elements as rows of `inner` elements, `step` apart, that start at `starts`: as long as the strides allow. */
function rowsOf(
  shape: Shape,
  strides: readonly number[],
  start: number,
): [starts: Int32Array, inner: number, step: number] {
  let d = shape.length;
  while (d > 0 && shape[d - 1] === 1) d--;
  if (d === 0) return [Int32Array.of(start), 1, 1];
  const step = strides[d - 1]!;
  let inner = shape[--d]!;
  while (d > 0 && (shape[d - 1] === 1 || strides[d - 1] === step * inner)) inner *= shape[--d]!;
  return [stridedOffsets(shape.slice(0, d), strides.slice(0, d), start), inner, step];
}

/** Copies strided elements, which start at `start` of `from`, to `to` in row-major order. */
export function gatherStrided(
  to: TypedArray,
  from: TypedArray,
  shape: Shape,
  strides: readonly number[],
  start: number,
): void {
  if (to.length === 0) return;
  const [starts, inner, step] = rowsOf(shape, strides, start);
  if (step === 0 && inner >= 16)
    for (let r = 0; r < starts.length; r++) to.fill(from[starts[r]!]!, r * inner, (r + 1) * inner);
  else if (step === 1 && inner >= 32)
    for (let r = 0; r < starts.length; r++) to.set(from.subarray(starts[r]!, starts[r]! + inner) as never, r * inner);
  else
    for (let r = 0, i = 0; r < starts.length; r++) {
      let p = starts[r]!;
      for (const end = i + inner; i < end; i++, p += step) to[i] = from[p]!;
    }
}

/** Copies `from`, in row-major order, to strided elements of `to`, which start at `start`. */
export function scatterStrided(
  to: TypedArray,
  from: TypedArray,
  shape: Shape,
  strides: readonly number[],
  start: number,
): void {
  if (from.length === 0) return;
  const [starts, inner, step] = rowsOf(shape, strides, start);
  if (step === 1 && inner >= 32)
    for (let r = 0; r < starts.length; r++) to.set(from.subarray(r * inner, (r + 1) * inner) as never, starts[r]!);
  else
    for (let r = 0, i = 0; r < starts.length; r++) {
      let p = starts[r]!;
      for (const end = i + inner; i < end; i++, p += step) to[p] = from[i]!;
    }
}
