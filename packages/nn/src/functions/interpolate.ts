import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  DTypeError,
  record,
  type Shape,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '@gradgate/core';
import { checkOptions, checkTensors, is, kernelsOf, named, type Taps } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { adaptiveAvgPool3d } from './pool3d.js';

type Mode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic' | 'area';

/** Options of `interpolate`. */
export interface InterpolateOptions {
  /** The new sizes of the spatial dimensions (those after `N` and `C`), or one number for all. */
  size?: number | Shape;
  /** The factor by which they grow, instead of a size: one for each, or one number for all. */
  scaleFactor?: number | readonly number[];
  /**
   * `'nearest'` by default. `'linear'`, `'bilinear'` and `'trilinear'` are the same for one, two and three dimensions;
   * `'area'` is adaptive average pooling; `'nearest'` measures from the edges of pixels, as OpenCV does, and
   * `'nearest-exact'` from their centers.
   */
  mode?: Mode;
  /** Whether the centers of the outermost pixels match, rather than their edges; false by default. */
  alignCorners?: boolean;
  /**
   * Whether shrinking averages over all pixels covered, as Pillow does; for `'bilinear'` and `'bicubic'`. False by
   * default.
   */
  antialias?: boolean;
}

/** For each of `m` outputs the two of `n` inputs that it lies between; with 'nearest', the one that it takes. */
function tapsOf(n: number, m: number, scale: number, mode: Mode, alignCorners: boolean): Taps {
  const linear = !mode.startsWith('nearest');
  const shift = mode === 'nearest-exact' ? 0.5 : 0;
  const taps = { first: new Int32Array(m), second: new Int32Array(m), weight: new Float64Array(m) };
  for (let i = 0; i < m; i++) {
    const place = alignCorners ? (m > 1 ? (i * (n - 1)) / (m - 1) : 0) : Math.max((i + 0.5) * scale - 0.5, 0);
    const at = linear ? place : (i + shift) * scale;
    taps.first[i] = Math.min(Math.floor(at), n - 1);
    taps.second[i] = Math.min(taps.first[i]! + 1, n - 1);
    // Behind the last input there is nothing to mix with.
    taps.weight[i] = linear && taps.second[i]! > taps.first[i]! ? at - taps.first[i]! : 0;
  }
  return taps;
}

/** `x` `[outer, n, inner]` to `[outer, m, inner]`: each output is a mean of two inputs, by the weights of `taps`. */
function mixed(x: Tensor, taps: Taps): Tensor {
  const [outer, n, inner] = x.shape as [number, number, number];
  const out = zeros([outer, taps.first.length, inner], { dtype: x.dtype, device: x.device });
  kernelsOf('interpolate', x).resample(x, taps, out);
  return record('interpolate', [x], out, (g) => [mixedTransposed(g, taps, n)]);
}

/** The transpose of `mixed`, its gradient: adds each of `m` values to the two of `n` that it was made of. */
function mixedTransposed(g: Tensor, taps: Taps, n: number): Tensor {
  const out = zeros([g.shape[0]!, n, g.shape[2]!], { dtype: g.dtype, device: g.device });
  kernelsOf('interpolate', g).resampleGradient(g, taps, out);
  return record('interpolate', [g], out, (gg) => [mixed(gg, taps)]);
}

/** A filter: its weight by distance, and the distance from which on the weight is 0. */
interface Filter {
  readonly weight: (distance: number) => number;
  readonly reach: number;
}

const triangle: Filter = { weight: (d) => Math.max(0, 1 - Math.abs(d)), reach: 1 };

/** Cubic convolution (Keys, 1981); `a` is the slope at distance 1. */
const cubic = (a: number): Filter => ({
  weight(distance) {
    const d = Math.abs(distance);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
  },
  reach: 2,
});
// The slopes of Pillow, with antialias, and of OpenCV, without.
const [pillowCubic, opencvCubic] = [cubic(-0.5), cubic(-0.75)];

