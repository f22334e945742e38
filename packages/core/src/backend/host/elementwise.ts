import { isFloat } from '../../memory/dtype.js';
import { broadcastStrides, type Shape, stridedOffsets } from '../../memory/shape.js';
import {
  type BinaryFunction,
  type BinaryLoop,
  noParameters,
  type Parameters,
  type UnaryFunction,
  type UnaryLoop,
} from '../functions.js';
import type { View } from '../kernels.js';
import { broadcastView, codedOf, dataOf, elementsOf } from './data.js';
import { int64Elements } from './int64.js';
import { closeWindows } from './storage.js';

/** `Kernels.unary` for any dtype. */
export function unary(fn: UnaryFunction, x: View, out: View, parameters: Parameters = noParameters): void {
  const { dtype } = out;
  if (dtype === 'float32' || isFloat(dtype) || dtype === 'bool') each(fn.forward, fn.loop, x, out, parameters);
  else if (dtype === 'int64' && fn.exact !== undefined) eachExact(fn.exact, x, out, parameters);
  else if (fn.integer !== undefined) each(fn.integer, undefined, x, out, parameters);
  else each(fn.forward, fn.loop, x, out, parameters);
  closeWindows();
}

function each(
  f: UnaryFunction['forward'],
  loop: UnaryLoop | undefined,
  x: View,
  out: View,
  parameters: Parameters,
): void {
  const to = dataOf(out);
  const isContiguous = x.isContiguous;
  const from = isContiguous ? dataOf(x) : elementsOf(x);
  let p = isContiguous ? x.offset : 0;
  const first = parameters.length > 0 ? parameters[0]! : 0;
  const second = parameters.length > 1 ? parameters[1]! : 0;
  if (loop !== undefined) loop(to, to.length, from, p, first, second);
  else for (let i = 0; i < to.length; i++, p++) to[i] = f(from[p]!, first, second);
}

function eachExact(
  f: NonNullable<UnaryFunction['exact']>,
  x: View,
  out: View,
  [first = 0, second = 0]: Parameters,
): void {
  const from = int64Elements(x);
  const to = codedOf(out)!.bits as BigInt64Array;
  for (let i = 0; i < to.length; i++) to[i] = f(from[i]!, first, second);
}

type Scalar = BinaryFunction['forward'];

/** `Kernels.binary` for any dtype. */
export function binary(fn: BinaryFunction, a: View, b: View, out: View, parameters: Parameters = noParameters): void {
  const { dtype } = out;
  if (dtype === 'float32' || isFloat(dtype)) eachPair(fn.forward, fn.loop, a, b, out, parameters);
  else if (fn.exact !== undefined && isExact(a, b, out)) eachExactPair(fn.exact, a, b, out, parameters);
  else if (dtype === 'bool' && a.dtype === 'bool' && b.dtype === 'bool')
    eachPair(toBool(fn.forward), undefined, a, b, out, parameters);
  else if (dtype !== 'bool' && fn.integer !== undefined) eachPair(fn.integer, undefined, a, b, out, parameters);
  else eachPair(fn.forward, fn.loop, a, b, out, parameters);
  closeWindows();
}

/** Whether float64 numbers are inexact for operands or results. */
const isExact = (a: View, b: View, { dtype }: View): boolean =>
  dtype === 'int64' ||
  (dtype === 'bool' && (a.dtype === 'int64' || b.dtype === 'int64') && !isFloat(a.dtype) && !isFloat(b.dtype));

/** Every number but 0 becomes 1 as a bool. */
const toBool =
  (f: Scalar): Scalar =>
  (a, b, first, second) =>
    f(a, b, first, second) ? 1 : 0;

