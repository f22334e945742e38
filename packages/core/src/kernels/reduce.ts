import { dataOf } from '../backend/host/data.js';
import { HostStorage } from '../backend/host/storage.js';
import type { DType, TypedArray } from '../tensor/dtype.js';
import { type Shape, stridedOffsets } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { bigElements, int64Of, reduceExact } from './int64.js';
import { columnExtrema, columnSums, rowExtrema, rowPlaces, rowSums, total } from './rows.js';
import { streamFrom } from './stream.js';

/** Which dimensions are reduced, with the result's shape. */
export interface Plan {
  readonly dims: readonly number[];
  /** With the reduced dimensions as 1. */
  readonly keepShape: Shape;
  readonly shape: Shape;
  /** Elements reduced into one. */
  readonly count: number;
}

export function planReduce(shape: Shape, dims: readonly number[], keepdim: boolean): Plan {
  const keepShape = shape.slice();
  let count = 1;
  for (let i = 0; i < dims.length; i++) {
    count *= shape[dims[i]!]!;
    keepShape[dims[i]!] = 1;
  }
  if (keepdim) return { dims, keepShape, shape: keepShape, count };
  const kept = new Array<number>(shape.length - dims.length);
  for (let i = 0, to = 0; i < shape.length; i++) if (!dims.includes(i)) kept[to++] = shape[i]!;
  return { dims, keepShape, shape: kept, count };
}

/** Calls `visit(data, start, offsets, i)` for each result `i`: its elements are `data[start + offsets[j]]`. */
export function reduceWith(
  x: Tensor,
  { dims, shape }: Plan,
  dtype: DType,
  reduce: (data: ArrayLike<number>, start: number, offsets: Int32Array) => number,
): Tensor {
  const [starts, offsets] = offsetsOf(x, dims);
  const out = Tensor.empty(dtype, shape);
  const to = dataOf(out);
  const data = dataOf(x);
  for (let i = 0; i < to.length; i++) to[i] = reduce(data, starts[i]!, offsets);
  return out;
}

/** Where the elements of each result start, and the offsets of the elements from there. */
function offsetsOf(x: Tensor, dims: readonly number[]): [starts: Int32Array, offsets: Int32Array] {
  const pick = (which: readonly number[]) => [which.map((i) => x.shape[i]!), which.map((i) => x.strides[i]!)] as const;
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  return [stridedOffsets(...pick(kept), x.offset), stridedOffsets(...pick([...dims].sort((a, b) => a - b)))];
}

/** The sums over the reduced dimensions. */
export const sumOver = (x: Tensor, plan: Plan, dtype: DType): Tensor =>
  dtype === 'int64' ? sumIntegers(x, plan) : (sumRuns(x, plan, dtype) ?? reduceWith(x, plan, dtype, sumOf));

/** So many integers of up to 32 bits have a sum that float64 holds. */
const exactCount = 2 ** 21;

/** Sums of integers and bool, as int64. */
function sumIntegers(x: Tensor, plan: Plan): Tensor {
  if (x.dtype === 'int64' || plan.count > exactCount) return reduceIntegers('sum', x, plan);
  const sums = sumOver(x, plan, 'float64');
  return Tensor.of(int64Of(dataOf(sums)), 'int64', plan.shape);
}

/** Sums or products of integers and bool, by 64-bit integers. */
export function reduceIntegers(which: 'sum' | 'prod', x: Tensor, { dims, shape }: Plan): Tensor {
  const v = new Tensor(HostStorage.of(bigElements(x), 'int64'), 'int64', x.shape);
  const [starts, offsets] = offsetsOf(v, dims);
  return Tensor.of(reduceExact(which, v.bits() as BigInt64Array, starts, offsets), 'int64', shape);
}

/** A row-major tensor as `[outer, rows, kept, inner]`, of which `rows` and `inner` are reduced. */
type Runs = readonly [outer: number, rows: number, kept: number, inner: number];

