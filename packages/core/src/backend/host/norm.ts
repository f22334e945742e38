import type { TypedArray } from '../../memory/dtype.js';
import { sizeOf } from '../../memory/shape.js';
import { type Channels, groupsOf, sumChannels } from '../channels.js';
import type { View } from '../kernels.js';
import { normColumns, normColumnsGradient, zeros } from './columns.js';
import { dataOf, elementsOf } from './data.js';

// Sums are taken in float64, and squares around the mean.

const elementsIf = (view: View | null): TypedArray | null => view && elementsOf(view);

/** `Kernels.normRows` for any dtype. */
export function normRows(
  x: View,
  weight: View | null,
  bias: View | null,
  eps: number,
  isCentered: boolean,
  out: View,
  means: View,
  scales: View,
): void {
  const [from, to, m, s] = [elementsOf(x), dataOf(out), dataOf(means), dataOf(scales)];
  const [w, b] = [elementsIf(weight), elementsIf(bias)];
  const n = from.length / m.length;
  for (let r = 0, start = 0; r < m.length; r++, start += n) {
    const end = start + n;
    let mean = 0;
    if (isCentered) {
      for (let p = start; p < end; p++) mean += from[p]!;
      mean /= n;
    }
    let squares = 0;
    for (let p = start; p < end; p++) {
      const d = from[p]! - mean;
      squares += d * d;
    }
    const scale = 1 / Math.sqrt(squares / n + eps);
    for (let i = 0, p = start; i < n; i++, p++) {
      const y = (from[p]! - mean) * scale;
      to[p] = (w === null ? y : y * w[i]!) + (b === null ? 0 : b[i]!);
    }
    m[r] = mean;
    s[r] = scale;
  }
}

/** `Kernels.normRowsGradient` for any dtype. */
export function normRowsGradient(
  g: View,
  x: View,
  weight: View | null,
  means: View,
  scales: View,
  isCentered: boolean,
  out: View,
  ofWeight: View | null,
  ofBias: View | null,
): void {
  const [gradient, from, to, m, s] = [elementsOf(g), elementsOf(x), dataOf(out), elementsOf(means), elementsOf(scales)];
  const w = elementsIf(weight);
  const n = from.length / m.length;
  const sums = ofWeight ?? ofBias;
  const [weights, biases] = [zeros(sums ? sums.numel : 0), zeros(sums ? sums.numel : 0)];
  for (let r = 0, start = 0; r < m.length; r++, start += n) {
    const [mean, scale] = [m[r]!, s[r]!];
    let [total, slope] = [0, 0];
    for (let i = 0, p = start; i < n; i++, p++) {
      const h = w === null ? gradient[p]! : gradient[p]! * w[i]!;
      total += h;
      slope += h * (from[p]! - mean) * scale;
    }
    total = isCentered ? total / n : 0;
    slope /= n;
    for (let i = 0, p = start; i < n; i++, p++) {
      const y = (from[p]! - mean) * scale;
      to[p] = ((w === null ? gradient[p]! : gradient[p]! * w[i]!) - total - y * slope) * scale;
    }
    for (let i = 0, p = start; i < weights.length; i++, p++) {
      weights[i]! += gradient[p]! * (from[p]! - mean) * scale;
      biases[i]! += gradient[p]!;
    }
  }
  if (ofWeight) dataOf(ofWeight).set(weights);
  if (ofBias) dataOf(ofBias).set(biases);
}