/** The inputs of each of `m` outputs: `count` indices and weights each, both `[count, m]`. */
interface Sources {
  readonly count: number;
  readonly places: Int32Array;
  readonly weights: Float64Array;
}

const sourcesOf = (count: number, m: number): Sources => ({
  count,
  places: new Int32Array(count * m),
  weights: new Float64Array(count * m),
});

/** Cubic convolution; elements on the border are repeated outwards. */
function cubicSources(n: number, m: number, scale: number, alignCorners: boolean): Sources {
  const sources = sourcesOf(4, m);
  for (let i = 0; i < m; i++) {
    const place = alignCorners ? (m > 1 ? (i * (n - 1)) / (m - 1) : 0) : (i + 0.5) * scale - 0.5;
    const first = Math.floor(place) - 1;
    for (let k = 0; k < 4; k++) {
      sources.places[k * m + i] = Math.min(Math.max(first + k, 0), n - 1);
      sources.weights[k * m + i] = opencvCubic.weight(place - first - k);
    }
  }
  return sources;
}

/** A filter, stretched by `scale` where the output is smaller than the input. */
function filterSources(n: number, m: number, scale: number, { weight, reach }: Filter): Sources {
  const wide = Math.max(scale, 1);
  const sources = sourcesOf(Math.min(n, Math.ceil(2 * reach * wide) + 1), m);
  const { count, places, weights } = sources;
  for (let i = 0; i < m; i++) {
    const center = scale * (i + 0.5);
    const start = Math.max(Math.trunc(center - reach * wide + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach * wide + 0.5), n);
    let total = 0;
    for (let k = 0; k < count; k++) {
      // Unused entries read the first input with weight 0.
      const isInside = start + k < end;
      places[k * m + i] = isInside ? start + k : start;
      if (isInside) total += weights[k * m + i] = weight((start + k - center + 0.5) / wide);
    }
    for (let k = 0; k < count; k++) weights[k * m + i]! /= total;
  }
  return sources;
}

/**
 * `x` `[outer, n, inner]` to `[outer, m, inner]`. Not a matrix product: zeros in the matrix times NaN would
 * spread NaN.
 */
function weightedSum(x: Tensor, { count, places, weights }: Sources): Tensor {
  const { dtype, device } = x;
  const [outer, , inner] = x.shape as [number, number, number];
  const m = places.length / count;
  const read = x.indexSelect(1, tensor(places, { device })).reshape([outer, count, m, inner]);
  const factors = tensor(weights, { shape: [count, m, 1], device: 'cpu' })
    .to(dtype)
    .to(device);
  return read.mul(factors).sum(1);
}

/** Means over areas. */
function areas(x: Tensor, sizes: readonly number[]): Tensor {
  if (sizes.length === 1) return adaptiveAvgPool1d(x, sizes[0]!);
  if (sizes.length === 2) return adaptiveAvgPool2d(x, sizes as [number, number]);
  return adaptiveAvgPool3d(x, sizes as [number, number, number]);
}

