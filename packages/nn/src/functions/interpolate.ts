import { record, type Shape, ShapeError, type Tensor, zeros } from '@gradgate/core';
import { checkOptions, checkTensors, is, kernelsOf, named, type Taps } from '@gradgate/core/internal';

export interface InterpolateOptions {
  /** The new sizes of the dimensions after the first two, or one number for all. */
  size?: number | Shape;
  /** How many times as large, instead of a size. */
  scaleFactor?: number | readonly number[];
  /** `'linear'` and `'bilinear'` are the same thing for one and two dimensions. */
  mode?: 'nearest' | 'linear' | 'bilinear';
  /** Whether the outermost pixels' centers, rather than their edges, are matched. */
  alignCorners?: boolean;
}

function tapsOf(n: number, m: number, scale: number, linear: boolean, alignCorners: boolean): Taps {
  const taps = { first: new Int32Array(m), second: new Int32Array(m), weight: new Float64Array(m) };
  for (let i = 0; i < m; i++) {
    const place = alignCorners ? (m > 1 ? (i * (n - 1)) / (m - 1) : 0) : Math.max((i + 0.5) * scale - 0.5, 0);
    const at = linear ? place : i * scale;
    taps.first[i] = Math.min(Math.floor(at), n - 1);
    taps.second[i] = Math.min(taps.first[i]! + 1, n - 1);
    // Behind the last value there is nothing to mix with.
    taps.weight[i] = linear && taps.second[i]! > taps.first[i]! ? at - taps.first[i]! : 0;
  }
  return taps;
}

/** `x` `[outer, n, inner]` to `[outer, m, inner]`: for each of m two values, mixed. */
function mixed(x: Tensor, taps: Taps): Tensor {
  const [outer, n, inner] = x.shape as [number, number, number];
  const out = zeros([outer, taps.first.length, inner], { dtype: x.dtype, device: x.device });
  kernelsOf('interpolate', x).resample(x, taps, out);
  return record('interpolate', [x], out, (g) => [spread(g, taps, n)]);
}

/** The transpose of `mixed`: each of m is added to the two of n that it was made of. */
function spread(g: Tensor, taps: Taps, n: number): Tensor {
  const out = zeros([g.shape[0]!, n, g.shape[2]!], { dtype: g.dtype, device: g.device });
  kernelsOf('interpolate', g).resampleGradient(g, taps, out);
  return record('interpolate', [g], out, (gg) => [mixed(gg, taps)]);
}

export const interpolateOptions = {
  size: is.either(is.count, is.arrayOf(is.count)),
  scaleFactor: is.either(is.positive, is.arrayOf(is.positive)),
  mode: is.oneOf('nearest', 'linear', 'bilinear'),
  alignCorners: is.boolean,
};

/**
 * `x` `[N, C, L]` or `[N, C, H, W]` resized to `size` or by `scaleFactor`. Options: `mode` 'nearest', 'linear' or
 * 'bilinear'; `alignCorners` false.
 *
 * ```ts
 * functional.interpolate(tensor([[[1, 2]]]), { scaleFactor: 2 }); // [[[1, 1, 2, 2]]]
 * ```
 */
export const interpolate = /* @__PURE__ */ named('interpolate', (x: Tensor, options: InterpolateOptions): Tensor => {
  checkTensors('interpolate', x);
  const {
    size,
    scaleFactor,
    mode = 'nearest',
    alignCorners = false,
  } = checkOptions('interpolate', options, interpolateOptions);
  const dims = x.ndim - 2;
  if (dims !== 1 && dims !== 2)
    throw new ShapeError('interpolate', `takes [N, C, L] or [N, C, H, W], got [${x.shape.join(', ')}]`);
  if ((size === undefined) === (scaleFactor === undefined))
    throw new TypeError('interpolate: give either size or scaleFactor');
  const each = (v: number | readonly number[], d: number) => (typeof v === 'number' ? v : v[d]!);
  let out = x;
  for (let d = 0; d < dims; d++) {
    const n = x.shape[2 + d]!;
    const m = size !== undefined ? each(size, d) : Math.floor(n * each(scaleFactor!, d));
    if (!Number.isInteger(m) || m < 1)
      throw new ShapeError('interpolate', `[${x.shape.join(', ')}] cannot be resized to ${m} along dimension ${2 + d}`);
    const scale = scaleFactor !== undefined ? 1 / each(scaleFactor, d) : n / m;
    const shape = out.shape.slice();
    const inner = shape.slice(3 + d).reduce((a, b) => a * b, 1);
    const outer = shape.slice(0, 2 + d).reduce((a, b) => a * b, 1);
    shape[2 + d] = m;
    out = mixed(out.reshape([outer, n, inner]), tapsOf(n, m, scale, mode !== 'nearest', alignCorners)).reshape(shape);
  }
  return out;
});