/** `Kernels.normChannels` for any dtype. */
export function normChannels(
  x: View,
  weight: View | null,
  bias: View | null,
  layout: Channels,
  eps: number,
  out: View,
  means: View,
  variances: View,
): void {
  const { channels, inner, together } = layout;
  const [from, to, w, b] = [elementsOf(x), dataOf(out), elementsIf(weight), elementsIf(bias)];
  if (inner === 1 && together === 0) {
    const found = normColumns(to, from, w, b, channels, eps);
    dataOf(means).set(found.mean);
    dataOf(variances).set(found.variance);
    return;
  }
  const { count: groups, of } = groupsOf(layout);
  const [mean, variance, scale] = [zeros(groups), zeros(groups), zeros(groups)];
  const count = from.length / groups;
  for (let r = 0, p = 0; r < of.length; r++) {
    const group = of[r]!;
    for (const end = p + inner; p < end; p++) mean[group]! += from[p]!;
  }
  for (let k = 0; k < groups; k++) mean[k]! /= count;
  for (let r = 0, p = 0; r < of.length; r++) {
    const group = of[r]!;
    for (const end = p + inner; p < end; p++) {
      const d = from[p]! - mean[group]!;
      variance[group]! += d * d;
    }
  }
  for (let k = 0; k < groups; k++) {
    variance[k]! /= count;
    scale[k] = 1 / Math.sqrt(variance[k]! + eps);
  }
  for (let r = 0, c = 0, p = 0; r < of.length; r++, c = c + 1 === channels ? 0 : c + 1) {
    const group = of[r]!;
    const [average, factor, shift] = [mean[group]!, scale[group]! * (w === null ? 1 : w[c]!), b === null ? 0 : b[c]!];
    for (const end = p + inner; p < end; p++) to[p] = (from[p]! - average) * factor + shift;
  }
  dataOf(means).set(mean);
  dataOf(variances).set(variance);
}

/** `Kernels.normChannelsGradient` for any dtype. */
export function normChannelsGradient(
  g: View,
  x: View,
  weight: View | null,
  means: View,
  variances: View,
  layout: Channels,
  eps: number,
  out: View,
  ofWeight: View | null,
  ofBias: View | null,
): void {
  const { channels, inner, together } = layout;
  const [gradient, from, to, w, m] = [elementsOf(g), elementsOf(x), dataOf(out), elementsIf(weight), elementsOf(means)];
  const scales = Float64Array.from(elementsOf(variances), (variance) => 1 / Math.sqrt(variance + eps));
  if (inner === 1 && together === 0) {
    const sums = normColumnsGradient(to, gradient, from, w, m, scales);
    if (ofWeight) dataOf(ofWeight).set(sums.weights);
    if (ofBias) dataOf(ofBias).set(sums.biases);
    return;
  }
  const groups = groupsOf(layout);
  const { of } = groups;
  const count = from.length / groups.count;
  const products = zeros(2 * of.length);
  for (let r = 0, p = 0; r < of.length; r++) {
    const mean = m[of[r]!]!;
    let [total, product] = [0, 0];
    for (const end = p + inner; p < end; p++) {
      total += gradient[p]!;
      product += gradient[p]! * (from[p]! - mean);
    }
    products[2 * r] = total;
    products[2 * r + 1] = product;
  }
  const { totals, slopes, weights, biases } = sumChannels(products, groups, channels, w, scales);
  for (let r = 0, c = 0, p = 0; r < of.length; r++, c = c + 1 === channels ? 0 : c + 1) {
    const group = of[r]!;
    const [mean, scale] = [m[group]!, scales[group]!];
    const [factor, total] = [w === null ? scale : scale * w[c]!, (scale * totals[group]!) / count];
    const slope = (scale ** 3 * slopes[group]!) / count;
    for (const end = p + inner; p < end; p++) to[p] = gradient[p]! * factor - total - (from[p]! - mean) * slope;
  }
  if (ofWeight) dataOf(ofWeight).set(weights);
  if (ofBias) dataOf(ofBias).set(biases);
}

/** `Kernels.scaleChannels` for any dtype. */
export function scaleChannels(x: View, scale: View, shift: View, out: View): void {
  const [from, to, scales, shifts] = [elementsOf(x), dataOf(out), elementsOf(scale), elementsOf(shift)];
  const channels = scales.length;
  const inner = sizeOf(x.shape.slice(2));
  for (let c = 0, p = 0; p < to.length; c = c + 1 === channels ? 0 : c + 1) {
    const [factor, added] = [scales[c]!, shifts[c]!];
    for (const end = p + inner; p < end; p++) to[p] = from[p]! * factor + added;
  }
}
