import { allocateUninitialized } from '../../memory/allocate.js';
import { broadcastStrides } from '../../memory/shape.js';
import { type BinaryFunction, noParameters, type Parameters, type UnaryFunction } from '../functions.js';
import { dataOf, elementsOf } from '../host/data.js';
import * as host from '../host/elementwise.js';
import { eachPair, eachRow, flatStep, rowsOf } from '../host/elementwise.js';
import type { View } from '../kernels.js';
import { arrayOf, isFloat32, kernelFrom } from './floats.js';
import { checkLength, copyMemory, isInKernelMemory, type KernelMemory, kernelMemory } from './memory.js';
import { binaryKernels, unaryKernels } from './names.js';
import { piece } from './rows.js';

export type UnaryKernel = (typeof unaryKernels)[number];
export type BinaryKernel = (typeof binaryKernels)[number];

const hasUnary: ReadonlySet<string> = new Set(unaryKernels);
const hasBinary: ReadonlySet<string> = new Set(binaryKernels);

/** The same for each row, if an operand repeats from row to row. */
const rowFrom = 128;

/** Operands with rows up to so long are put in order first: to tell where each row begins takes longer than that. */
const spreadUpTo = 16;
/** The same where each row takes one element: these are written by a loop. */
const repeatUpTo = 8;

/** `Kernels.unary` for float32. */
export function unary(fn: UnaryFunction, x: View, out: View, parameters: Parameters = noParameters): void {
  if (out.numel < kernelFrom || !isFloat32(out) || !isFloat32(x) || !hasUnary.has(fn.name))
    host.unary(fn, x, out, parameters);
  else byKernel(fn.name as UnaryKernel, x, out, parameters);
}

function byKernel(name: UnaryKernel, x: View, out: View, [first, second]: Parameters): void {
  const from = x.isContiguous ? dataOf(x) : elementsOf(x);
  unaryByKernel(name, arrayOf(out), out.numel, from as Float32Array, x.isContiguous ? x.offset : 0, first, second);
}

/** `Kernels.binary` for float32. */
export function binary(fn: BinaryFunction, a: View, b: View, out: View, parameters: Parameters = noParameters): void {
  if (!(isFloat32(out) && isFloat32(a) && isFloat32(b))) host.binary(fn, a, b, out, parameters);
  else if (out.numel >= rowFrom && hasBinary.has(fn.name)) many(fn, a, b, out, parameters);
  else eachPair(fn.forward, fn.loop, a, b, out, parameters);
}

function many(fn: BinaryFunction, a: View, b: View, out: View, parameters: Parameters): void {
  const { numel, shape } = out;
  const stepA = flatStep(a, shape, numel);
  const stepB = flatStep(b, shape, numel);
  const isFlat = stepA >= 0 && stepB >= 0;
  if (isFlat && numel < kernelFrom) {
    eachPair(fn.forward, fn.loop, a, b, out, parameters);
    return;
  }
  const to = arrayOf(out);
  const [first, second] = parameters;
  if (!isFlat && numel >= kernelFrom && shape.at(-1)! <= spreadUpTo) {
    const x = inOrder(a, stepA, out);
    const y = x && inOrder(b, stepB, out);
    if (y) {
      binaryByKernel(fn.name as BinaryKernel, to, numel, x, [x.start], y, [y.start], first, second);
      return;
    }
  }
  const rows = isFlat ? { count: numel, startsA: [a.offset], stepA, startsB: [b.offset], stepB } : rowsOf(a, b, shape);
  if ((rows.count < rowFrom && numel < kernelFrom) || !isEven(rows.stepA) || !isEven(rows.stepB)) {
    eachRow(fn.forward, fn.loop, rows, a, b, out, parameters);
    return;
  }
  const left = { data: arrayOf(a), step: rows.stepA as 0 | 1 };
  const right = { data: arrayOf(b), step: rows.stepB as 0 | 1 };
  binaryByKernel(fn.name as BinaryKernel, to, rows.count, left, rows.startsA, right, rows.startsB, first, second);
}

