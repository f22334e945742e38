import { isContiguous, type Shape } from '../memory/shape.js';
import type { View } from './kernels.js';

/** A row-major array seen as `[outer, n, inner]`: `outer * inner` rows of `n` elements that are `inner` apart. */
export interface Rows {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
}

/** The rows along one dimension. A scalar is one row of one element. */
export function rowsAlong(shape: Shape, dim: number): Rows {
  let outer = 1;
  let inner = 1;
  for (let d = 0; d < dim; d++) outer *= shape[d]!;
  for (let d = dim + 1; d < shape.length; d++) inner *= shape[d]!;
  return { outer, n: shape[dim] ?? 1, inner };
}

/** Calls `visit` with the offset of each row, in order. */
export function eachLine({ outer, n, inner }: Rows, visit: (start: number) => void): void {
  for (let o = 0, block = 0; o < outer; o++, block += n * inner)
    for (let start = block; start < block + inner; start++) visit(start);
}

/** The view with some dimensions moved to the end, so that each row along them is contiguous in row-major order. */
export function movedLast(view: View, dims: readonly number[]): View {
  const kept = view.shape.length - dims.length;
  if (dims.every((d, i) => d === kept + i)) return view;
  const { storage, dtype, numel, offset } = view;
  const order = view.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  for (const d of dims) order.push(d);
  const shape = order.map((d) => view.shape[d]!);
  const strides = order.map((d) => view.strides[d]!);
  return { storage, dtype, numel, shape, strides, offset, isContiguous: isContiguous(shape, strides) };
}
