import type { TypedArray } from '../../memory/dtype.js';
import { contiguousStrides, stridedOffsets } from '../../memory/shape.js';
import type { Reduction, View } from '../kernels.js';
import { codedOf, dataOf } from './data.js';
import { int64Elements } from './int64.js';
import { closeWindows } from './storage.js';

/** `Kernels.reduce` for any dtype. */
export function reduce(which: Reduction, x: View, dims: readonly number[], out: View, power = 2): void {
  if (x.dtype === 'int64' || out.dtype === 'int64') reduceIntegers(which, x, dims, out);
  else if (which === 'sum') sumInto(dataOf(out), x, dims);
  else if (which === 'mean') meanInto(dataOf(out), x, dims);
  else reduceWith(which === 'norm' && power !== 2 ? powerNormOf : reducers[which], x, dims, dataOf(out), power);
  closeWindows();
}

/**
 * Reduces the elements `data[start + offsets[j]]`; there is at least one, unless the reduction has a value for none.
 */
type Reducer = (data: ArrayLike<number>, start: number, offsets: Int32Array, power: number) => number;

function reduceWith(reducer: Reducer, x: View, dims: readonly number[], to: TypedArray, power: number): void {
  const [starts, offsets] = offsetsOf(x, dims);
  const data = dataOf(x);
  for (let i = 0; i < to.length; i++) to[i] = reducer(data, starts[i]!, offsets, power);
}

/** The offset of the first element of each result, and the offsets of its elements from there. */
export function offsetsOf(
  x: Pick<View, 'shape' | 'strides' | 'offset'>,
  dims: readonly number[],
): [starts: Int32Array, offsets: Int32Array] {
  const pick = (which: readonly number[]) => [which.map((i) => x.shape[i]!), which.map((i) => x.strides[i]!)] as const;
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  return [stridedOffsets(...pick(kept), x.offset), stridedOffsets(...pick([...dims].sort((a, b) => a - b)))];
}

/** Up to so many 32-bit integers have a sum that float64 holds exactly. */
const exactCount = 2 ** 21;

/** Reductions that give int64, of integers and bool; and all reductions of int64. */
function reduceIntegers(which: Reduction, x: View, dims: readonly number[], out: View): void {
  if (which === 'sum' && x.dtype !== 'int64' && x.numel <= exactCount * out.numel) {
    const sums = new Float64Array(out.numel);
    sumInto(sums, x, dims);
    const to = codedOf(out)!.bits as BigInt64Array;
    for (let i = 0; i < to.length; i++) to[i] = BigInt(sums[i]!);
    return;
  }
  const data = int64Elements(x);
  const [starts, offsets] = offsetsOf({ shape: x.shape, strides: contiguousStrides(x.shape), offset: 0 }, dims);
  const exact = exactReducers[which as keyof typeof exactReducers];
  if (out.dtype === 'int64') {
    const to = codedOf(out)!.bits as BigInt64Array;
    for (let i = 0; i < to.length; i++) to[i] = exact(data, starts[i]!, offsets) as bigint;
  } else {
    const to = dataOf(out);
    for (let i = 0; i < to.length; i++) to[i] = Number(exact(data, starts[i]!, offsets));
  }
}

/** A row-major view as `[outer, rows, kept, inner]`; `rows` and `inner` are reduced. */
export type Runs = readonly [outer: number, rows: number, kept: number, inner: number];

/** The runs of dimensions in a row-major view; null if there are more than four. */
export function runsOf(x: View, dims: readonly number[]): Runs | null {
  if (!x.isContiguous) return null;
  const runs = [1, 1, 1, 1];
  let run = 0;
  for (let d = 0; d < x.shape.length; d++) {
    if (x.shape[d] === 1) continue;
    // Even runs are kept, odd ones reduced.
    if ((run % 2 === 1) !== dims.includes(d)) run++;
    if (run > 3) return null;
    runs[run]! *= x.shape[d]!;
  }
  // If nothing is kept between them, the two reduced runs are one.
  return runs[2] === 1 ? [runs[0]!, 1, 1, runs[1]! * runs[3]!] : (runs as unknown as Runs);
}

/** Up to so many elements, one sum after the other is taken. */
const fewElements = 512;

/** The sums over the given dimensions. */
function sumInto(to: TypedArray, x: View, dims: readonly number[]): void {
  if (to.length === 1 && x.isContiguous) {
    to[0] = sumFrom(dataOf(x), x.offset, x.numel, 1);
    return;
  }
  const runs = runsOf(x, dims);
  if (runs === null) reduceWith(sumOf, x, dims, to, 0);
  else if (x.numel < fewElements && (runs[1] === 1 || runs[3] === 1)) sumOneByOne(to, x, runs);
  else sumInOrder(to, x, runs);
}

function meanInto(to: TypedArray, x: View, dims: readonly number[]): void {
  sumInto(to, x, dims);
  const count = x.numel / to.length;
  for (let i = 0; i < to.length; i++) to[i] = to[i]! / count;
}

/** One sum after the other, which needs no memory for several. */
function sumOneByOne(to: TypedArray, x: View, [outer, rows, kept, inner]: Runs): void {
  const data = dataOf(x);
  const { offset } = x;
  for (let o = 0, p = offset; o < outer; o++, p += rows * kept * inner)
    for (let k = 0; k < kept; k++)
      to[o * kept + k] = rows === 1 ? sumFrom(data, p + k * inner, inner, 1) : sumFrom(data, p + k, rows, kept);
}