/** The runs of a row-major tensor's dimensions; null where there are more of them. */
function runsOf(x: Tensor, { dims }: Plan): Runs | null {
  if (!x.isContiguous) return null;
  const runs = [1, 1, 1, 1];
  let run = 0;
  for (let d = 0; d < x.ndim; d++) {
    if (x.shape[d] === 1) continue;
    // Even runs are kept, odd ones reduced.
    if ((run % 2 === 1) !== dims.includes(d)) run++;
    if (run > 3) return null;
    runs[run]! *= x.shape[d]!;
  }
  // With nothing kept between them, both reduced runs are one.
  return runs[2] === 1 ? [runs[0]!, 1, 1, runs[1]! * runs[3]!] : (runs as unknown as Runs);
}

/** The elements of a tensor that kernels can reduce, if there are enough of them. */
const manyFloats = (x: Tensor): Float32Array | null =>
  x.dtype === 'float32' && x.numel >= streamFrom ? (x.elements() as Float32Array) : null;

/** The rows that a tensor's last dimensions make up, if those are what is reduced: for kernels. */
export function reducedRows(x: Tensor, plan: Plan): { data: Float32Array; rows: number; n: number } | null {
  const runs = runsOf(x, plan);
  const data = runs?.[1] === 1 && runs[3] > 1 ? manyFloats(x) : null;
  return data && { data, rows: runs![0] * runs![2], n: runs![3] };
}

/** Sums over at most two runs, gone through in order; null where there are more. */
function sumRuns(x: Tensor, plan: Plan, dtype: DType): Tensor | null {
  const runs = runsOf(x, plan);
  if (!runs) return null;
  const [, rows, kept, inner] = runs;
  const out = Tensor.empty(dtype, plan.shape);
  const to = dataOf(out);
  const floats = manyFloats(x);
  if (x.numel < streamFrom && (rows === 1 || inner === 1)) sumOneByOne(to, x, runs);
  else if (floats && to.length === 1) to[0] = total(floats);
  else if (floats && inner >= 4) sumRowsByKernel(to, floats, runs);
  else if (floats && inner === 1 && rows * kept >= streamFrom) sumColumnsByKernel(to, floats, runs);
  else sumInOrder(to, x, runs);
  return out;
}

/** Each sum by itself, so that no memory is needed to keep several. */
function sumOneByOne(to: TypedArray, x: Tensor, [outer, rows, kept, inner]: Runs): void {
  const data = dataOf(x);
  const { offset } = x;
  for (let o = 0, p = offset; o < outer; o++, p += rows * kept * inner)
    for (let k = 0; k < kept; k++)
      to[o * kept + k] = rows === 1 ? sumFrom(data, p + k * inner, inner, 1) : sumFrom(data, p + k, rows, kept);
}

function sumRowsByKernel(to: TypedArray, floats: Float32Array, [outer, rows, kept, inner]: Runs): void {
  const sums = rowSums(floats, outer * rows * kept, inner);
  const all = rows === 1 ? sums : new Float64Array(outer * kept);
  if (rows > 1)
    for (let o = 0, i = 0; o < outer; o++)
      for (let r = 0; r < rows; r++) for (let k = 0; k < kept; k++) all[o * kept + k]! += sums[i++]!;
  for (let i = 0; i < to.length; i++) to[i] = all[i]!;
}

function sumColumnsByKernel(to: TypedArray, floats: Float32Array, [outer, rows, kept]: Runs): void {
  for (let o = 0, size = rows * kept; o < outer; o++) {
    const sums = columnSums(floats.subarray(o * size, (o + 1) * size), rows, kept);
    for (let k = 0; k < kept; k++) to[o * kept + k] = sums[k]!;
  }
}

