import type { TypedArray } from '../../memory/dtype.js';
import { sizeOf } from '../../memory/shape.js';
import type { View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';
import { offsetsOf, type Runs, runsOf } from './reduce.js';
import { closeWindows } from './storage.js';

/** `Kernels.variance` for any dtype. */
export function variance(
  x: View,
  dims: readonly number[],
  correction: number,
  root: boolean,
  out: View,
  means: View,
): void {
  const count = sizeOf(dims.map((d) => x.shape[d]!));
  const means64 = new Float64Array(out.numel);
  const squares = new Float64Array(out.numel);
  const runs = runsOf(x, dims);
  if (runs === null) spreadsOf(x, dims, means64, squares);
  else {
    meansInOrder(x, runs, means64);
    squaresInOrder(x, runs, means64, squares);
  }
  writeVariances(squares, count - correction, root, out);
  dataOf(means).set(means64);
  closeWindows();
}

/** Variances from sums of squares. The root is taken in float64, as the variance may exceed float32. */
export function writeVariances(squares: Float64Array, freedom: number, root: boolean, out: View): void {
  const divisor = Math.max(0, freedom);
  const to = dataOf(out);
  for (let i = 0; i < to.length; i++) to[i] = root ? Math.sqrt(squares[i]! / divisor) : squares[i]! / divisor;
}

/** The means, and the sums of squares around them. */
function spreadsOf(x: View, dims: readonly number[], means: Float64Array, squares: Float64Array): void {
  const [starts, offsets] = offsetsOf(x, dims);
  const data = dataOf(x);
  for (let i = 0; i < means.length; i++) {
    const start = starts[i]!;
    let sum = 0;
    for (let j = 0; j < offsets.length; j++) sum += data[start + offsets[j]!]!;
    const mean = sum / offsets.length;
    let square = 0;
    for (let j = 0; j < offsets.length; j++) {
      const d = data[start + offsets[j]!]! - mean;
      square += d * d;
    }
    means[i] = mean;
    squares[i] = square;
  }
}

// Goes through all elements in their order in memory, and adds each to its sum.

function meansInOrder(x: View, [outer, rows, kept, inner]: Runs, means: Float64Array): void {
  const data = dataOf(x);
  for (let row = 0, p = x.offset; row < outer * rows; row++) {
    const at = Math.floor(row / rows) * kept;
    if (inner === 1) for (let k = at; k < at + kept; k++) means[k]! += data[p++]!;
    else
      for (let k = at; k < at + kept; k++) {
        let sum = 0;
        for (const end = p + inner; p < end; p++) sum += data[p]!;
        means[k]! += sum;
      }
  }
  for (let i = 0; i < means.length; i++) means[i]! /= rows * inner;
}

export function squaresInOrder(x: View, runs: Runs, means: Float64Array, squares: Float64Array): void {
  const [outer, rows, kept, inner] = runs;
  const data = dataOf(x);
  for (let o = 0, p = x.offset; o < outer; o++, p += rows * kept * inner) {
    if (inner === 1) squaresOfColumns(data, p, rows, kept, means, squares, o * kept);
    else
      for (let row = 0; row < rows * kept; row++) {
        const k = o * kept + (row % kept);
        squares[k]! += squaresFrom(data, p + row * inner, inner, 1, means[k]!);
      }
  }
}

/** The sum of squares around `mean` of `n` elements from `p` on, `step` apart. */
function squaresFrom(data: TypedArray, p: number, n: number, step: number, mean: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++, p += step) {
    const d = data[p]! - mean;
    sum += d * d;
  }
  return sum;
}

/** Four columns at a time, so that no sum waits for another. */
function squaresOfColumns(
  data: TypedArray,
  first: number,
  rows: number,
  kept: number,
  means: Float64Array,
  squares: Float64Array,
  at: number,
): void {
  let k = 0;
  for (; k + 4 <= kept; k += 4) {
    const i = at + k;
    const [m0, m1, m2, m3] = [means[i]!, means[i + 1]!, means[i + 2]!, means[i + 3]!];
    let [s0, s1, s2, s3] = [0, 0, 0, 0];
    for (let r = 0, p = first + k; r < rows; r++, p += kept) {
      const d0 = data[p]! - m0;
      const d1 = data[p + 1]! - m1;
      const d2 = data[p + 2]! - m2;
      const d3 = data[p + 3]! - m3;
      s0 += d0 * d0;
      s1 += d1 * d1;
      s2 += d2 * d2;
      s3 += d3 * d3;
    }
    squares[i] = s0;
    squares[i + 1] = s1;
    squares[i + 2] = s2;
    squares[i + 3] = s3;
  }
  for (; k < kept; k++) squares[at + k] = squaresFrom(data, first + k, rows, kept, means[at + k]!);
}

/** `Kernels.varianceGradient` for any dtype. */
export function varianceGradient(x: View, dims: readonly number[], means: View, scale: View, out: View): void {
  const data = dataOf(x);
  const [centers, scales, to] = [elementsOf(means), elementsOf(scale), dataOf(out)];
  const [starts, offsets] = offsetsOf(x, dims);
  const [startsTo, offsetsTo] = offsetsOf(out, dims);
  for (let i = 0; i < starts.length; i++) {
    const [from, result, center, factor] = [starts[i]!, startsTo[i]!, centers[i]!, scales[i]!];
    for (let j = 0; j < offsets.length; j++) to[result + offsetsTo[j]!] = (data[from + offsets[j]!]! - center) * factor;
  }
  closeWindows();
}
