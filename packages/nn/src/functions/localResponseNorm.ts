import { pad, ShapeError, type Tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, is, named } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';

/** Options of `localResponseNorm`. */
export interface LocalResponseNormOptions {
  /** The factor of the mean square; 1e-4 by default. */
  alpha?: number;
  /** The exponent; 0.75 by default. */
  beta?: number;
  /** The constant that is added; 1 by default. */
  k?: number;
}

export const localResponseNormOptions = { alpha: is.number, beta: is.number, k: is.number };

/**
 * Divides each element by `(k + alpha * m) ** beta`, where `m` is the mean square over `size` neighboring channels
 * (Krizhevsky et al., 2012). `[N, C, ...]` in and out.
 *
 * ```ts
 * functional.localResponseNorm(ones([1, 2, 1]), 2, { alpha: 1, beta: 1 }); // [[[0.6667], [0.5]]]
 * ```
 */
export const localResponseNorm = /* @__PURE__ */ named(
  'localResponseNorm',
  (x: Tensor, size: number, options?: LocalResponseNormOptions): Tensor => {
    const op = 'localResponseNorm';
    checkTensors(op, x);
    check(op, 'size', size, is.count);
    const { alpha = 1e-4, beta = 0.75, k = 1 } = checkOptions(op, options, localResponseNormOptions);
    if (x.ndim < 3) throw new ShapeError(op, `takes [N, C, ...] of three dimensions or more, got ${shapeText(x)}`);
    const sides = [...Array(2 * (x.ndim - 2)).fill(0), Math.floor(size / 2), Math.floor((size - 1) / 2)];
    const mean = pad(x.square(), sides).unfold(1, size, 1).mean(-1);
    return x.div(mean.mul(alpha).add(k).pow(beta));
  },
);
