import { checkOptions } from '../check.js';
import { ShapeError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { checkOneDType, checkSquare } from '../ops/checkMatrix.js';
import { eye } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { mT } from './decompose.js';
import { solveTriangular } from './triangular.js';

const choleskyOptions = { upper: is.boolean };

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
    checkOneDType('choleskySolve', factor, b);
    const n = checkSquare('choleskySolve', factor);
    if (b.ndim < 2 || b.shape.at(-2) !== n)
      throw new ShapeError(
        'choleskySolve',
        `${formatShape(b.shape)} and ${formatShape(factor.shape)}: expected [..., n, k] and [..., n, n]`,
      );
    const lower = upper ? mT(factor) : factor;
    return solveTriangular(mT(lower), solveTriangular(lower, b, { upper: false }), { upper: true });
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
