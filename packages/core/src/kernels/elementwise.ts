import { dataOf } from '../backend/host/data.js';
import type { DType } from '../tensor/dtype.js';
import { broadcastStrides, type Shape, stridedOffsets } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import type { Loop1, Loop2 } from './loops.js';
import { type StreamKernel, type StreamKernel2, stream, stream2, streamFrom, streamRowFrom } from './stream.js';

/** Applies `f` to every element; `loop` is a loop that does the same faster, `kernel` does it faster for many float32. */
export function map(f: (x: number) => number, x: Tensor, dtype: DType, loop?: Loop1, kernel?: StreamKernel): Tensor {
  const out = Tensor.unwritten(dtype, x.shape);
  const to = dataOf(out);
  const from = dataOf(x);
  if (kernel && to.length >= streamFrom && to instanceof Float32Array && from instanceof Float32Array && x.isContiguous)
    stream(kernel, to, to.length, from, x.offset);
  else if (x.isContiguous && loop) loop(to, to.length, from, x.offset);
  else if (x.isContiguous) for (let i = 0, o = x.offset; i < to.length; i++, o++) to[i] = f(from[o]!);
  else {
    const offsets = stridedOffsets(x.shape, x.strides, x.offset);
    for (let i = 0; i < to.length; i++) to[i] = f(from[offsets[i]!]!);
  }
  return out;
}

const loopOver =
  (f: (a: number, b: number) => number): Loop2 =>
  (to, i, n, x, p, s, y, q, t) => {
    for (const end = i + n; i < end; i++, p += s, q += t) to[i] = f(x[p]!, y[q]!);
  };

/**
 * Applies `f` to the elements of `a` and `b`, both read as if they had the broadcast shape `shape`; `loop` is a loop
 * that does the same faster, `kernel` does it faster for many float32.
 */
export function map2(
  f: (a: number, b: number) => number,
  a: Tensor,
  b: Tensor,
  shape: Shape,
  dtype: DType,
  loop = loopOver(f),
  kernel?: StreamKernel2,
): Tensor {
  const out = Tensor.unwritten(dtype, shape);
  const to = dataOf(out);
  const n = to.length;
  if (n === 0) return out;
  const x = dataOf(a);
  const y = dataOf(b);
  const stepA = flatStep(a, shape, n);
  const stepB = flatStep(b, shape, n);
  const flat = stepA >= 0 && stepB >= 0;
  if (flat && n < streamFrom) {
    loop(to, 0, n, x, a.offset, stepA, y, b.offset, stepB);
    return out;
  }
  const sa = broadcastStrides(a.shape, a.strides, shape);
  const sb = broadcastStrides(b.shape, b.strides, shape);
  // Rows along the last dimensions, as many as both go through evenly; where they start is looked up.
  let d = shape.length - 1;
  let inner = flat ? n : shape[d]!;
  const ia = flat ? stepA : sa[d]!;
  const ib = flat ? stepB : sb[d]!;
  if (flat) d = 0;
  while (d > 0 && sa[d - 1] === ia * inner && sb[d - 1] === ib * inner) inner *= shape[--d]!;
  const outer = shape.slice(0, d);
  const startA = stridedOffsets(outer, sa.slice(0, d), a.offset);
  const startB = stridedOffsets(outer, sb.slice(0, d), b.offset);
  const evenly = (ia === 0 || ia === 1) && (ib === 0 || ib === 1) && inner >= streamRowFrom;
  if (kernel && evenly && to instanceof Float32Array && x instanceof Float32Array && y instanceof Float32Array)
    stream2(kernel, to, inner, { data: x, step: ia }, startA, { data: y, step: ib }, startB);
  else
    for (let row = 0; row < startA.length; row++)
      loop(to, row * inner, inner, x, startA[row]!, ia, y, startB[row]!, ib);
  return out;
}

/**
 * The one step that leads through `x`, read as if it had the broadcast `shape` of `n` elements, in row-major order (0 for
 * a repeated scalar), or -1 if there is none.
 */
function flatStep(x: Tensor, shape: Shape, n: number): number {
  if (x.numel === 1) return 0;
  if (x.numel === n && x.isContiguous) return 1;
  const strides = broadcastStrides(x.shape, x.strides, shape);
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