/** Goes through all elements in their order in memory, and adds each to its sum. */
function sumInOrder(to: TypedArray, x: View, [outer, rows, kept, inner]: Runs): void {
  const data = dataOf(x);
  const { offset } = x;
  const sums = new Float64Array(kept);
  for (let o = 0, p = offset; o < outer; o++) {
    sums.fill(0);
    for (let r = 0; r < rows; r++)
      if (inner === 1) for (let k = 0; k < kept; k++) sums[k]! += data[p++]!;
      else for (let k = 0; k < kept; k++, p += inner) sums[k]! += sumFrom(data, p, inner, 1);
    for (let k = 0; k < kept; k++) to[o * kept + k] = sums[k]!;
  }
}

/** The sum of `n` elements from `p` on, `step` apart. float32 has a loop of its own: see `loops.ts`. */
function sumFrom(data: TypedArray, p: number, n: number, step: number): number {
  let sum = 0;
  if (data instanceof Float32Array) for (let i = 0; i < n; i++, p += step) sum += data[p]!;
  else for (let i = 0; i < n; i++, p += step) sum += data[p]!;
  return sum;
}

// Sums are taken in float64, so float32 results are as exact as they can be.
const sumOf: Reducer = (data, start, offsets) => {
  let sum = 0;
  for (let j = 0; j < offsets.length; j++) sum += data[start + offsets[j]!]!;
  return sum;
};

const productOf: Reducer = (data, start, offsets) => {
  let product = 1;
  for (let j = 0; j < offsets.length; j++) product *= data[start + offsets[j]!]!;
  return product;
};

const lengthOf: Reducer = (data, start, offsets) => {
  let sum = 0;
  for (let j = 0; j < offsets.length; j++) sum += data[start + offsets[j]!]! ** 2;
  return Math.sqrt(sum);
};

const powerNormOf: Reducer = (data, start, offsets, p) => {
  let sum = 0;
  for (let j = 0; j < offsets.length; j++) sum += Math.abs(data[start + offsets[j]!]!) ** p;
  return sum ** (1 / p);
};

const maxOf: Reducer = (data, start, offsets) => {
  let best = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < offsets.length; j++) {
    const v = data[start + offsets[j]!]!;
    if (v > best || Number.isNaN(v)) best = v;
    if (Number.isNaN(v)) break;
  }
  return best;
};

const minOf: Reducer = (data, start, offsets) => {
  let best = Number.POSITIVE_INFINITY;
  for (let j = 0; j < offsets.length; j++) {
    const v = data[start + offsets[j]!]!;
    if (v < best || Number.isNaN(v)) best = v;
    if (Number.isNaN(v)) break;
  }
  return best;
};

/** The position of the first largest element; a NaN counts as the largest. */
const argmaxOf: Reducer = (data, start, offsets) => {
  let at = 0;
  let best = data[start + offsets[0]!]!;
  for (let j = 1; j < offsets.length && !Number.isNaN(best); j++) {
    const v = data[start + offsets[j]!]!;
    if (v > best || Number.isNaN(v)) {
      best = v;
      at = j;
    }
  }
  return at;
};

/** The position of the first smallest element; a NaN counts as the smallest. */
const argminOf: Reducer = (data, start, offsets) => {
  let at = 0;
  let best = data[start + offsets[0]!]!;
  for (let j = 1; j < offsets.length && !Number.isNaN(best); j++) {
    const v = data[start + offsets[j]!]!;
    if (v < best || Number.isNaN(v)) {
      best = v;
      at = j;
    }
  }
  return at;
};

const anyOf: Reducer = (data, start, offsets) => {
  for (let j = 0; j < offsets.length; j++) if (data[start + offsets[j]!] !== 0) return 1;
  return 0;
};

const allOf: Reducer = (data, start, offsets) => {
  for (let j = 0; j < offsets.length; j++) if (data[start + offsets[j]!] === 0) return 0;
  return 1;
};

const reducers: Record<Exclude<Reduction, 'sum' | 'mean'>, Reducer> = {
  prod: productOf,
  amax: maxOf,
  amin: minOf,
  argmax: argmaxOf,
  argmin: argminOf,
  any: anyOf,
  all: allOf,
  norm: lengthOf,
};

type ExactReducer = (data: BigInt64Array, start: number, offsets: Int32Array) => bigint | number | boolean;

/** The index of the first element such that no other is better. */
const firstOf =
  (better: (a: bigint, b: bigint) => boolean) =>
  (data: BigInt64Array, start: number, offsets: Int32Array): number => {
    let at = 0;
    for (let j = 1; j < offsets.length; j++)
      if (better(data[start + offsets[j]!]!, data[start + offsets[at]!]!)) at = j;
    return at;
  };
const argmaxExact = firstOf((a, b) => a > b);
const argminExact = firstOf((a, b) => a < b);

const isNone = (v: bigint): boolean => v === 0n;

/** Sums and products wrap modulo 2^64, as in PyTorch. */
const exactReducers = {
  sum: (data, start, offsets) => offsets.reduce((sum, o) => BigInt.asIntN(64, sum + data[start + o]!), 0n),
  prod: (data, start, offsets) => offsets.reduce((product, o) => BigInt.asIntN(64, product * data[start + o]!), 1n),
  amax: (data, start, offsets) => data[start + offsets[argmaxExact(data, start, offsets)]!]!,
  amin: (data, start, offsets) => data[start + offsets[argminExact(data, start, offsets)]!]!,
  argmax: argmaxExact,
  argmin: argminExact,
  any: (data, start, offsets) => !offsets.every((o) => isNone(data[start + o]!)),
  all: (data, start, offsets) => !offsets.some((o) => isNone(data[start + o]!)),
} satisfies Partial<Record<Reduction, ExactReducer>>;
