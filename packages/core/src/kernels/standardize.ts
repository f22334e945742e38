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
  const count = outer * inner;
  const step = groups * inner;
  for (let group = 0; group < groups; group++) {
    let sum = 0;
    for (let o = 0, start = group * inner; o < outer; o++, start += step)
      for (let i = start; i < start + inner; i++) sum += x[i]!;
    const mean = sum / count;
    let squares = 0;
    for (let o = 0, start = group * inner; o < outer; o++, start += step)
      for (let i = start; i < start + inner; i++) {
        const d = x[i]! - mean;
        squares += d * d;
      }
    const variance = squares / count;
    const scale = 1 / Math.sqrt(variance + eps);
    for (let o = 0, start = group * inner; o < outer; o++, start += step)
      for (let i = start; i < start + inner; i++) y[i] = (x[i]! - mean) * scale;
    means[group] = mean;
    variances[group] = variance;
  }
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
  const count = outer * inner;
  const step = groups * inner;
  for (let group = 0; group < groups; group++) {
    let sum = 0;
    let products = 0;
    for (let o = 0, start = group * inner; o < outer; o++, start += step)
      for (let i = start; i < start + inner; i++) {
        sum += g[i]!;
        products += g[i]! * y[i]!;
      }
    const scale = 1 / Math.sqrt(variances[group]! + eps);
    const mean = sum / count;
    const slope = products / count;
    for (let o = 0, start = group * inner; o < outer; o++, start += step)
      for (let i = start; i < start + inner; i++) out[i] = (g[i]! - mean - y[i]! * slope) * scale;
  }
}
