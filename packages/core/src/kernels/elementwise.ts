import type { DType } from '../tensor/dtype.js';
import { broadcastStrides, type Shape, stridedOffsets } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';

/** Applies `f` to every element. */
export function map(f: (x: number) => number, x: Tensor, dtype: DType): Tensor {
  const out = Tensor.empty(dtype, x.shape);
  const to = out.storage.data;
  const from = x.storage.data;
  if (x.isContiguous) for (let i = 0, o = x.offset; i < to.length; i++, o++) to[i] = f(from[o]!);
  else {
    const offsets = stridedOffsets(x.shape, x.strides, x.offset);
    for (let i = 0; i < to.length; i++) to[i] = f(from[offsets[i]!]!);
  }
  return out;
}

/** Applies `f` to the elements of `a` and `b`, both read as if they had the broadcast shape `shape`. */
export function map2(f: (a: number, b: number) => number, a: Tensor, b: Tensor, shape: Shape, dtype: DType): Tensor {
  const out = Tensor.empty(dtype, shape);
  const to = out.storage.data;
  const n = to.length;
  const x = a.storage.data;
  const y = b.storage.data;
  const sa = broadcastStrides(a.shape, a.strides, shape);
  const sb = broadcastStrides(b.shape, b.strides, shape);
  const stepA = flatStep(shape, sa);
  const stepB = flatStep(shape, sb);
  if (stepA >= 0 && stepB >= 0) {
    for (let i = 0, p = a.offset, q = b.offset; i < n; i++, p += stepA, q += stepB) to[i] = f(x[p]!, y[q]!);
    return out;
  }
  // Rows along the last dimension; where they start is looked up.
  const outer = shape.slice(0, -1);
  const inner = shape.at(-1)!;
  const startA = stridedOffsets(outer, sa.slice(0, -1), a.offset);
  const startB = stridedOffsets(outer, sb.slice(0, -1), b.offset);
  const ia = sa.at(-1)!;
  const ib = sb.at(-1)!;
  for (let row = 0, i = 0; row < startA.length; row++)
    for (let j = 0, p = startA[row]!, q = startB[row]!; j < inner; j++, p += ia, q += ib) to[i++] = f(x[p]!, y[q]!);
  return out;
}

/** The one step that leads through all elements in row-major order (0 for a repeated scalar), or -1 if there is none. */
function flatStep(shape: Shape, strides: readonly number[]): number {
  let step = -1;
  let next = 0;
  for (let i = shape.length - 1; i >= 0; i--) {
    const n = shape[i]!;
    if (n === 1) continue;
    if (step < 0) step = strides[i]!;
    else if (strides[i] !== next) return -1;
    next = strides[i]! * n;
  }
  return step < 0 ? 0 : step;
}
