import type { TypedArray } from '../../tensor/dtype.js';
import { sizeOf } from '../../tensor/shape.js';
import type { View } from '../backend.js';
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
  const sums = new Float64Array(out.numel);
  const squares = new Float64Array(out.numel);
  const runs = runsOf(x, dims);
  if (runs === null) spreadsOf(x, dims, sums, squares);
  else spreadsInOrder(x, runs, sums, squares);
  writeVariances(squares, count - correction, root, out);
  dataOf(means).set(sums);
  closeWindows();
}

/** Of sums of squares. The root is that of the variance in float64, which may be beyond what float32 holds. */
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

/** The same of all elements as they lie in memory, each added to what it belongs to. */
function spreadsInOrder(x: View, [outer, rows, kept, inner]: Runs, means: Float64Array, squares: Float64Array): void {
  const data = dataOf(x);
  const size = rows * kept * inner;
  for (let o = 0, first = x.offset; o < outer; o++, first += size) {
    const [mean, square] = [means, squares].map((all) => all.subarray(o * kept, (o + 1) * kept)) as [
      Float64Array,
      Float64Array,
    ];
    addValues(mean, data, first, rows, inner);
    for (let k = 0; k < kept; k++) mean[k]! /= rows * inner;
    addSquares(square, mean, data, first, rows, inner);
  }
}

function addValues(sums: Float64Array, data: TypedArray, first: number, rows: number, inner: number): void {
  for (let r = 0, p = first; r < rows; r++)
    if (inner === 1) for (let k = 0; k < sums.length; k++) sums[k]! += data[p++]!;
    else
      for (let k = 0; k < sums.length; k++) {
        let sum = 0;
        for (const end = p + inner; p < end; p++) sum += data[p]!;
        sums[k]! += sum;
      }
}

function addSquares(
  sums: Float64Array,
  means: Float64Array,
  data: TypedArray,
  first: number,
  rows: number,
  inner: number,
): void {
  for (let r = 0, p = first; r < rows; r++)
    if (inner === 1)
      for (let k = 0; k < sums.length; k++) {
        const d = data[p++]! - means[k]!;
        sums[k]! += d * d;
      }
    else
      for (let k = 0; k < sums.length; k++) {
        const mean = means[k]!;
        let sum = 0;
        for (const end = p + inner; p < end; p++) {
          const d = data[p]! - mean;
          sum += d * d;
        }
        sums[k]! += sum;
      }
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
