import type { TypedArray } from '../../memory/dtype.js';
import type { View } from '../kernels.js';
import { rowsAlong } from '../rows.js';
import { elementsOf, exactElementsOf, exactOf, storedElementsOf, storedOf } from './data.js';

/** Slices of fewer contiguous elements are copied faster by a loop than by calls of `subarray` and `set`. */
const longRow = 32;

/** `Kernels.indexSelect` for any dtype: copies the stored form. */
export function indexSelect(x: View, dim: number, index: View, out: View): void {
  const starts = rowStarts(x, dim, index);
  const { inner } = rowsAlong(x.shape, dim);
  const from = storedElementsOf(x);
  const to = storedOf(out);
  if (inner >= longRow)
    for (let r = 0; r < starts.length; r++) to.set(from.subarray(starts[r]!, starts[r]! + inner) as never, r * inner);
  // float32 has a loop of its own: see `loops.ts`.
  else if (from instanceof Float32Array && to instanceof Float32Array)
    for (let r = 0, p = 0; r < starts.length; r++) for (let j = 0, q = starts[r]!; j < inner; j++) to[p++] = from[q++]!;
  else
    for (let r = 0, p = 0; r < starts.length; r++) for (let j = 0, q = starts[r]!; j < inner; j++) to[p++] = from[q++]!;
}

/** `Kernels.indexAdd` for any dtype. */
export function indexAdd(dim: number, index: View, src: View, out: View): void {
  const starts = rowStarts(out, dim, index);
  const { inner } = rowsAlong(out.shape, dim);
  const [to, from] = [exactOf(out), exactElementsOf(src)];
  if (out.dtype === 'bool') orRows(to, starts, inner, from);
  else if (from instanceof Float32Array && to instanceof Float32Array)
    for (let r = 0, p = 0; r < starts.length; r++)
      for (let j = 0, q = starts[r]!; j < inner; j++) to[q++]! += from[p++]!;
  else
    for (let r = 0, p = 0; r < starts.length; r++)
      for (let j = 0, q = starts[r]!; j < inner; j++) to[q++]! += from[p++]!;
}

function orRows(to: TypedArray, starts: Int32Array, inner: number, from: TypedArray): void {
  for (let r = 0, p = 0; r < starts.length; r++) for (let j = 0, q = starts[r]!; j < inner; j++) to[q++]! |= from[p++]!;
}

/** The offsets, among the row-major elements of `x`, of the slices that `index` names along `dim`. */
function rowStarts(x: View, dim: number, index: View): Int32Array {
  const rows = elementsOf(index);
  const { outer, n, inner } = rowsAlong(x.shape, dim);
  const starts = new Int32Array(outer * rows.length);
  for (let o = 0, p = 0; o < outer; o++)
    for (let r = 0; r < rows.length; r++) {
      const row = rows[r]!;
      starts[p++] = (o * n + (row < 0 ? row + n : row)) * inner;
    }
  return starts;
}