/** `x`, broadcast to the shape of `out`, as one row; null where it repeats in the middle, or is not contiguous. */
function inOrder(x: View, step: number, { shape, numel }: View): (Operand & { start: number }) | null {
  if (step === 0 || step === 1) return { data: arrayOf(x), step, start: x.offset };
  if (!x.isContiguous) return null;
  const strides = broadcastStrides(x.shape, x.strides, shape);
  // A letter for each dimension: r where it repeats, o where it has elements of its own.
  const kinds = shape.map((size, i) => (size === 1 ? '' : strides[i] === 0 ? 'r' : 'o')).join('');
  const isBlock = /^r+o+$/.test(kinds);
  const each = numel / x.numel;
  if (!isBlock && (each > repeatUpTo || !/^o+r+$/.test(kinds))) return null;
  const from = elementsOf(x);
  const data = allocateUninitialized('float32', numel) as Float32Array;
  if (isBlock) {
    data.set(from as Float32Array);
    for (let done = x.numel; done < numel; done *= 2) data.copyWithin(done, 0, Math.min(done, numel - done));
  } else repeatEach(data, from as Float32Array, each);
  return { data, step: 1, start: 0 };
}

function repeatEach(to: Float32Array, from: Float32Array, times: number): void {
  for (let i = 0, p = 0; p < to.length; i++) {
    const v = from[i]!;
    for (const end = p + times; p < end; p++) to[p] = v;
  }
}

/** Kernels read contiguous elements, or one element repeatedly. */
const isEven = (step: number): boolean => step === 0 || step === 1;

/** `to[i] = kernel(x[p + i])` for the first `n` elements; `a` and `b` are for kernels that take parameters. */
export function unaryByKernel(
  name: UnaryKernel,
  to: Float32Array,
  n: number,
  x: Float32Array,
  p: number,
  a = 0,
  b = 0,
): void {
  checkLength(name, x, p + n);
  checkLength(name, to, n);
  const [xInPlace, toInPlace] = [isInKernelMemory(x), isInKernelMemory(to)];
  const memory = xInPlace || toInPlace ? kernelMemory() : copyMemory();
  const { kernels } = memory.instance;
  if (xInPlace && toInPlace) {
    kernels[name](to.byteOffset, x.byteOffset + p * 4, n, a, b);
    return;
  }
  memory.begin(name, piece * 8);
  const run = kernels[name];
  const [from, result] = [memory.take(piece * 4), memory.take(piece * 4)];
  for (let i = 0; i < n; i += piece) {
    const count = Math.min(piece, n - i);
    if (!xInPlace) memory.write(from, x, p + i, count);
    run(toInPlace ? to.byteOffset + i * 4 : result, xInPlace ? x.byteOffset + (p + i) * 4 : from, count, a, b);
    if (!toInPlace) memory.get(result, to, i, count);
  }
}

/** Shorter rows are combined into one call: a call and its copies cost as much as computing them. */
const shortRow = 1024;

/** `binaryByKernel` for many short rows, such as those of a matrix plus a bias: a piece of rows at a time. */
function binaryInBlocks(
  name: BinaryKernel,
  to: Float32Array,
  n: number,
  x: Operand,
  startsX: ArrayLike<number>,
  y: Operand,
  startsY: ArrayLike<number>,
  first: number,
  second: number,
): void {
  const count = startsX.length;
  const most = Math.min(count, Math.floor(piece / n));
  const [liesX, liesY] = [arrangementOf(name, x, startsX, n), arrangementOf(name, y, startsY, n)];
  const toInPlace = isInKernelMemory(to);
  const memory = toInPlace || isThere(liesX, x) || isThere(liesY, y) ? kernelMemory() : copyMemory();
  memory.begin(name, piece * 12);
  const run = memory.instance.kernels[name];
  const result = memory.take(piece * 4);
  const [rowsOfX, rowsOfY] = [rowsAt(memory, liesX, x, startsX, n, most), rowsAt(memory, liesY, y, startsY, n, most)];
  for (let row = 0; row < count; row += most) {
    const rows = Math.min(most, count - row);
    const at = toInPlace ? to.byteOffset + row * n * 4 : result;
    run(at, rowsOfX(row, rows), rowsOfY(row, rows), rows * n, first, second);
    if (!toInPlace) memory.get(result, to, row * n, rows * n);
  }
}

