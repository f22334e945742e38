import { checkLength, copyMemory, kernelMemory, lives } from './wasm/memory.js';
import type { Kernels } from './wasm/module.js';
import { bands } from './wasm/threads.js';

// Kernels over long float32 arrays, which are copied in, computed and copied out in pieces: the copies stay in the
// processor's cache, and kernel memory stays small.

/** Kernels that go over elements one by one. */
export type StreamKernel =
  | 'abs'
  | 'clamp'
  | 'elu'
  | 'erf'
  | 'exp'
  | 'expm1'
  | 'gelu'
  | 'leakyRelu'
  | 'log'
  | 'log1p'
  | 'neg'
  | 'reciprocal'
  | 'relu'
  | 'rsqrt'
  | 'sigmoid'
  | 'silu'
  | 'sqrt'
  | 'square'
  | 'tanh';

/** The same of two arrays. */
export type StreamKernel2 =
  | 'absGradient'
  | 'add'
  | 'clampGradient'
  | 'div'
  | 'eluGradient'
  | 'geluGradient'
  | 'hardtanhGradient'
  | 'leakyReluGradient'
  | 'maximum'
  | 'minimum'
  | 'mul'
  | 'reciprocalGradient'
  | 'reluGradient'
  | 'rsqrtGradient'
  | 'sigmoidGradient'
  | 'siluGradient'
  | 'sqrtGradient'
  | 'squareGradient'
  | 'sub'
  | 'tanhGradient';

/** How many elements make up a piece. */
export const piece = 8192;

/** Fewer elements are done faster in JavaScript. */
export const streamFrom = 512;

/** The same for each row, where an operand repeats from row to row. */
export const streamRowFrom = 128;

/** `to[i] = kernel(x[p + i])` for the first `n` elements; `a` and `b` are for kernels that take parameters. */
export function stream(
  name: StreamKernel,
  to: Float32Array,
  n: number,
  x: Float32Array,
  p: number,
  a = 0,
  b = 0,
): void {
  checkLength(name, x, p + n);
  checkLength(name, to, n);
  const [livesX, livesTo] = [lives(x), lives(to)];
  const memory = livesX || livesTo ? kernelMemory() : copyMemory();
  const run = memory.instance.kernels[name];
  if (livesX && livesTo) {
    run(to.byteOffset, x.byteOffset + p * 4, n, a, b);
    return;
  }
  memory.begin(name, piece * 8);
  const [from, result] = [memory.take(piece * 4), memory.take(piece * 4)];
  for (let i = 0; i < n; i += piece) {
    const count = Math.min(piece, n - i);
    if (!livesX) memory.write(from, x, p + i, count);
    run(livesTo ? to.byteOffset + i * 4 : result, livesX ? x.byteOffset + (p + i) * 4 : from, count, a, b);
    if (!livesTo) memory.get(result, to, i, count);
  }
}

/** An operand: where its first element is, and whether it goes on from there or is one element again and again. */
export interface Operand {
  readonly data: Float32Array;
  readonly step: 0 | 1;
}

/**
 * `rows` times `n` results: row r is `kernel(x, y)` from `startsX[r]` and `startsY[r]` on. Results follow each other from
 * the start of `to`. `first` and `second` are for kernels that take parameters.
 */
export function stream2(
  name: StreamKernel2,
  to: Float32Array,
  n: number,
  x: Operand,
  startsX: ArrayLike<number>,
  y: Operand,
  startsY: ArrayLike<number>,
  first = 0,
  second = 0,
): void {
  checkLength(name, to, startsX.length * n);
  const [livesX, livesY, livesTo] = [x.step === 1 && lives(x.data), y.step === 1 && lives(y.data), lives(to)];
  const memory = livesX || livesY || livesTo ? kernelMemory() : copyMemory();
  const run = memory.instance.kernels[name];
  memory.begin(name, piece * 12);
  const [atX, atY, result] = [memory.take(piece * 4), memory.take(piece * 4), memory.take(piece * 4)];
  // Results that stay where they are need no pieces unless an operand does.
  const most = livesTo && livesX && livesY ? n : piece;
  const load = (
    lives: boolean,
    at: number,
    { data, step }: Operand,
    from: number,
    i: number,
    count: number,
  ): number => {
    if (step === 1) checkLength(name, data, from + i + count);
    if (lives) return data.byteOffset + (from + i) * 4;
    if (step === 1) memory.write(at, data, from + i, count);
    else if (i === 0) memory.fill(at, data[from]!, count);
    return at;
  };
  for (let r = 0, out = 0; r < startsX.length; r++)
    for (let i = 0; i < n; i += most) {
      const count = Math.min(most, n - i);
      const a = load(livesX, atX, x, startsX[r]!, i, count);
      const b = load(livesY, atY, y, startsY[r]!, i, count);
      run(livesTo ? to.byteOffset + out * 4 : result, a, b, count, first, second);
      if (!livesTo) memory.get(result, to, out, count);
      out += count;
    }
}

