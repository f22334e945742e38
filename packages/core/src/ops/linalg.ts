import { keepResult, keptResult } from '../autograd/keep.js';
import { kernelsOf } from '../backend/backends.js';
import { check } from '../check.js';
import { named, ShapeError, TensorError } from '../errors.js';
import { record } from '../graph/node.js';
import { broadcastShapes, formatShape, sameShape } from '../memory/shape.js';
import { eye } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { inFloat32 } from './casting.js';
import { checkOneDType, checkSquare } from './checkMatrix.js';
import { tril } from './diagonal.js';
import { mul, neg } from './elementwise.js';
import { cat, narrow, stack } from './joining.js';
import type * as self from './linalg.js';
import { matmul } from './matmul.js';
import { expand, squeeze, transpose, unsqueeze } from './shape.js';

// Leading dimensions are a batch.

/**
 * The error for a matrix that cannot be inverted, or is not positive definite.
 *
 * ```ts
 * try {
 *   inverse(zeros([2, 2]));
 * } catch (error) {
 *   error instanceof LinAlgError; // true
 * }
 * ```
 */
export class LinAlgError extends TensorError {
  override name = 'LinAlgError';
}

/**
 * The `X` of `A X = B`: `A` is `[..., n, n]`, `B` is `[..., n, k]` or a vector `[n]`. Leading dimensions broadcast.
 *
 * ```ts
 * solve(tensor([[2, 0], [0, 4]]), tensor([2, 4])); // [1, 1]
 * ```
 */