export const interpolateOptions = {
  size: is.either(is.count, is.arrayOf(is.count)),
  scaleFactor: is.either(is.positive, is.arrayOf(is.positive)),
  mode: is.oneOf('nearest', 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic', 'area'),
  alignCorners: is.boolean,
  antialias: is.boolean,
};

/** Refuses options that do not fit the input, or one another. */
function checkResize(x: Tensor, options: InterpolateOptions): void {
  const { size, scaleFactor, mode = 'nearest', alignCorners, antialias } = options;
  const dims = x.ndim - 2;
  if (dims < 1 || dims > 3)
    throw new ShapeError('interpolate', `takes [N, C, L], [N, C, H, W] or [N, C, D, H, W], got ${shapeText(x)}`);
  const needed = { linear: 1, bilinear: 2, bicubic: 2, trilinear: 3 }[mode as string];
  if (needed && needed !== dims)
    throw new ShapeError(
      'interpolate',
      `the mode '${mode}' takes ${2 + needed} dimensions, two of them batch and channels, got ${shapeText(x)}`,
    );
  if (needed && !/float/.test(x.dtype))
    throw new DTypeError(
      'interpolate',
      `the mode '${mode}' takes floating point tensors, got ${x.dtype}; use .float()`,
    );
  if (x.shape.slice(2).includes(0))
    throw new ShapeError('interpolate', `there is nothing to resize in ${shapeText(x)}`);
  if ((size === undefined) === (scaleFactor === undefined))
    throw new TypeError('interpolate: give either size or scaleFactor');
  if (antialias && mode !== 'bilinear' && mode !== 'bicubic')
    throw new TypeError(`interpolate: antialias goes with the modes 'bilinear' and 'bicubic', not with '${mode}'`);
  if (alignCorners && (mode === 'area' || mode.startsWith('nearest')))
    throw new TypeError(`interpolate: alignCorners goes with the linear modes and 'bicubic', not with '${mode}'`);
}

const numberAt = (v: number | readonly number[], d: number): number => (typeof v === 'number' ? v : v[d]!);

/** The sizes of the spatial dimensions of the result. */
function resizedTo(x: Tensor, { size, scaleFactor }: InterpolateOptions): number[] {
  const name = size !== undefined ? 'size' : 'scaleFactor';
  const given = (size ?? scaleFactor)!;
  if (typeof given !== 'number' && given.length !== x.ndim - 2)
    throw new ShapeError(
      'interpolate',
      `${name} must have ${x.ndim - 2} numbers for ${shapeText(x)}, got [${given.join(', ')}]`,
    );
  return x.shape.slice(2).map((n, d) => {
    const m = size !== undefined ? numberAt(size, d) : Math.floor(n * numberAt(scaleFactor!, d));
    if (!Number.isInteger(m) || m < 1)
      throw new ShapeError('interpolate', `${shapeText(x)} cannot be resized to ${m} along dimension ${2 + d}`);
    return m;
  });
}

/**
 * Resizes `x` `[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]` to `size`, or by `scaleFactor`; one of the two is
 * needed. Options: `mode` 'nearest' (the default), 'nearest-exact', 'linear', 'bilinear', 'trilinear', 'bicubic' or
 * 'area'; `alignCorners` false; `antialias` false.
 *
 * ```ts
 * functional.interpolate(tensor([[[1, 2]]]), { scaleFactor: 2 }); // [[[1, 1, 2, 2]]]
 * ```
 */
export const interpolate = /* @__PURE__ */ named('interpolate', (x: Tensor, options: InterpolateOptions): Tensor => {
  checkTensors('interpolate', x);
  const known = checkOptions('interpolate', options, interpolateOptions);
  checkResize(x, known);
  const { scaleFactor, mode = 'nearest', alignCorners = false, antialias = false } = known;
  const sizes = resizedTo(x, known);
  if (mode === 'area') return areas(x, sizes);
  const resized = (t: Tensor, m: number, d: number): Tensor => {
    const n = t.shape[1]!;
    const scale = scaleFactor !== undefined ? 1 / numberAt(scaleFactor, d) : n / m;
    if (antialias) {
      const step = alignCorners ? (m > 1 ? (n - 1) / (m - 1) : 0) : scale;
      return weightedSum(t, filterSources(n, m, step, mode === 'bicubic' ? pillowCubic : triangle));
    }
    if (mode === 'bicubic') return weightedSum(t, cubicSources(n, m, scale, alignCorners));
    return mixed(t, tapsOf(n, m, scale, mode, alignCorners));
  };
  let out = x;
  sizes.forEach((m, d) => {
    const shape = out.shape.slice();
    const inner = shape.slice(3 + d).reduce((a, b) => a * b, 1);
    const outer = shape.slice(0, 2 + d).reduce((a, b) => a * b, 1);
    const n = shape[2 + d]!;
    shape[2 + d] = m;
    out = resized(out.reshape([outer, n, inner]), m, d).reshape(shape);
  });
  return out;
});