/** Integers or doubles as floats of the same bits, which is how they are copied. */
export const asFloats = (x: Int32Array | Float64Array): Float32Array =>
  new Float32Array(x.buffer, x.byteOffset, x.byteLength / 4);

/** An array with so many elements for each row; with 0, all rows read the whole of it. */
export type Rows = readonly [data: Float32Array, width: number];

/** Rows with more elements than this are shared among threads, where they live in kernel memory. */
const manyElements = 2 ** 16;

/**
 * Calls `run` with a number of rows, where the rows of each input and of each result begin, and which row is the first:
 * for as many rows at a time as make up a piece, or for all of them where all arrays live in kernel memory. `run` calls
 * one kernel, or where there are several threads notes the call. A result that is also an input is rewritten.
 */
export function inRows(
  op: string,
  rows: number,
  inputs: readonly Rows[],
  results: readonly Rows[],
  run: (kernels: Kernels, count: number, addresses: number[], first: number) => void,
): void {
  const all = [...inputs, ...results];
  for (const [data, width] of all) checkLength(op, data, rows * width);
  const there = all.map(([data]) => lives(data));
  const widest = Math.max(...all.map(([, width]) => width));
  const whole = there.every((lives, i) => lives || all[i]![1] === 0);
  // Copies take longer where other threads have read what was there before: more than they would save. And what a kernel
  // returns is not to be had from several threads.
  const many = whole && results.length > 0 && rows * widest >= manyElements;
  const pool = many ? kernelMemory().pool : null;
  const threads = pool?.size ?? 1;
  const memory = there.includes(true) ? kernelMemory() : copyMemory();
  const some = whole ? rows : Math.max(1, Math.floor(piece / widest));
  // What is taken for an array that does not live there.
  const sizes = all.map(([data, width], i) => (there[i] ? 0 : (width === 0 ? data.length : some * width) * 4));
  memory.begin(
    op,
    sizes.reduce((sum, size) => sum + size, 0),
  );
  const scratch: number[] = [];
  all.forEach(([data, width], i) => {
    const same = inputs.findIndex(([input]) => input === data);
    scratch.push(there[i] ? 0 : same >= 0 && same < i ? scratch[same]! : memory.take(sizes[i]!));
    if (width === 0 && !there[i]) memory.write(scratch[i]!, data, 0, data.length);
  });
  const addresses = new Array<number>(all.length);
  for (let r = 0; r < rows; r += some) {
    const count = Math.min(some, rows - r);
    all.forEach(([data, width], i) => {
      addresses[i] = there[i] ? data.byteOffset + r * width * 4 : scratch[i]!;
      if (i < inputs.length && width > 0 && !there[i]) memory.write(scratch[i]!, data, r * width, count * width);
    });
    if (threads === 1) run(memory.instance.kernels, count, addresses, r);
    else
      pool!.note((kernels) => {
        // In sixteens, so that what a kernel of whole vectors writes past its end is not another's.
        for (const [first, length] of bands(count, widest === 1 ? 16 : 1, threads)) {
          const at = addresses.map((address, i) => address + first * all[i]![1] * 4);
          run(kernels, length, at, r + first);
        }
      });
    results.forEach(([data, width], j) => {
      const i = inputs.length + j;
      if (!there[i]) memory.get(scratch[i]!, data, r * width, count * width);
    });
  }
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
