import { arena } from './wasm/arena.js';

// Kernels over long float32 arrays, which are copied in, computed and copied out in pieces: the copies stay in the
// processor's cache, and kernel memory stays small.

/** Kernels that go over elements one by one. */
export type StreamKernel =
  | 'abs'
  | 'erf'
  | 'exp'
  | 'gelu'
  | 'neg'
  | 'relu'
  | 'sigmoid'
  | 'silu'
  | 'sqrt'
  | 'square'
  | 'tanh';

/** The same of two arrays. */
export type StreamKernel2 = 'add' | 'div' | 'geluGradient' | 'maximum' | 'minimum' | 'mul' | 'reluGradient' | 'sub';

const piece = 8192;

/** Fewer elements are done faster in JavaScript. */
export const streamFrom = 512;

/** The same for each row, where an operand repeats from row to row. */
export const streamRowFrom = 128;

/** `to[i] = kernel(x[p + i])` for the first `n` elements. */
export function stream(name: StreamKernel, to: Float32Array, n: number, x: Float32Array, p: number): void {
  const kernel = arena();
  const run = kernel.instance.kernels[name];
  kernel.begin(name, piece * 8);
  const [from, result] = [kernel.take(piece * 4), kernel.take(piece * 4)];
  for (let i = 0; i < n; i += piece) {
    const count = Math.min(piece, n - i);
    kernel.write(from, x, p + i, count);
    run(result, from, count);
    kernel.get(result, to, i, count);
  }
}

/** An operand: where its first element is, and whether it goes on from there or is one element again and again. */
export interface Operand {
  readonly data: Float32Array;
  readonly step: 0 | 1;
}

/**
 * `rows` times `n` results: row r is `kernel(x, y)` from `startsX[r]` and `startsY[r]` on. Results follow each other from
 * the start of `to`.
 */
export function stream2(
  name: StreamKernel2,
  to: Float32Array,
  n: number,
  x: Operand,
  startsX: ArrayLike<number>,
  y: Operand,
  startsY: ArrayLike<number>,
): void {
  const kernel = arena();
  const run = kernel.instance.kernels[name];
  kernel.begin(name, piece * 12);
  const [first, second, result] = [kernel.take(piece * 4), kernel.take(piece * 4), kernel.take(piece * 4)];
  const load = (at: number, { data, step }: Operand, from: number, i: number, count: number): void => {
    if (step === 1) kernel.write(at, data, from + i, count);
    else if (i === 0) kernel.fill(at, data[from]!, count);
  };
  for (let r = 0, out = 0; r < startsX.length; r++)
    for (let i = 0; i < n; i += piece) {
      const count = Math.min(piece, n - i);
      load(first, x, startsX[r]!, i, count);
      load(second, y, startsY[r]!, i, count);
      run(result, first, second, count);
      kernel.get(result, to, out, count);
      out += count;
    }
}

/** How many rows of `n` are taken at a time. */
const rowsOf = (n: number): number => Math.max(1, Math.floor(piece / n));

/** `exp(x) / sum(exp(x))` of each of `rows` rows of `n` elements. */
export function softmaxRows(to: Float32Array, x: Float32Array, p: number, rows: number, n: number): void {
  const kernel = arena();
  const some = rowsOf(n);
  kernel.begin('softmax', some * n * 8);
  const [from, result] = [kernel.take(some * n * 4), kernel.take(some * n * 4)];
  for (let r = 0; r < rows; r += some) {
    const count = Math.min(some, rows - r);
    kernel.write(from, x, p + r * n, count * n);
    kernel.instance.kernels.softmax(result, from, count, n);
    kernel.get(result, to, r * n, count * n);
  }
}

/** The gradient of `softmaxRows`, from that of its result `y`. */
export function softmaxGradientRows(
  to: Float32Array,
  g: Float32Array,
  p: number,
  y: Float32Array,
  q: number,
  rows: number,
  n: number,
): void {
  const kernel = arena();
  const some = rowsOf(n);
  kernel.begin('softmax', some * n * 12);
  const [first, second, result] = [kernel.take(some * n * 4), kernel.take(some * n * 4), kernel.take(some * n * 4)];
  for (let r = 0; r < rows; r += some) {
    const count = Math.min(some, rows - r);
    kernel.write(first, g, p + r * n, count * n);
    kernel.write(second, y, q + r * n, count * n);
    kernel.instance.kernels.softmaxGradient(result, first, second, count, n);
    kernel.get(result, to, r * n, count * n);
  }
}

/** The sum of `n` elements of `x` from `p` on. */
export function sumOf(x: Float32Array, p: number, n: number): number {
  const kernel = arena();
  kernel.begin('sum', piece * 4);
  const at = kernel.take(piece * 4);
  let sum = 0;
  for (let i = 0; i < n; i += piece) {
    const count = Math.min(piece, n - i);
    kernel.write(at, x, p + i, count);
    sum += kernel.instance.kernels.sum(at, count);
  }
  return sum;
}

/** `(x - mean) / sqrt(var + eps)` of each of `rows` rows of `n` elements, with their means and variances. */
export function standardizeRows(
  to: Float32Array,
  x: Float32Array,
  rows: number,
  n: number,
  eps: number,
  means: Float32Array,
  variances: Float32Array,
): void {
  const kernel = arena();
  const some = rowsOf(n);
  kernel.begin('standardize', some * (n + 1) * 8);
  const [from, result] = [kernel.take(some * n * 4), kernel.take(some * n * 4)];
  const [atMeans, atVariances] = [kernel.take(some * 4), kernel.take(some * 4)];
  for (let r = 0; r < rows; r += some) {
    const count = Math.min(some, rows - r);
    kernel.write(from, x, r * n, count * n);
    kernel.instance.kernels.standardize(result, from, count, n, eps, atMeans, atVariances);
    kernel.get(result, to, r * n, count * n);
    kernel.get(atMeans, means, r, count);
    kernel.get(atVariances, variances, r, count);
  }
}

/** The gradient of `standardizeRows`, from that of its result `y`. */
export function standardizeGradientRows(
  to: Float32Array,
  g: Float32Array,
  y: Float32Array,
  rows: number,
  n: number,
  eps: number,
  variances: Float32Array,
): void {
  const kernel = arena();
  const some = rowsOf(n);
  kernel.begin('standardize', some * (3 * n + 1) * 4);
  const [first, second, result] = [kernel.take(some * n * 4), kernel.take(some * n * 4), kernel.take(some * n * 4)];
  const atVariances = kernel.take(some * 4);
  for (let r = 0; r < rows; r += some) {
    const count = Math.min(some, rows - r);
    kernel.write(first, g, r * n, count * n);
    kernel.write(second, y, r * n, count * n);
    kernel.write(atVariances, variances, r, count);
    kernel.instance.kernels.standardizeGradient(result, first, second, count, n, eps, atVariances);
    kernel.get(result, to, r * n, count * n);
  }
}
