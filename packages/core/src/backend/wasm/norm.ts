import { sizeOf } from '../../memory/shape.js';
import { type Channels, type Groups, groupsOf, sumChannels } from '../channels.js';
import { elementsOf } from '../host/data.js';
import * as host from '../host/norm.js';
import type { View } from '../kernels.js';
import { arrayOf, floatsOf, isFloat32, kernelFrom } from './floats.js';
import { checkLength } from './memory.js';
import { withFloats } from './residency.js';
import { centeredSquares, rowMoments } from './rowReductions.js';
import { asFloats, inRows, type Rows } from './rows.js';

/** Shorter rows are faster in JavaScript. */
const rowFrom = 4;

const accepts = (x: View, n: number, ...others: (View | null)[]): boolean =>
  isFloat32(x) && n >= rowFrom && x.numel >= kernelFrom && others.every((view) => view === null || isFloat32(view));

/** A weight for each element of a row (ones by default), and the biases (zeros by default). */
function floatsFor(given: View | null, n: number, otherwise: number): Float32Array {
  const floats = given ? floatsOf(given) : new Float32Array(n).fill(otherwise);
  checkLength('layerNorm', floats, n);
  return floats;
}
const weightsOf = (weight: View | null, n: number): Float32Array => floatsFor(weight, n, 1);
const biasesOf = (bias: View | null, n: number): Float32Array => floatsFor(bias, n, 0);

/** `Kernels.normRows` for float32. */
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
  const rows = means.numel;
  const n = x.numel / rows;
  if (!accepts(x, n, weight, bias)) {
    host.normRows(x, weight, bias, eps, isCentered, out, means, scales);
    return;
  }
  const results: Rows[] = [
    [arrayOf(out), n],
    [arrayOf(means), 1],
    [arrayOf(scales), 1],
  ];
  if (isCentered && !weight && !bias) {
    inRows('layerNorm', rows, [[floatsOf(x), n]], results, ({ standardize }, count, [from, result, m, s]) => {
      standardize(result!, m!, s!, from!, count, n, eps);
    });
    return;
  }
  const inputs: Rows[] = [
    [floatsOf(x), n],
    [weightsOf(weight, n), 0],
    [biasesOf(bias, n), 0],
  ];
  inRows('layerNorm', rows, inputs, results, ({ normalizeRows }, count, [from, w, b, result, m, s]) => {
    normalizeRows(result!, m!, s!, from!, w!, b!, count, n, eps, isCentered);
  });
}

/** The gradients of weight and bias are summed in float32 over so many rows at a time, and their sums in float64. */
const blockHeight = 32;

/** `Kernels.normRowsGradient` for float32. */
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
  const rows = means.numel;
  const n = x.numel / rows;
  if (!accepts(x, n, g, weight)) {
    host.normRowsGradient(g, x, weight, means, scales, isCentered, out, ofWeight, ofBias);
    return;
  }
  const [gradient, from, to, m, s] = [floatsOf(g), floatsOf(x), arrayOf(out), floatsOf(means), floatsOf(scales)];
  if (isCentered && !weight && !ofBias) {
    const inputs: Rows[] = [[gradient, n], [from, n], ...single(m, s)];
    inRows('layerNorm', rows, inputs, [[to, n]], ({ standardizeGradient }, count, [atG, atX, m, s, result]) => {
      standardizeGradient(result!, atG!, atX!, m!, s!, count, n);
    });
    return;
  }
  const [weights, biases] = [new Float64Array(n), new Float64Array(n)];
  const w = weightsOf(weight, n);
  const asked = ofWeight !== null || ofBias !== null;
  for (let done = 0; done < rows; ) {
    const height = Math.min(blockHeight, rows - done, Math.max(1, Math.floor(8192 / n)));
    const blocks = Math.floor((rows - done) / height);
    const end = done + blocks * height;
    const part = (a: Float32Array, width: number): Rows => [a.subarray(done * width, end * width), height * width];
    const inputs: Rows[] = [part(gradient, n), part(from, n), part(m, 1), part(s, 1), [w, 0]];
    withFloats(blocks * 2 * n, to, (partial) => {
      const results: Rows[] = [part(to, n), [partial, 2 * n]];
      inRows('layerNorm', blocks, inputs, results, (kernels, count, [atG, atX, m, s, atW, result, atSums]) => {
        kernels.normalizeRowsGradient(result!, atSums!, atG!, atX!, m!, s!, atW!, count, height, n, isCentered);
      });
      for (let b = 0, i = 0; asked && b < blocks; b++) {
        for (let k = 0; k < n; k++) weights[k]! += partial[i++]!;
        for (let k = 0; k < n; k++) biases[k]! += partial[i++]!;
      }
    });
    done = end;
  }
  if (ofWeight) arrayOf(ofWeight).set(weights);
  if (ofBias) arrayOf(ofBias).set(biases);
}

