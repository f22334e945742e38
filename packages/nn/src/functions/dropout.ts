import { dropout, full, ge, isTraining, rand, type Shape, ShapeError, type Tensor } from '@gradgate/core';
import { checkOptions, checkTensors, is, named } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';

interface DropoutOptions {
  p?: number;
  training?: boolean;
}

const dropoutOptions = { p: is.probability, training: is.boolean };

/** Dropout of whole channels of `x` `[N, C, ...]`: one decision for each sample and channel. */
function channels(op: string, x: Tensor, ndim: number, options: DropoutOptions | undefined): Tensor {
  checkTensors(op, x);
  const { p = 0.5, training = true } = checkOptions(op, options, dropoutOptions);
  if (x.ndim !== ndim && x.ndim !== ndim - 1)
    throw new ShapeError(op, `takes [N, C, ...] of ${ndim} dimensions or without N, got ${shapeText(x)}`);
  const kept = x.ndim - (ndim - 2);
  const shape: Shape = x.shape.map((n, d) => (d < kept ? n : 1));
  const mask = dropout(full(shape, 1, { dtype: x.dtype, device: x.device }), { p, training });
  return p > 0 && isTraining(training) ? x.mul(mask) : x;
}

/**
 * Zeroes whole channels of `x` `[N, C, L]` or `[C, L]` with probability `p`, 0.5 by default, and scales the others by
 * `1 / (1 - p)`. Option `training` is true by default; `evalMode` and `trainMode` override it.
 *
 * ```ts
 * functional.dropout1d(tensor([[1, 2]]), { training: false }); // [[1, 2]]
 * ```
 */
export const dropout1d = (x: Tensor, options?: DropoutOptions): Tensor => channels('dropout1d', x, 3, options);

/**
 * Zeroes whole channels of `x` `[N, C, H, W]` or `[C, H, W]`. Options as for `dropout1d`.
 *
 * ```ts
 * functional.dropout2d(ones([1, 2, 1, 1]), { p: 1, training: true }); // [[[[0]], [[0]]]]
 * ```
 */
export const dropout2d = (x: Tensor, options?: DropoutOptions): Tensor => channels('dropout2d', x, 4, options);

/**
 * Zeroes whole channels of `x` `[N, C, D, H, W]` or `[C, D, H, W]`. Options as for `dropout1d`.
 *
 * ```ts
 * functional.dropout3d(ones([1, 2, 1, 1, 1]), { p: 1, training: true }); // [[[[[0]]], [[[0]]]]]
 * ```
 */
export const dropout3d = (x: Tensor, options?: DropoutOptions): Tensor => channels('dropout3d', x, 5, options);

// The limit of SELU for large negative inputs, -scale * alpha, which dropped elements become.
const saturated = -1.0507009873554805 * 1.6732632423543772;

/** `alphaDropout` with a decision for each element of `shape`, which broadcasts to that of `x`. */
function withAlpha(op: string, x: Tensor, shape: Shape, options: DropoutOptions | undefined): Tensor {
  const { p = 0.5, training = true } = checkOptions(op, options, dropoutOptions);
  if (p === 0 || !isTraining(training)) return x;
  if (p === 1) return x.mul(0);
  const kept = ge(rand(shape, { dtype: x.dtype, device: x.device }), p).to(x.dtype);
  const a = ((1 - p) * (1 + p * saturated ** 2)) ** -0.5;
  const shift = kept.mul(-saturated).add(saturated);
  return x
    .mul(kept)
    .add(shift)
    .mul(a)
    .add(-a * saturated * p);
}

/**
 * Dropout that keeps mean 0 and variance 1; for use with SELU (Klambauer et al., 2017). Options as for `dropout1d`. Any
 * shape; the result has the same.
 *
 * ```ts
 * functional.alphaDropout(tensor([1, 2]), { training: false }); // [1, 2]
 * ```
 */
export const alphaDropout = /* @__PURE__ */ named('alphaDropout', (x: Tensor, options?: DropoutOptions): Tensor => {
  checkTensors('alphaDropout', x);
  return withAlpha('alphaDropout', x, x.shape, options);
});

/**
 * `alphaDropout` of whole channels of `x` `[N, C, ...]`; the shape stays. Options as for `dropout1d`.
 *
 * ```ts
 * functional.featureAlphaDropout(ones([1, 2, 1]), { training: false }); // [[[1], [1]]]
 * ```
 */
export const featureAlphaDropout = /* @__PURE__ */ named(
  'featureAlphaDropout',
  (x: Tensor, options?: DropoutOptions): Tensor => {
    checkTensors('featureAlphaDropout', x);
    if (x.ndim < 2) throw new ShapeError('featureAlphaDropout', `takes [N, C, ...], got ${shapeText(x)}`);
    const shape = x.shape.map((n, d) => (d < 2 ? n : 1));
    return withAlpha('featureAlphaDropout', x, shape, options);
  },
);
