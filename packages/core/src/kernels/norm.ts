import { centeredSquares, rowMoments } from '../backend/wasm/rowReductions.js';
import { asFloats, inRows, type Rows } from './stream.js';

// Normalisation of float32 elements with weights and biases, and its gradients.

/** Rows of a normalisation, with what their gradients need. */
export interface RowStatistics {
  readonly means: Float32Array;
  /** `1 / sqrt(var + eps)` */
  readonly scales: Float32Array;
}

/** `(x - mean) scale weight + bias` of each row of `n`; without `center` the mean is taken as 0. */
export function normalizeRows(
  to: Float32Array,
  x: Float32Array,
  weight: Float32Array | null,
  bias: Float32Array | null,
  n: number,
  eps: number,
  center: boolean,
): RowStatistics {
  const rows = x.length / n;
  const [means, scales] = [new Float32Array(rows), new Float32Array(rows)];
  const inputs: Rows[] = [
    [x, n],
    [weight ?? new Float32Array(n).fill(1), 0],
    [bias ?? new Float32Array(n), 0],
  ];
  const results: Rows[] = [
    [to, n],
    [means, 1],
    [scales, 1],
  ];
  inRows('layerNorm', rows, inputs, results, ({ normalizeRows }, count, [from, w, b, result, m, s]) => {
    normalizeRows(result!, m!, s!, from!, w!, b!, count, n, eps, center);
  });
  return { means, scales };
}

/** Rows whose gradients of weight and bias are summed in float32; beyond, in float64. */
const blockHeight = 32;

/** The gradient of `normalizeRows` for `x`, and those of weight and bias. */
export function normalizeRowsGradient(
  to: Float32Array,
  g: Float32Array,
  x: Float32Array,
  weight: Float32Array | null,
  { means, scales }: RowStatistics,
  n: number,
  center: boolean,
): { weight: Float64Array; bias: Float64Array } {
  const rows = x.length / n;
  const sums = { weight: new Float64Array(n), bias: new Float64Array(n) };
  const w = weight ?? new Float32Array(n).fill(1);
  for (let done = 0; done < rows; ) {
    const height = Math.min(blockHeight, rows - done, Math.max(1, Math.floor(8192 / n)));
    const blocks = Math.floor((rows - done) / height);
    const end = done + blocks * height;
    const partial = new Float32Array(blocks * 2 * n);
    const part = (a: Float32Array, width: number): Rows => [a.subarray(done * width, end * width), height * width];
    const inputs: Rows[] = [part(g, n), part(x, n), part(means, 1), part(scales, 1), [w, 0]];
    const results: Rows[] = [part(to, n), [partial, 2 * n]];
    inRows('layerNorm', blocks, inputs, results, (kernels, count, [atG, atX, m, s, atW, result, atSums]) => {
      kernels.normalizeRowsGradient(result!, atSums!, atG!, atX!, m!, s!, atW!, count, height, n, center);
    });
    for (let b = 0, i = 0; b < blocks; b++) {
      for (let k = 0; k < n; k++) sums.weight[k]! += partial[i++]!;
      for (let k = 0; k < n; k++) sums.bias[k]! += partial[i++]!;
    }
    done = end;
  }
  return sums;
}

/** `[batch, channels, inner]`, where a group is some channels of a sample, or one channel of the whole batch. */
export interface Channels {
  readonly batch: number;
  readonly channels: number;
  readonly inner: number;
  /** How many channels of a sample make up a group; 0 for one channel of all samples. */
  readonly together: number;
}

/** Of each group the mean, the (biased) variance, and `1 / sqrt(var + eps)`. */
export interface GroupStatistics {
  readonly means: Float64Array;
  readonly variances: Float64Array;
  readonly scales: Float64Array;
}

/** The group of each row, which is a channel of a sample. */
function groupsOf({ batch, channels, together }: Channels): { groups: number; of: Int32Array } {
  const of = new Int32Array(batch * channels);
  for (let r = 0; r < of.length; r++) of[r] = together === 0 ? r % channels : Math.floor(r / together);
  return { groups: together === 0 ? channels : of.length / together, of };
}

