import { dropout, full, ge, isTraining, rand, type Shape, ShapeError, type Tensor } from '@gradgate/core';
import { checkOptions, checkTensors, is, named } from '@gradgate/core/internal';

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
    throw new ShapeError(op, `takes [N, C, ...] of ${ndim} dimensions or without N, got [${x.shape.join(', ')}]`);
  const kept = x.ndim - (ndim - 2);
  const shape: Shape = x.shape.map((n, d) => (d < kept ? n : 1));
  const mask = dropout(full(shape, 1, { dtype: x.dtype }), { p, training });
  return p > 0 && isTraining(training) ? x.mul(mask) : x;
}

/**
 * Dropout of whole channels of `x` `[N, C, L]` or `[C, L]`. Options: `p` 0.5, `training`, by default as the flow says
 * and else true.
 *
 * ```ts
 * functional.dropout1d(tensor([[1, 2]]), { training: false }); // [[1, 2]]
 * ```
 */
export const dropout1d = (x: Tensor, options?: DropoutOptions): Tensor => channels('dropout1d', x, 3, options);

/**
 * Dropout of whole channels of `x` `[N, C, H, W]` or `[C, H, W]`. Options as of `dropout1d`.
 *
 * ```ts
 * functional.dropout2d(ones([1, 2, 1, 1]), { p: 1, training: true }); // [[[[0]], [[0]]]]
 * ```
 */
export const dropout2d = (x: Tensor, options?: DropoutOptions): Tensor => channels('dropout2d', x, 4, options);

// SELU's limit for large negative inputs, -scale * alpha: what a dropped element becomes.
const saturated = -1.0507009873554805 * 1.6732632423543772;

/**
 * Dropout that keeps mean 0 and variance 1 (Klambauer et al., 2017); goes with SELU. Options as of `dropout1d`. Any
 * shape, kept.
 *
 * ```ts
 * functional.alphaDropout(tensor([1, 2]), { training: false }); // [1, 2]
 * ```
 */
export const alphaDropout = /* @__PURE__ */ named('alphaDropout', (x: Tensor, options?: DropoutOptions): Tensor => {
  checkTensors('alphaDropout', x);
  const { p = 0.5, training = true } = checkOptions('alphaDropout', options, dropoutOptions);
  if (p === 0 || !isTraining(training)) return x;
  if (p === 1) return x.mul(0);
  const kept = ge(rand(x.shape, { dtype: x.dtype }), p).to(x.dtype);
  const a = ((1 - p) * (1 + p * saturated ** 2)) ** -0.5;
  const shift = kept.mul(-saturated).add(saturated);
  return x
    .mul(kept)
    .add(shift)
    .mul(a)
    .add(-a * saturated * p);
});