/** All elements as numbers, by the function's own loop if it has one. */
export function eachPair(
  f: Scalar,
  loop: BinaryLoop | undefined,
  a: View,
  b: View,
  out: View,
  parameters: Parameters,
): void {
  const { shape, numel } = out;
  if (numel === 0) return;
  const s = flatStep(a, shape, numel);
  const t = flatStep(b, shape, numel);
  if (s < 0 || t < 0) {
    eachRow(f, loop, rowsOf(a, b, shape), a, b, out, parameters);
    return;
  }
  const to = dataOf(out);
  const x = dataOf(a);
  const y = dataOf(b);
  let p = a.offset;
  let q = b.offset;
  const first = parameters.length > 0 ? parameters[0]! : 0;
  const second = parameters.length > 1 ? parameters[1]! : 0;
  if (loop !== undefined) loop(to, 0, numel, x, p, s, y, q, t, first, second);
  else for (let i = 0; i < numel; i++, p += s, q += t) to[i] = f(x[p]!, y[q]!, first, second);
}

/** Computes row by row, where an operand has no single step. */
export function eachRow(
  f: Scalar,
  loop: BinaryLoop | undefined,
  { count, startsA, stepA, startsB, stepB }: Rows,
  a: View,
  b: View,
  out: View,
  [first = 0, second = 0]: Parameters,
): void {
  const to = dataOf(out);
  const x = dataOf(a);
  const y = dataOf(b);
  for (let row = 0, i = 0; row < startsA.length; row++) {
    let p = startsA[row]!;
    let q = startsB[row]!;
    if (loop !== undefined) {
      loop(to, i, count, x, p, stepA, y, q, stepB, first, second);
      i += count;
    } else for (const end = i + count; i < end; i++, p += stepA, q += stepB) to[i] = f(x[p]!, y[q]!, first, second);
  }
}

function eachExactPair(
  f: NonNullable<BinaryFunction['exact']>,
  a: View,
  b: View,
  out: View,
  [first = 0, second = 0]: Parameters,
): void {
  const x = int64Elements(broadcastView(a, out.shape));
  const y = int64Elements(broadcastView(b, out.shape));
  if (out.dtype === 'int64') {
    const to = codedOf(out)!.bits as BigInt64Array;
    for (let i = 0; i < to.length; i++) to[i] = f(x[i]!, y[i]!, first, second) as bigint;
  } else {
    const to = dataOf(out);
    for (let i = 0; i < to.length; i++) to[i] = Number(f(x[i]!, y[i]!, first, second));
  }
}

/**
 * Operands as rows of `count` elements that are `step` apart, and the offsets of the rows. Rows are as long as both
 * operands have an even step.
 */
export interface Rows {
  readonly count: number;
  readonly startsA: ArrayLike<number>;
  readonly stepA: number;
  readonly startsB: ArrayLike<number>;
  readonly stepB: number;
}

/** The rows of two operands that broadcast to `shape`, which is not empty. */
export function rowsOf(a: View, b: View, shape: Shape): Rows {
  const sa = broadcastStrides(a.shape, a.strides, shape);
  const sb = broadcastStrides(b.shape, b.strides, shape);
  let d = shape.length - 1;
  let count = shape[d]!;
  const stepA = sa[d]!;
  const stepB = sb[d]!;
  while (d > 0 && sa[d - 1] === stepA * count && sb[d - 1] === stepB * count) count *= shape[--d]!;
  const startsA = startsOf(shape, sa, d, a.offset);
  const startsB = startsOf(shape, sb, d, b.offset);
  return { count, startsA, stepA, startsB, stepB };
}

/** The offsets of the elements of the first `d` dimensions. */
function startsOf(shape: Shape, strides: readonly number[], d: number, start: number): Int32Array {
  if (d !== 1) return stridedOffsets(shape.slice(0, d), strides.slice(0, d), start);
  const starts = new Int32Array(shape[0]!);
  for (let i = 0, p = start, step = strides[0]!; i < starts.length; i++, p += step) starts[i] = p;
  return starts;
}

/**
 * The one step between neighboring elements of `x`, broadcast to `shape` of `n` elements in row-major order (0 for a
 * repeated scalar), or -1 if there is no such step.
 */
export function flatStep(x: View, shape: Shape, n: number): number {
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
