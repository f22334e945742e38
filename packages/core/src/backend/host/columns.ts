import type { TypedArray } from '../../memory/dtype.js';

// Normalization of `[batch, channels]`, without inner loops: a loop over the one element of each channel would cost
// more than its body. Sums are taken in float64.

/** Sums for `n` channels, 0 at first. */
export const zeros = (n: number): Float64Array => new Float64Array(n);

/** `(x - mean) / sqrt(var + eps) * weight + bias` for each column, with its mean and variance. */
export function normColumns(
  to: TypedArray,
  x: TypedArray,
  weight: TypedArray | null,
  bias: TypedArray | null,
  channels: number,
  eps: number,
): { mean: Float64Array; variance: Float64Array } {
  const rows = x.length / channels;
  const [mean, variance, scale, shift] = [zeros(channels), zeros(channels), zeros(channels), zeros(channels)];
  for (let r = 0, p = 0; r < rows; r++) for (let k = 0; k < channels; k++) mean[k]! += x[p++]!;
  for (let k = 0; k < channels; k++) mean[k]! /= rows;
  for (let r = 0, p = 0; r < rows; r++)
    for (let k = 0; k < channels; k++) {
      const d = x[p++]! - mean[k]!;
      variance[k]! += d * d;
    }
  for (let k = 0; k < channels; k++) {
    variance[k]! /= rows;
    scale[k] = (weight === null ? 1 : weight[k]!) / Math.sqrt(variance[k]! + eps);
    if (bias !== null) shift[k] = bias[k]!;
  }
  for (let r = 0, p = 0; r < rows; r++)
    for (let k = 0; k < channels; k++, p++) to[p] = (x[p]! - mean[k]!) * scale[k]! + shift[k]!;
  return { mean, variance };
}

/** The gradients of `normColumns` for `x`, weight and bias. */
export function normColumnsGradient(
  to: TypedArray,
  g: TypedArray,
  x: TypedArray,
  weight: TypedArray | null,
  means: TypedArray,
  scales: Float64Array,
): { weights: Float64Array; biases: Float64Array } {
  const channels = scales.length;
  const rows = x.length / channels;
  const mean = Float64Array.from(means);
  const [weights, biases, factor, slope, total] = [1, 2, 3, 4, 5].map(() => zeros(channels)) as Float64Array[];
  for (let r = 0, p = 0; r < rows; r++)
    for (let k = 0; k < channels; k++, p++) {
      biases![k]! += g[p]!;
      weights![k]! += g[p]! * (x[p]! - mean[k]!);
    }
  for (let k = 0; k < channels; k++) {
    const scale = scales[k]!;
    weights![k]! *= scale;
    factor![k] = weight === null ? scale : scale * weight[k]!;
    total![k] = biases![k]! / rows;
    slope![k] = (weights![k]! * scale) / rows;
  }
  for (let r = 0, p = 0; r < rows; r++)
    for (let k = 0; k < channels; k++, p++)
      to[p] = (g[p]! - total![k]! - (x[p]! - mean[k]!) * slope![k]!) * factor![k]!;
  return { weights: weights!, biases: biases! };
}