export const solve = /* @__PURE__ */ inFloat32('solve', (a: Tensor, b: Tensor): Tensor => {
  const n = checkSquare('solve', a);
  checkOneDType('solve', a, b);
  if (b.ndim === 1) return squeeze(solve(a, unsqueeze(b, 1)), -1);
  if (b.ndim < 2 || b.shape.at(-2) !== n)
    throw new ShapeError(
      'solve',
      `${formatShape(a.shape)} and ${formatShape(b.shape)}: expected [..., n, n] and [..., n, k]`,
    );
  const k = b.shape.at(-1)!;
  const batch = broadcastShapes('solve', a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (!sameShape(batch, a.shape.slice(0, -2))) return solve(expand(a, [...batch, n, n]), b);
  if (!sameShape(batch, b.shape.slice(0, -2))) return solve(a, expand(b, [...batch, n, k]));
  const out = keptResult('solve') ?? keepResult('solve', solutions(a, b, n));
  return record(
    'solve',
    [a, b],
    out,
    (g, ctx) => {
      const [a, x] = ctx.saved as [Tensor, Tensor];
      const gb = solve(transpose(a, -1, -2), g);
      return [ctx.needs(0) ? neg(matmul(gb, transpose(x, -1, -2))) : null, gb];
    },
    [a, out],
  );
});

/** Of equations without broadcasting. */
function solutions(a: Tensor, b: Tensor, n: number): Tensor {
  const out = Tensor.uninitialized(a.dtype, b.shape, a.storage.backend);
  const singular = () =>
    new LinAlgError('solve', `a matrix of ${formatShape(a.shape)} is singular; add a multiple of eye(${n}) to it`);
  kernelsOf('solve', a, b).solve(a, b, out, singular);
  return out;
}

const identity = (n: number, { dtype, device }: Tensor): Tensor => eye(n, { dtype, device });

/**
 * The inverses of square matrices `[..., n, n]`, in the same shape. Throws a `LinAlgError` for a singular matrix.
 *
 * ```ts
 * inverse(tensor([[2, 0], [0, 4]])); // [[0.5, 0], [0, 0.25]]
 * ```
 */
export const inverse = /* @__PURE__ */ inFloat32('inverse', (a: Tensor): Tensor => {
  const n = checkSquare('inverse', a);
  return solve(a, identity(n, a).expand(a.shape));
});

/**
 * The signs of the determinants and the logarithms of their sizes; 0 and -Infinity for singular matrices.
 *
 * ```ts
 * slogdet(tensor([[2, 0], [0, -4]])); // { sign: -1, logabsdet: 2.079 }
 * ```
 */
export function slogdet(a: Tensor): { sign: Tensor; logabsdet: Tensor } {
  checkSquare('slogdet', a);
  const result = () => Tensor.uninitialized(a.dtype, a.shape.slice(0, -2), a.storage.backend);
  const [sign, logabsdet] = [result(), result()];
  kernelsOf('slogdet', a).slogdet(a, sign, logabsdet);
  record(
    'slogdet',
    [a],
    logabsdet,
    (g, ctx) => [mul(unsqueeze(unsqueeze(g, -1), -1), transpose(inverse(ctx.saved[0]!), -1, -2))],
    [a],
  );
  return { sign, logabsdet };
}

/** The gradients of determinants by their matrices: also of singular ones, which have no inverse, by their minors. */
function cofactors(a: Tensor): Tensor {
  try {
    return mul(unsqueeze(unsqueeze(det(a), -1), -1), transpose(inverse(a), -1, -2));
  } catch (error) {
    if (!(error instanceof LinAlgError)) throw error;
  }
  const n = a.shape.at(-1)!;
  const without = (t: Tensor, dim: number, i: number) =>
    cat([narrow(t, dim, 0, i), narrow(t, dim, i + 1, n - 1 - i)], dim);
  const stacked = (dim: number, make: (i: number) => Tensor) =>
    stack(
      Array.from({ length: n }, (_, i) => make(i)),
      dim,
    );
  return stacked(-2, (i) => {
    const rows = without(a, -2, i);
    return stacked(-1, (j) => mul(det(without(rows, -1, j)), (i + j) % 2 === 0 ? 1 : -1));
  });
}

/**
 * The determinants of square matrices: `[..., n, n]` to `[...]`.
 *
 * ```ts
 * det(tensor([[1, 2], [3, 4]])); // -2
 * ```
 */
export function det(a: Tensor): Tensor {
  checkSquare('det', a);
  const out = Tensor.uninitialized(a.dtype, a.shape.slice(0, -2), a.storage.backend);
  kernelsOf('det', a).det(a, out);
  return record('det', [a], out, (g, ctx) => [mul(unsqueeze(unsqueeze(g, -1), -1), cofactors(ctx.saved[0]!))], [a]);
}

/**
 * The lower triangular L with `L L^T = A`, for symmetric positive definite matrices; reads the lower triangle.
 *
 * ```ts
 * cholesky(tensor([[4, 0], [0, 9]])); // [[2, 0], [0, 3]]
 * ```
 */
export const cholesky = /* @__PURE__ */ inFloat32('cholesky', (a: Tensor): Tensor => {
  const n = checkSquare('cholesky', a);
  const out = keptResult('cholesky') ?? keepResult('cholesky', lowerFactors(a, n));
  return record(
    'cholesky',
    [a],
    out,
    (g, ctx) => {
      // Murray (2016): L^-T Φ(L^T g) L^-1, made symmetric; Φ takes the lower triangle and half of the diagonal.
      const lt = transpose(ctx.saved[0]!, -1, -2);
      const p = matmul(lt, tril(g));
      const phi = mul(tril(p).add(tril(p, -1)), 0.5);
      const left = solve(lt, phi);
      const s = transpose(solve(lt, transpose(left, -1, -2)), -1, -2);
      return [mul(s.add(transpose(s, -1, -2)), 0.5)];
    },
    [out],
  );
});

function lowerFactors(a: Tensor, n: number): Tensor {
  const out = Tensor.uninitialized(a.dtype, a.shape, a.storage.backend);
  kernelsOf('cholesky', a).cholesky(a, out, () => notPositiveDefinite(a, n));
  return out;
}

const notPositiveDefinite = ({ shape }: Tensor, n: number): LinAlgError =>
  new LinAlgError(
    'cholesky',
    `a matrix of ${formatShape(shape)} is not positive definite; add a multiple of eye(${n}) to it`,
  );

/**
 * A square matrix to a whole power; negative powers are powers of the inverse.
 *
 * ```ts
 * matrixPower(tensor([[1, 1], [0, 1]]), 3); // [[1, 3], [0, 1]]
 * ```
 */
export const matrixPower = /* @__PURE__ */ named('matrixPower', (a: Tensor, n: number): Tensor => {
  const size = checkSquare('matrixPower', a);
  check('matrixPower', 'the power', n, is.integer);
  if (n < 0) return matrixPower(inverse(a), -n);
  if (n === 0) return a.clone().copy_(identity(size, a));
  if (n === 1) return a.clone();
  const half = matrixPower(a, Math.floor(n / 2));
  return n % 2 === 0 ? matmul(half, half) : matmul(matmul(half, half), a);
});

const plain = { solve, inverse, det, slogdet, cholesky, matrixPower };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
