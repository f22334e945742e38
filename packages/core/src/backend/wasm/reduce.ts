import type { TypedArray } from '../../memory/dtype.js';
import { dataOf } from '../host/data.js';
import * as host from '../host/reduce.js';
import { type Runs, runsOf } from '../host/reduce.js';
import * as hostVariance from '../host/variance.js';
import { squaresInOrder, writeVariances } from '../host/variance.js';
import type { Reduction, View } from '../kernels.js';
import { arrayOf, floatsOf, isFloat32, kernelFrom, largestBlock } from './floats.js';
import { shiftRows } from './norm.js';
import {
  columnExtrema,
  columnSums,
  rowArgExtrema,
  rowExtrema,
  rowMoments,
  rowSums,
  rowVariances,
  total,
} from './rowReductions.js';

/** `Kernels.reduce` for float32. */
export function reduce(which: Reduction, x: View, dims: readonly number[], out: View, power = 2): void {
  const runs = x.numel >= kernelFrom && isFloat32(x) ? runsOf(x, dims) : null;
  if (runs === null || !byKernel(which, x, runs, out, power)) host.reduce(which, x, dims, out, power);
}

/** Returns whether there is a kernel for it. */
function byKernel(which: Reduction, x: View, runs: Runs, out: View, power: number): boolean {
  switch (which) {
    case 'sum':
      return sum(x, runs, dataOf(out));
    case 'mean':
      return sum(x, runs, dataOf(out)) && divide(dataOf(out), x.numel / out.numel);
    case 'amax':
    case 'amin':
      return extrema(which === 'amax' ? 'max' : 'min', x, runs, arrayOf(out));
    case 'argmax':
    case 'argmin':
      return argExtrema(which === 'argmax' ? 'max' : 'min', x, runs, dataOf(out) as Int32Array);
    case 'norm':
      return power === 2 && isRows(runs) && lengths(x, runs, dataOf(out));
    default:
      return false;
  }
}

/** Whether the last dimensions, of more than one element, are reduced. */
const isRows = ([, rows, , inner]: Runs): boolean => rows === 1 && inner > 1;

function sum(x: View, runs: Runs, to: TypedArray): boolean {
  const [, rows, kept, inner] = runs;
  if (to.length === 1) to[0] = total(floatsOf(x));
  else if (inner >= 4) sumRows(to, floatsOf(x), runs);
  else if (inner === 1 && rows * kept >= kernelFrom) sumColumns(to, floatsOf(x), runs);
  else return false;
  return true;
}

function divide(to: TypedArray, count: number): true {
  for (let i = 0; i < to.length; i++) to[i] = to[i]! / count;
  return true;
}

function sumRows(to: TypedArray, floats: Float32Array, [outer, rows, kept, inner]: Runs): void {
  const sums = rowSums(floats, outer * rows * kept, inner);
  const all = rows === 1 ? sums : new Float64Array(outer * kept);
  if (rows > 1)
    for (let o = 0, i = 0; o < outer; o++)
      for (let r = 0; r < rows; r++) for (let k = 0; k < kept; k++) all[o * kept + k]! += sums[i++]!;
  for (let i = 0; i < to.length; i++) to[i] = all[i]!;
}

function sumColumns(to: TypedArray, floats: Float32Array, [outer, rows, kept]: Runs): void {
  for (let o = 0, size = rows * kept; o < outer; o++) {
    const sums = columnSums(floats.subarray(o * size, (o + 1) * size), rows, kept);
    for (let k = 0; k < kept; k++) to[o * kept + k] = sums[k]!;
  }
}

/** The 2-norms; squares are added in float64. */
function lengths(x: View, [outer, , kept, inner]: Runs, to: TypedArray): true {
  const moments = rowMoments(floatsOf(x), outer * kept, inner);
  for (let r = 0; r < to.length; r++) to[r] = Math.sqrt(moments[2 * r + 1]!);
  return true;
}

const isColumns = ([, rows, kept, inner]: Runs): boolean => inner === 1 && rows * kept <= largestBlock;

function extrema(which: 'max' | 'min', x: View, runs: Runs, to: Float32Array): boolean {
  const [outer, rows, kept, inner] = runs;
  if (isRows(runs)) rowExtrema(which, to, floatsOf(x), outer * kept, inner);
  else if (isColumns(runs)) columnExtrema(which, to, new Int32Array(to.length), floatsOf(x), outer, rows, kept);
  else return false;
  return true;
}

function argExtrema(which: 'max' | 'min', x: View, runs: Runs, to: Int32Array): boolean {
  const [outer, rows, kept, inner] = runs;
  if (isRows(runs)) rowArgExtrema(which, to, floatsOf(x), outer * kept, inner);
  else if (isColumns(runs)) columnExtrema(which, new Float32Array(to.length), to, floatsOf(x), outer, rows, kept);
  else return false;
  return true;
}

/** `Kernels.variance` for rows and columns of float32. */
export function variance(
  x: View,
  dims: readonly number[],
  correction: number,
  root: boolean,
  out: View,
  means: View,
): void {
  const runs = x.numel >= kernelFrom && isFloat32(x) ? runsOf(x, dims) : null;
  const found = runs && (isRows(runs) ? spreadsOfRows(x, runs) : isColumns(runs) ? spreadsOfColumns(x, runs) : null);
  if (found === null) hostVariance.variance(x, dims, correction, root, out, means);
  else {
    writeVariances(found.squares, x.numel / out.numel - correction, root, out);
    dataOf(means).set(found.means);
  }
}

/** The means, and the sums of squares around them. */
interface Spreads {
  readonly means: Float64Array;
  readonly squares: Float64Array;
}

const spreadsOfRows = (x: View, [outer, , kept, inner]: Runs): Spreads =>
  rowVariances(floatsOf(x), outer * kept, inner);

function spreadsOfColumns(x: View, runs: Runs): Spreads {
  const [outer, rows, kept] = runs;
  const [means, squares] = [new Float64Array(outer * kept), new Float64Array(outer * kept)];
  sumColumns(means, floatsOf(x), runs);
  for (let i = 0; i < means.length; i++) means[i]! /= rows;
  squaresInOrder(x, runs, means, squares);
  return { means, squares };
}

/** `Kernels.varianceGradient` for rows of float32. */
export function varianceGradient(x: View, dims: readonly number[], means: View, scale: View, out: View): void {
  const runs = x.numel >= kernelFrom && isFloat32(x) && isFloat32(scale) ? runsOf(x, dims) : null;
  if (runs === null || !isRows(runs)) {
    hostVariance.varianceGradient(x, dims, means, scale, out);
    return;
  }
  const [outer, , kept, inner] = runs;
  const shifts = new Float32Array(outer * kept);
  shiftRows(arrayOf(out), floatsOf(x), floatsOf(means), floatsOf(scale), shifts, inner);
}