/** How the rows of an operand are arranged: contiguous, one row that is repeated, or elsewhere. */
type Arrangement = 'following' | 'repeated' | 'apart';

/** Throws if rows end beyond the array. */
function arrangementOf(name: string, { data, step }: Operand, starts: ArrayLike<number>, n: number): Arrangement {
  const length = step === 0 ? 1 : n;
  let follow = step === 1;
  let repeat = true;
  let last = starts[0]!;
  for (let r = 1; r < starts.length; r++) {
    const start = starts[r]!;
    follow &&= start === starts[0]! + r * n;
    repeat &&= start === starts[0];
    if (start > last) last = start;
  }
  checkLength(name, data, last + length);
  return repeat ? 'repeated' : follow ? 'following' : 'apart';
}

/** Whether a kernel can read the rows in place. */
const isThere = (lie: Arrangement, { data }: Operand): boolean => lie === 'following' && isInKernelMemory(data);

/** The address of some rows, copied so that they are contiguous; a repeated row is copied once. */
function rowsAt(
  memory: KernelMemory,
  lie: Arrangement,
  operand: Operand,
  starts: ArrayLike<number>,
  n: number,
  most: number,
): (row: number, rows: number) => number {
  const { data, step } = operand;
  if (isThere(lie, operand)) return (row) => data.byteOffset + starts[row]! * 4;
  const at = memory.take(piece * 4);
  if (lie === 'repeated') {
    if (step === 0) memory.fill(at, data[starts[0]!]!, n * most);
    else memory.repeat(at, data, starts[0]!, n, most);
    return () => at;
  }
  return (row, rows) => {
    if (lie === 'following') memory.write(at, data, starts[row]!, rows * n);
    else if (step === 0) for (let r = 0; r < rows; r++) memory.fill(at + r * n * 4, data[starts[row + r]!]!, n);
    else memory.gather(at, data, starts, row, rows, n);
    return at;
  };
}

/** An operand: its array and offset, and whether it is contiguous (step 1) or one repeated element (step 0). */
interface Operand {
  readonly data: Float32Array;
  readonly step: 0 | 1;
}

/**
 * Computes `rows` times `n` results: row r is `kernel(x, y)` from `startsX[r]` and `startsY[r]` on. Results are written
 * contiguously from the start of `to`. `first` and `second` are for kernels with parameters.
 */
export function binaryByKernel(
  name: BinaryKernel,
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
  if (n < shortRow && startsX.length > 1) {
    binaryInBlocks(name, to, n, x, startsX, y, startsY, first, second);
    return;
  }
  const [xInPlace, yInPlace, toInPlace] = [
    x.step === 1 && isInKernelMemory(x.data),
    y.step === 1 && isInKernelMemory(y.data),
    isInKernelMemory(to),
  ];
  const memory = xInPlace || yInPlace || toInPlace ? kernelMemory() : copyMemory();
  memory.begin(name, piece * 12);
  const run = memory.instance.kernels[name];
  const [atX, atY, result] = [memory.take(piece * 4), memory.take(piece * 4), memory.take(piece * 4)];
  // Results in place need no pieces unless an operand does.
  const atOnce = toInPlace && xInPlace && yInPlace ? n : piece;
  const load = (
    inPlace: boolean,
    at: number,
    { data, step }: Operand,
    from: number,
    i: number,
    count: number,
  ): number => {
    if (step === 1) checkLength(name, data, from + i + count);
    if (inPlace) return data.byteOffset + (from + i) * 4;
    if (step === 1) memory.write(at, data, from + i, count);
    else if (i === 0) memory.fill(at, data[from]!, count);
    return at;
  };
  for (let r = 0, out = 0; r < startsX.length; r++)
    for (let i = 0; i < n; i += atOnce) {
      const count = Math.min(atOnce, n - i);
      const a = load(xInPlace, atX, x, startsX[r]!, i, count);
      const b = load(yInPlace, atY, y, startsY[r]!, i, count);
      run(toInPlace ? to.byteOffset + out * 4 : result, a, b, count, first, second);
      if (!toInPlace) memory.get(result, to, out, count);
      out += count;
    }
}
