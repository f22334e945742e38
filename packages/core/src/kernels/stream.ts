import { arena } from './wasm/arena.js';
import type { Kernels } from './wasm/module.js';

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

/** The sum of `n` elements of `x` from `p` on. */
export function streamSum(x: Float32Array, p: number, n: number): number {
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

/** An array with so many elements for each row. */
type Rows = readonly [data: Float32Array, width: number];

/**
 * Takes as many of `rows` rows at a time as make up a piece: copies the inputs in, calls `run` with the number of rows
 * and the addresses of inputs and results, and copies the results out.
 */
function inRows(
  op: string,
  rows: number,
  inputs: readonly Rows[],
  results: readonly Rows[],
  run: (kernels: Kernels, count: number, addresses: number[]) => void,
): void {
  const kernel = arena();
  const all = [...inputs, ...results];
  const widths = all.map(([, width]) => width);
  const some = Math.max(1, Math.floor(piece / Math.max(...widths)));
  kernel.begin(op, some * widths.reduce((a, b) => a + b, 0) * 4);
  const addresses = widths.map((width) => kernel.take(some * width * 4));
  for (let r = 0; r < rows; r += some) {
    const count = Math.min(some, rows - r);
    inputs.forEach(([data, width], i) => {
      kernel.write(addresses[i]!, data, r * width, count * width);
    });
    run(kernel.instance.kernels, count, addresses);
    results.forEach(([data, width], i) => {
      kernel.get(addresses[inputs.length + i]!, data, r * width, count * width);
    });
  }
}

/** `exp(x) / sum(exp(x))` of each of `rows` rows of `n` elements. */
export function softmaxRows(to: Float32Array, x: Float32Array, rows: number, n: number): void {
  inRows('softmax', rows, [[x, n]], [[to, n]], ({ softmax }, count, [from, result]) => {
    softmax(result!, from!, count, n);
  });
}

/** The gradient of `softmaxRows`, from that of its result `y`. */
export function softmaxGradientRows(to: Float32Array, g: Float32Array, y: Float32Array, rows: number, n: number): void {
  const inputs: Rows[] = [
    [g, n],
    [y, n],
  ];
  inRows('softmax', rows, inputs, [[to, n]], ({ softmaxGradient }, count, [atG, atY, result]) => {
    softmaxGradient(result!, atG!, atY!, count, n);
  });
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
  const results: Rows[] = [
    [to, n],
    [means, 1],
    [variances, 1],
  ];
  inRows('standardize', rows, [[x, n]], results, ({ standardize }, count, [from, result, atMeans, atVariances]) => {
    standardize(result!, from!, count, n, eps, atMeans!, atVariances!);
  });
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
  const inputs: Rows[] = [
    [g, n],
    [y, n],
    [variances, 1],
  ];
  inRows('standardize', rows, inputs, [[to, n]], ({ standardizeGradient }, count, [atG, atY, atVariances, result]) => {
    standardizeGradient(result!, atG!, atY!, count, n, eps, atVariances!);
  });
}