/** `(x - mean) scale weight + bias` by groups, with a weight and a bias for each channel. */
export function normalizeChannels(
  to: Float32Array,
  x: Float32Array,
  weight: Float32Array | null,
  bias: Float32Array | null,
  layout: Channels,
  eps: number,
): GroupStatistics {
  const { channels, inner } = layout;
  const { groups, of } = groupsOf(layout);
  const rows = of.length;
  const count = (rows / groups) * inner;
  const [means, variances, scales] = [new Float64Array(groups), new Float64Array(groups), new Float64Array(groups)];
  const squares = new Float64Array(groups);
  const moments = rowMoments(x, rows, inner);
  for (let r = 0; r < rows; r++) {
    means[of[r]!]! += moments[2 * r]! / count;
    squares[of[r]!]! += moments[2 * r + 1]! / count;
  }
  let cancels = false;
  for (let g = 0; g < groups; g++) {
    variances[g] = squares[g]! - means[g]! * means[g]!;
    cancels ||= !(variances[g]! > 1e-6 * squares[g]!);
  }
  if (cancels) {
    // The mean is so large beside the variance that squares around it have to be taken.
    variances.fill(0);
    const around = centeredSquares(
      x,
      Float64Array.from(of, (g) => means[g]!),
      rows,
      inner,
    );
    for (let r = 0; r < rows; r++) variances[of[r]!]! += around[r]! / count;
  }
  for (let g = 0; g < groups; g++) scales[g] = 1 / Math.sqrt(variances[g]! + eps);
  const [m, s, b] = [new Float32Array(rows), new Float32Array(rows), new Float32Array(rows)];
  for (let r = 0; r < rows; r++) {
    m[r] = means[of[r]!]!;
    s[r] = scales[of[r]!]! * (weight ? weight[r % channels]! : 1);
    b[r] = bias ? bias[r % channels]! : 0;
  }
  shiftRows(to, x, m, s, b, inner);
  return { means, variances, scales };
}

/** `(x - mean) scale + shift` of each row of `n`, with numbers of its own. */
export function shiftRows(
  to: Float32Array,
  x: Float32Array,
  means: Float32Array,
  scales: Float32Array,
  shifts: Float32Array,
  n: number,
): void {
  const inputs: Rows[] = [[x, n], ...each(means, scales, shifts)];
  inRows('batchNorm', means.length, inputs, [[to, n]], ({ shiftRows }, count, [from, m, s, b, result]) => {
    shiftRows(result!, from!, m!, s!, b!, count, n);
  });
}

/** `x scale + shift`, each one number for a channel of `x` `[..., channels, inner]`. */
export function shiftChannels(
  to: Float32Array,
  x: Float32Array,
  scales: Float32Array,
  shifts: Float32Array,
  inner: number,
): void {
  const rows = x.length / inner;
  const perRow = (values: Float32Array) => Float32Array.from({ length: rows }, (_, r) => values[r % values.length]!);
  shiftRows(to, x, new Float32Array(rows), perRow(scales), perRow(shifts), inner);
}

const each = (...arrays: Float32Array[]): Rows[] => arrays.map((a) => [a, 1]);

/** The gradient of `normalizeChannels` for `x`, and those of weight and bias. */
export function normalizeChannelsGradient(
  to: Float32Array,
  g: Float32Array,
  x: Float32Array,
  weight: Float32Array | null,
  { means, scales }: GroupStatistics,
  layout: Channels,
): { weight: Float64Array; bias: Float64Array } {
  const { channels, inner } = layout;
  const { groups, of } = groupsOf(layout);
  const rows = of.length;
  const count = (rows / groups) * inner;
  const m = Float32Array.from(of, (group) => means[group]!);
  const products = new Float64Array(rows * 2);
  const inputs: Rows[] = [
    [g, inner],
    [x, inner],
    [m, 1],
  ];
  inRows('batchNorm', rows, inputs, [[asFloats(products), 4]], ({ rowProducts }, n, [atG, atX, atM, result]) => {
    rowProducts(result!, atG!, atX!, atM!, n, inner);
  });
  const sums = { weight: new Float64Array(channels), bias: new Float64Array(channels) };
  const [total, slope] = [new Float64Array(groups), new Float64Array(groups)];
  for (let r = 0; r < rows; r++) {
    const [group, c] = [of[r]!, r % channels];
    const w = weight ? weight[c]! : 1;
    sums.bias[c]! += products[2 * r]!;
    sums.weight[c]! += products[2 * r + 1]! * scales[group]!;
    total[group]! += w * products[2 * r]!;
    slope[group]! += w * products[2 * r + 1]!;
  }
  const [p, q, b] = [new Float32Array(rows), new Float32Array(rows), new Float32Array(rows)];
  for (let r = 0; r < rows; r++) {
    const group = of[r]!;
    const scale = scales[group]!;
    p[r] = scale * (weight ? weight[r % channels]! : 1);
    q[r] = (-(scale ** 3) * slope[group]!) / count;
    b[r] = (-scale * total[group]!) / count;
  }
  const all: Rows[] = [[g, inner], [x, inner], ...each(m, p, q, b)];
  inRows('batchNorm', rows, all, [[to, inner]], ({ shiftRowsGradient }, n, [atG, atX, m, p, q, b, result]) => {
    shiftRowsGradient(result!, atG!, atX!, m!, p!, q!, b!, n, inner);
  });
  return sums;
}