/** All elements as they lie in memory, each added to the sum that it belongs to. */
function sumInOrder(to: TypedArray, x: Tensor, [outer, rows, kept, inner]: Runs): void {
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

/** The largest or the smallest elements over the reduced dimensions; NaN counts as either. */
export function extremaOver(which: 'max' | 'min', x: Tensor, plan: Plan): Tensor {
  const found = reducedRows(x, plan);
  if (found) {
    const out = Tensor.unwritten('float32', plan.shape);
    rowExtrema(which, dataOf(out) as Float32Array, found.data, found.rows, found.n);
    return out;
  }
  if (x.dtype === 'int64') return exactExtrema(which, x, plan);
  return extremaOfColumns(which, x, plan)?.values ?? reduceWith(x, plan, x.dtype, which === 'max' ? maxOf : minOf);
}

/** `extremaOver` for int64: the elements themselves, found by where they stand. */
function exactExtrema(which: 'max' | 'min', x: Tensor, plan: Plan): Tensor {
  const data = x.bits() as BigInt64Array;
  const [starts, offsets] = offsetsOf(contiguousLike(x), plan.dims);
  const places = dataOf(placesOver(which, x, plan));
  return Tensor.of(
    BigInt64Array.from(starts, (start, i) => data[start + offsets[places[i]!]!]!),
    'int64',
    plan.shape,
  );
}

const contiguousLike = (x: Tensor): Tensor => new Tensor(x.storage, x.dtype, x.shape);

/** Where along the reduced dimensions the first of those stand. */
export function placesOver(which: 'max' | 'min', x: Tensor, plan: Plan): Tensor {
  if (x.dtype === 'int64') {
    const [starts, offsets] = offsetsOf(contiguousLike(x), plan.dims);
    const data = x.bits() as BigInt64Array;
    const better = (a: bigint, b: bigint) => (which === 'max' ? a > b : a < b);
    return Tensor.of(
      Int32Array.from(starts, (start) => {
        let at = 0;
        for (let j = 1; j < offsets.length; j++)
          if (better(data[start + offsets[j]!]!, data[start + offsets[at]!]!)) at = j;
        return at;
      }),
      'int32',
      plan.shape,
    );
  }
  const found = reducedRows(x, plan);
  if (found) {
    const out = Tensor.unwritten('int32', plan.shape);
    rowPlaces(which, dataOf(out) as Int32Array, found.data, found.rows, found.n);
    return out;
  }
  return (
    extremaOfColumns(which, x, plan)?.places ?? reduceWith(x, plan, 'int32', which === 'max' ? argmaxOf : argminOf)
  );
}

/** More than that is not copied into kernel memory for a block's columns. */
const mostInBlock = 2 ** 22;

/** The extrema of columns of float32 and where they stand; null where it is not those that are reduced. */
function extremaOfColumns(which: 'max' | 'min', x: Tensor, plan: Plan): { values: Tensor; places: Tensor } | null {
  const runs = runsOf(x, plan);
  const floats = manyFloats(x);
  if (!floats || runs?.[3] !== 1 || runs[1] * runs[2] > mostInBlock) return null;
  const [values, places] = [Tensor.unwritten('float32', plan.shape), Tensor.unwritten('int32', plan.shape)];
  const [toValues, toPlaces] = [dataOf(values) as Float32Array, dataOf(places) as Int32Array];
  columnExtrema(which, toValues, toPlaces, floats, runs[0], runs[1], runs[2]);
  return { values, places };
}

type Reducer = (data: ArrayLike<number>, start: number, offsets: Int32Array) => number;

// Sums are taken in float64, so float32 results are as good as they can be.
const sumOf: Reducer = (data, start, offsets) => {
  let sum = 0;
  for (let j = 0; j < offsets.length; j++) sum += data[start + offsets[j]!]!;
  return sum;
};

export const productOf: Reducer = (data, start, offsets) => {
  let product = 1;
  for (let j = 0; j < offsets.length; j++) product *= data[start + offsets[j]!]!;
  return product;
};

/** The sum of squares around the mean. */
export const squaresAroundMean: Reducer = (data, start, offsets) => {
  const mean = sumOf(data, start, offsets) / offsets.length;
  let sum = 0;
  for (let j = 0; j < offsets.length; j++) sum += (data[start + offsets[j]!]! - mean) ** 2;
  return sum;
};

export const lengthOf: Reducer = (data, start, offsets) => {
  let sum = 0;
  for (let j = 0; j < offsets.length; j++) sum += data[start + offsets[j]!]! ** 2;
  return Math.sqrt(sum);
};

export const powerNormOf =
  (p: number): Reducer =>
  (data, start, offsets) => {
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

export const anyOf: Reducer = (data, start, offsets) => {
  for (let j = 0; j < offsets.length; j++) if (data[start + offsets[j]!] !== 0) return 1;
  return 0;
};

export const allOf: Reducer = (data, start, offsets) => {
  for (let j = 0; j < offsets.length; j++) if (data[start + offsets[j]!] === 0) return 0;
  return 1;
};
