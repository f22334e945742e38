import { checkOptions } from '../check.js';
import { named } from '../errors.js';
import { inFloat32 } from '../ops/casting.js';
import { checkSquare } from '../ops/checkMatrix.js';
import { cholesky as lower, mH } from '../ops/linalg.js';
import { eye } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkSides } from './decompose.js';
import { solveTriangular } from './triangular.js';

const choleskyOptions = { upper: is.boolean };

/**
 * The lower triangular `L` with `A = L Lᵀ`, for symmetric positive definite matrices `[..., n, n]`, or with `upper` the
 * `U = Lᵀ` with `A = Uᵀ U`. Reads the lower triangle of A, or with `upper` its upper one.
 *
 * ```ts
 * linalg.cholesky(tensor([[4, 2], [2, 2]]), { upper: true }); // [[2, 1], [0, 1]]
 * ```
 */
export const cholesky = /* @__PURE__ */ named('cholesky', (a: Tensor, options?: { upper?: boolean }): Tensor => {
  const { upper = false } = checkOptions('cholesky', options, choleskyOptions);
  return upper ? mH(lower(mH(a))) : lower(a);
});

/**
 * The X of `A X = B`, given the factor of A from `cholesky`: `L` with `A = L Lᵀ`, or `U` with `A = Uᵀ U`.
 *
 * ```ts
 * choleskySolve(tensor([[4], [9]]), tensor([[2, 0], [0, 3]])); // [[1], [1]]
 * ```
 */
export const choleskySolve = /* @__PURE__ */ inFloat32(
  'choleskySolve',
  (b: Tensor, factor: Tensor, options?: { upper?: boolean }): Tensor => {
    const { upper = false } = checkOptions('choleskySolve', options, choleskyOptions);
    checkSides('choleskySolve', factor, b, true);
    const lower = upper ? mH(factor) : factor;
    return solveTriangular(mH(lower), solveTriangular(lower, b, { upper: false }), { upper: true });
  },
);

/**
 * The inverse of A `[..., n, n]`, given its factor from `cholesky`.
 *
 * ```ts
 * choleskyInverse(tensor([[2, 0], [0, 1]])); // [[0.25, 0], [0, 1]]
 * ```
 */
export const choleskyInverse = /* @__PURE__ */ inFloat32(
  'choleskyInverse',
  (factor: Tensor, options?: { upper?: boolean }): Tensor => {
    checkOptions('choleskyInverse', options, choleskyOptions);
    const n = checkSquare('choleskyInverse', factor);
    const { dtype, device } = factor;
    return choleskySolve(eye(n, { dtype, device }), factor, options);
  },
);
