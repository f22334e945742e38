import type { DType, TypedArray } from '../tensor/dtype.js';
import { type Shape, stridedOffsets } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { streamFrom, streamSum } from './stream.js';

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
  const whole = dims.length === shape.length;
  return { dims, keepShape, shape: whole ? [] : shape.filter((_, i) => !dims.includes(i)), count };
}

/** Calls `visit(data, start, offsets, i)` for each result `i`: its elements are `data[start + offsets[j]]`. */
export function reduceWith(
  x: Tensor,
  { dims, shape }: Plan,
  dtype: DType,
  reduce: (data: ArrayLike<number>, start: number, offsets: Int32Array) => number,
): Tensor {
  const pick = (which: readonly number[]) => [which.map((i) => x.shape[i]!), which.map((i) => x.strides[i]!)] as const;
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const starts = stridedOffsets(...pick(kept), x.offset);
  const offsets = stridedOffsets(...pick([...dims].sort((a, b) => a - b)));
  const out = Tensor.empty(dtype, shape);
  const to = out.storage.data;
  for (let i = 0; i < to.length; i++) to[i] = reduce(x.storage.data, starts[i]!, offsets);
  return out;
}

/** The sums over the reduced dimensions. */
export const sumOver = (x: Tensor, plan: Plan, dtype: DType): Tensor =>
  sumRuns(x, plan, dtype) ?? reduceWith(x, plan, dtype, sumOf);

/**
 * Sums over the reduced dimensions of a row-major tensor that fall into at most two runs: it is seen as `[keep, reduce,
 * keep, reduce]`, and gone through in order. Null where there are more runs.
 */
function sumRuns(x: Tensor, { dims, shape }: Plan, dtype: DType): Tensor | null {
  if (!x.isContiguous) return null;
  const runs = [1, 1, 1, 1];
  let run = 0;
  for (let d = 0; d < x.ndim; d++) {
    if (x.shape[d] === 1) continue;
    const reduced = dims.includes(d);
    // Even runs are kept, odd ones reduced.
    if ((run % 2 === 1) !== reduced) run++;
    if (run > 3) return null;
    runs[run]! *= x.shape[d]!;
  }
  const kept = runs[2]!;
  // With nothing kept between them, both reduced runs are one.
  const [outer, rows, inner] = kept === 1 ? [runs[0]!, 1, runs[1]! * runs[3]!] : [runs[0]!, runs[1]!, runs[3]!];
  const out = Tensor.empty(dtype, shape);
  const to = out.storage.data;
  const data = x.storage.data;
  if (x.numel < streamFrom && (rows === 1 || inner === 1)) {
    // Each sum by itself, so that no memory is needed to keep several.
    for (let o = 0, p = x.offset; o < outer; o++, p += rows * kept * inner)
      for (let k = 0; k < kept; k++)
        to[o * kept + k] = rows === 1 ? sumFrom(data, p + k * inner, inner, 1) : sumFrom(data, p + k, rows, kept);
    return out;
  }
  const sums = new Float64Array(kept);
  const long = inner >= streamFrom && data instanceof Float32Array ? data : null;
  for (let o = 0, p = x.offset; o < outer; o++) {
    sums.fill(0);
    for (let r = 0; r < rows; r++)
      if (inner === 1) for (let k = 0; k < kept; k++) sums[k]! += data[p++]!;
      else
        for (let k = 0; k < kept; k++) {
          if (long !== null) {
            sums[k]! += streamSum(long, p, inner);
            p += inner;
            continue;
          }
          let sum = 0;
          for (const end = p + inner; p < end; p++) sum += data[p]!;
          sums[k]! += sum;
        }
    for (let k = 0; k < kept; k++) to[o * kept + k] = sums[k]!;
  }
  return out;
}

/** The sum of `n` elements from `p` on, `step` apart. float32 has a loop of its own: see `loops.ts`. */
function sumFrom(data: TypedArray, p: number, n: number, step: number): number {
  let sum = 0;
  if (data instanceof Float32Array) for (let i = 0; i < n; i++, p += step) sum += data[p]!;
  else for (let i = 0; i < n; i++, p += step) sum += data[p]!;
  return sum;
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

export const maxOf: Reducer = (data, start, offsets) => {
  let best = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < offsets.length; j++) {
    const v = data[start + offsets[j]!]!;
    if (v > best || Number.isNaN(v)) best = v;
    if (Number.isNaN(v)) break;
  }
  return best;
};

export const minOf: Reducer = (data, start, offsets) => {
  let best = Number.POSITIVE_INFINITY;
  for (let j = 0; j < offsets.length; j++) {
    const v = data[start + offsets[j]!]!;
    if (v < best || Number.isNaN(v)) best = v;
    if (Number.isNaN(v)) break;
  }
  return best;
};

/** The position of the first largest element; a NaN counts as the largest. */
export const argmaxOf: Reducer = (data, start, offsets) => {
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
export const argminOf: Reducer = (data, start, offsets) => {
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
