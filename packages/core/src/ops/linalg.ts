import { keepResult, keptResult } from '../autograd/keep.js';
import { kernelsOf } from '../backend/backends.js';
import { check } from '../check.js';
import { named, ShapeError, TensorError } from '../errors.js';
import { record } from '../graph/node.js';
import { recordOf } from '../memory/dtype.js';
import { broadcastShapes, formatShape, sameShape } from '../memory/shape.js';
import { eye } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { inFloat32 } from './casting.js';
import { checkOneDType, checkSquare } from './checkMatrix.js';
import { conjugate } from './define.js';
import { tril } from './diagonal.js';
import { mul, neg } from './elementwise.js';
import { narrow, stack } from './joining.js';
import type * as self from './linalg.js';
import { matmul } from './matmul.js';
import { roll } from './rearrange.js';
import { expand, reshape, squeeze, transpose, unsqueeze } from './shape.js';

// Leading dimensions are a batch.

/** The conjugate of the transpose: of real matrices, the transpose. */
export const mH = (a: Tensor): Tensor => transpose(conjugate(a), -1, -2);

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
  const batch = broadcastShapes('solve', a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (!sameShape(batch, a.shape.slice(0, -2))) return solve(expand(a, [...batch, n, n]), b);
  if (!sameShape(batch, b.shape.slice(0, -2))) return solve(a, expand(b, [...batch, n, b.shape.at(-1)!]));
  const out = resultOf('solve', 'singular', a, b);
  return record(
    'solve',
    [a, b],
    out,
    (g, ctx) => {
      const [a, x] = ctx.saved as [Tensor, Tensor];
      const gb = solve(mH(a), g);
      return [ctx.needs(0) ? neg(matmul(gb, mH(x))) : null, gb];
    },
    [a, out],
  );
});

/** What a kernel gives of these matrices, or gave before a checkpoint; it says `what` those that it refuses are. */
function resultOf(op: 'solve' | 'cholesky', what: string, ...inputs: [a: Tensor, b?: Tensor]): Tensor {
  const kept = keptResult(op);
  if (kept !== null) return kept;
  const [{ dtype, shape, storage }] = inputs;
  const out = Tensor.uninitialized(dtype, inputs.at(-1)!.shape, storage.backend);
  const refused = () =>
    new LinAlgError(op, `a matrix of ${formatShape(shape)} is ${what}; add a multiple of eye(${shape.at(-1)}) to it`);
  (kernelsOf(op, ...inputs)[op] as (...args: unknown[]) => void)(...inputs, out, refused);
  return keepResult(op, out);
}

/** Unit matrices in the shape of others, of size n. */
const identity = (n: number, { dtype, device, shape }: Tensor): Tensor => eye(n, { dtype, device }).expand(shape);

/**
 * The inverses of square matrices `[..., n, n]`, in the same shape. Throws a `LinAlgError` for a singular matrix.
 *
 * ```ts
 * inverse(tensor([[2, 0], [0, 4]])); // [[0.5, 0], [0, 0.25]]
 * ```
 */
export const inverse = /* @__PURE__ */ inFloat32('inverse', (a: Tensor): Tensor => {
  const n = checkSquare('inverse', a);
  return solve(a, identity(n, a));
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
  const { complex } = recordOf(a.dtype);
  if (complex) return complex.slogdet(a);
  const sign = ofMatrices(a);
  const logabsdet = ofMatrices(a);
  kernelsOf('slogdet', a).slogdet(a, sign, logabsdet);
  record('slogdet', [a], logabsdet, (g, ctx) => [timesEach(g, mH(inverse(ctx.saved[0]!)))], [a]);
  return { sign, logabsdet };
}

/** A number for each of the matrices. */
const ofMatrices = ({ dtype, shape, storage }: Tensor): Tensor =>
  Tensor.uninitialized(dtype, shape.slice(0, -2), storage.backend);

/** Matrices, each times a number of its own. */
export const timesEach = (numbers: Tensor, a: Tensor): Tensor => mul(unsqueeze(unsqueeze(numbers, -1), -1), a);

/** The gradients of determinants by their matrices: also of singular ones, which have no inverse, by their minors. */
function cofactors(a: Tensor): Tensor {
  const n = checkSquare('det', a);
  try {
    return timesEach(det(a), transpose(inverse(a), -1, -2));
  } catch (error) {
    if (!(error instanceof LinAlgError)) throw error;
  }
  const without = (t: Tensor, dim: number, i: number) => narrow(roll(t, -i, dim), dim, 1, n - 1);
  const all = Array.from({ length: n * n }, (_, k) => {
    const [i, j] = [Math.floor(k / n), k % n];
    // Rolling exchanges rows, so that signs alternate for even n alone.
    return mul(det(without(without(a, -2, i), -1, j)), (-1) ** ((i + j) * (n - 1)));
  });
  return reshape(stack(all, -1), a.shape);
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
  const out = ofMatrices(a);
  kernelsOf('det', a).det(a, out);
  return record('det', [a], out, (g, ctx) => [timesEach(g, cofactors(conjugate(ctx.saved[0]!)))], [a]);
}

/**
 * The lower triangular L with `L L^T = A`, for symmetric positive definite matrices; reads the lower triangle.
 *
 * ```ts
 * cholesky(tensor([[4, 0], [0, 9]])); // [[2, 0], [0, 3]]
 * ```
 */
export const cholesky = /* @__PURE__ */ inFloat32('cholesky', (a: Tensor): Tensor => {
  checkSquare('cholesky', a);
  const out = resultOf('cholesky', 'not positive definite', a);
  return record(
    'cholesky',
    [a],
    out,
    (g, ctx) => {
      // Murray (2016): L^-T Φ(L^T g) L^-1, made symmetric; Φ takes the lower triangle and half of the diagonal.
      const lt = mH(ctx.saved[0]!);
      const p = matmul(lt, tril(g));
      const phi = mul(tril(p).add(tril(p, -1)), 0.5);
      const left = solve(lt, phi);
      const s = mH(solve(lt, mH(left)));
      return [mul(s.add(mH(s)), 0.5)];
    },
    [out],
  );
});

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
  const even = matmul(half, half);
  return n % 2 === 0 ? even : matmul(even, a);
});

const plain = { solve, inverse, det, slogdet, cholesky, matrixPower };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
