import type { TypedArray } from '../tensor/dtype.js';
import { standardizeGradientRows, standardizeRows } from './stream.js';

/** Elements in row-major order seen as `[outer, groups, inner]`: each group has `outer * inner` of them. */
export interface Layout {
  readonly outer: number;
  readonly groups: number;
  readonly inner: number;
}

/**
 * `y = (x - mean) / sqrt(var + eps)` for each group, with the mean and the (biased) variance in `means` and `variances`.
 * Statistics are taken in float64, the variance from the centred values.
 */
export function standardize(
  x: TypedArray,
  { outer, groups, inner }: Layout,
  eps: number,
  y: TypedArray,
  means: TypedArray,
  variances: TypedArray,
): void {
  if (outer === 1 && inner >= 8 && x instanceof Float32Array) {
    standardizeRows(y as Float32Array, x, groups, inner, eps, means as Float32Array, variances as Float32Array);
    return;
  }
  if (inner === 1) {
    standardizeColumns(x, outer, groups, eps, y, means, variances);
    return;
  }
  const count = outer * inner;
  // Element after element, whatever group they belong to.
  const [mean, variance, scale] = [new Float64Array(groups), new Float64Array(groups), new Float64Array(groups)];
  for (let o = 0, p = 0; o < outer; o++)
    for (let k = 0; k < groups; k++) for (let i = 0; i < inner; i++) mean[k]! += x[p++]!;
  for (let k = 0; k < groups; k++) mean[k]! /= count;
  for (let o = 0, p = 0; o < outer; o++)
    for (let k = 0; k < groups; k++)
      for (let i = 0; i < inner; i++) {
        const d = x[p++]! - mean[k]!;
        variance[k]! += d * d;
      }
  for (let k = 0; k < groups; k++) {
    variance[k]! /= count;
    scale[k] = 1 / Math.sqrt(variance[k]! + eps);
  }
  for (let o = 0, p = 0; o < outer; o++)
    for (let k = 0; k < groups; k++) for (let i = 0; i < inner; i++, p++) y[p] = (x[p]! - mean[k]!) * scale[k]!;
  means.set(mean);
  variances.set(variance);
}

/** The gradient of `standardize` for `x`: `(g - mean(g) - y mean(g y)) / sqrt(var + eps)`. */
export function standardizeGradient(
  g: TypedArray,
  y: TypedArray,
  variances: TypedArray,
  { outer, groups, inner }: Layout,
  eps: number,
  out: TypedArray,
): void {
  if (outer === 1 && inner >= 8 && g instanceof Float32Array && y instanceof Float32Array) {
    standardizeGradientRows(out as Float32Array, g, y, groups, inner, eps, variances as Float32Array);
    return;
  }
  if (inner === 1) {
    standardizeColumnsGradient(g, y, variances, outer, groups, eps, out);
    return;
  }
  const count = outer * inner;
  const [mean, slope, scale] = [new Float64Array(groups), new Float64Array(groups), new Float64Array(groups)];
  for (let o = 0, p = 0; o < outer; o++)
    for (let k = 0; k < groups; k++)
      for (let i = 0; i < inner; i++, p++) {
        mean[k]! += g[p]!;
        slope[k]! += g[p]! * y[p]!;
      }
  for (let k = 0; k < groups; k++) {
    mean[k]! /= count;
    slope[k]! /= count;
    scale[k] = 1 / Math.sqrt(variances[k]! + eps);
  }
  for (let o = 0, p = 0; o < outer; o++)
    for (let k = 0; k < groups; k++)
      for (let i = 0; i < inner; i++, p++) out[p] = (g[p]! - mean[k]! - y[p]! * slope[k]!) * scale[k]!;
}

/** `standardize` of columns: loops over one element in each group would cost more than what they do. */
function standardizeColumns(
  x: TypedArray,
  rows: number,
  n: number,
  eps: number,
  y: TypedArray,
  means: TypedArray,
  variances: TypedArray,
): void {
  const [mean, variance, scale] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  for (let r = 0, p = 0; r < rows; r++) for (let k = 0; k < n; k++) mean[k]! += x[p++]!;
  for (let k = 0; k < n; k++) mean[k]! /= rows;
  for (let r = 0, p = 0; r < rows; r++)
    for (let k = 0; k < n; k++) {
      const d = x[p++]! - mean[k]!;
      variance[k]! += d * d;
    }
  for (let k = 0; k < n; k++) {
    variance[k]! /= rows;
    scale[k] = 1 / Math.sqrt(variance[k]! + eps);
  }
  for (let r = 0, p = 0; r < rows; r++) for (let k = 0; k < n; k++, p++) y[p] = (x[p]! - mean[k]!) * scale[k]!;
  means.set(mean);
  variances.set(variance);
}

function standardizeColumnsGradient(
  g: TypedArray,
  y: TypedArray,
  variances: TypedArray,
  rows: number,
  n: number,
  eps: number,
  out: TypedArray,
): void {
  const [mean, slope, scale] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  for (let r = 0, p = 0; r < rows; r++)
    for (let k = 0; k < n; k++, p++) {
      mean[k]! += g[p]!;
      slope[k]! += g[p]! * y[p]!;
    }
  for (let k = 0; k < n; k++) {
    mean[k]! /= rows;
    slope[k]! /= rows;
    scale[k] = 1 / Math.sqrt(variances[k]! + eps);
  }
  for (let r = 0, p = 0; r < rows; r++)
    for (let k = 0; k < n; k++, p++) out[p] = (g[p]! - mean[k]! - y[p]! * slope[k]!) * scale[k]!;
}