/** `Kernels.normChannels` for float32. */
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
  const { channels, inner } = layout;
  if (!accepts(x, inner, weight, bias)) {
    host.normChannels(x, weight, bias, layout, eps, out, means, variances);
    return;
  }
  const from = floatsOf(x);
  const groups = groupsOf(layout);
  const { of } = groups;
  const { mean, variance } = statisticsOf(from, groups, inner);
  const [w, b] = [weight && floatsOf(weight), bias && floatsOf(bias)];
  const scale = variance.map((v) => 1 / Math.sqrt(v + eps));
  const rows = of.length;
  const [shifts, scales, added] = [new Float32Array(rows), new Float32Array(rows), new Float32Array(rows)];
  for (let r = 0; r < rows; r++) {
    shifts[r] = mean[of[r]!]!;
    scales[r] = scale[of[r]!]! * (w ? w[r % channels]! : 1);
    added[r] = b ? b[r % channels]! : 0;
  }
  shiftRows(arrayOf(out), from, shifts, scales, added, inner);
  arrayOf(means).set(mean);
  arrayOf(variances).set(variance);
}

/** The mean and the (biased) variance of each group of rows of `n`. */
function statisticsOf(
  x: Float32Array,
  { count: groups, of }: Groups,
  n: number,
): { mean: Float64Array; variance: Float64Array } {
  const rows = of.length;
  const count = (rows / groups) * n;
  const [mean, variance, squares] = [new Float64Array(groups), new Float64Array(groups), new Float64Array(groups)];
  const moments = rowMoments(x, rows, n);
  for (let r = 0; r < rows; r++) {
    mean[of[r]!]! += moments[2 * r]! / count;
    squares[of[r]!]! += moments[2 * r + 1]! / count;
  }
  let cancels = false;
  for (let g = 0; g < groups; g++) {
    variance[g] = squares[g]! - mean[g]! * mean[g]!;
    cancels ||= !(variance[g]! > 1e-6 * squares[g]!);
  }
  if (!cancels) return { mean, variance };
  // The mean is so large beside the variance that the squares have to be taken around it.
  variance.fill(0);
  const means = Float64Array.from(of, (g) => mean[g]!);
  const around = centeredSquares(x, means, rows, n);
  for (let r = 0; r < rows; r++) variance[of[r]!]! += around[r]! / count;
  return { mean, variance };
}

/** `(x - mean) scale + shift` for each row of `n`; each row has its own mean, scale and shift. */
export function shiftRows(
  to: Float32Array,
  x: Float32Array,
  means: Float32Array,
  scales: Float32Array,
  shifts: Float32Array,
  n: number,
): void {
  const inputs: Rows[] = [[x, n], ...single(means, scales, shifts)];
  inRows('batchNorm', means.length, inputs, [[to, n]], ({ shiftRows }, count, [from, m, s, b, result]) => {
    shiftRows(result!, from!, m!, s!, b!, count, n);
  });
}

const single = (...arrays: Float32Array[]): Rows[] => arrays.map((a) => [a, 1]);

/** `Kernels.scaleChannels` for float32. */
export function scaleChannels(x: View, scale: View, shift: View, out: View): void {
  const inner = sizeOf(x.shape.slice(2));
  if (!accepts(x, inner, scale, shift)) {
    host.scaleChannels(x, scale, shift, out);
    return;
  }
  const from = floatsOf(x);
  const rows = from.length / inner;
  const perRow = (values: Float32Array) => Float32Array.from({ length: rows }, (_, r) => values[r % values.length]!);
  const [scales, shifts] = [perRow(floatsOf(scale)), perRow(floatsOf(shift))];
  shiftRows(arrayOf(out), from, new Float32Array(rows), scales, shifts, inner);
}

/** `Kernels.normChannelsGradient` for float32. */
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
  const { channels, inner } = layout;
  if (!accepts(x, inner, g, weight)) {
    host.normChannelsGradient(g, x, weight, means, variances, layout, eps, out, ofWeight, ofBias);
    return;
  }
  const scales = Float64Array.from(elementsOf(variances), (variance) => 1 / Math.sqrt(variance + eps));
  const [gradient, from, w, mean] = [floatsOf(g), floatsOf(x), weight && floatsOf(weight), floatsOf(means)];
  const groups = groupsOf(layout);
  const { of } = groups;
  const rows = of.length;
  const count = (rows / groups.count) * inner;
  const m = Float32Array.from(of, (group) => mean[group]!);
  const products = new Float64Array(rows * 2);
  const inputs: Rows[] = [[gradient, inner], [from, inner], ...single(m)];
  inRows('batchNorm', rows, inputs, [[asFloats(products), 4]], ({ rowProducts }, some, [atG, atX, atM, result]) => {
    rowProducts(result!, atG!, atX!, atM!, some, inner);
  });
  const { totals, slopes, weights, biases } = sumChannels(products, groups, channels, w, scales);
  const [p, q, b] = [new Float32Array(rows), new Float32Array(rows), new Float32Array(rows)];
  for (let r = 0; r < rows; r++) {
    const group = of[r]!;
    const scale = scales[group]!;
    p[r] = scale * (w ? w[r % channels]! : 1);
    q[r] = (-(scale ** 3) * slopes[group]!) / count;
    b[r] = (-scale * totals[group]!) / count;
  }
  const all: Rows[] = [[gradient, inner], [from, inner], ...single(m, p, q, b)];
  inRows(
    'batchNorm',
    rows,
    all,
    [[arrayOf(out), inner]],
    ({ shiftRowsGradient }, some, [atG, atX, m, p, q, b, result]) => {
      shiftRowsGradient(result!, atG!, atX!, m!, p!, q!, b!, some, inner);
    },
  );
  if (ofWeight) arrayOf(ofWeight).set(weights);
  if (ofBias) arrayOf(ofBias).set(biases);
}
