import { DTypeError, ShapeError } from '../errors.js';
import { recordMany } from '../graph/node.js';
import { computedIn, isInteger } from '../memory/dtype.js';
import { formatShape } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { checkMatrix, checkOneDType, checkSquare } from '../ops/checkMatrix.js';
import { tril, triu } from '../ops/diagonal.js';
import { add, sub } from '../ops/elementwise.js';
import { cat, narrow } from '../ops/joining.js';
import { mH } from '../ops/linalg.js';
import { matmul } from '../ops/matmul.js';
import { checkTensors } from '../tensor/check.js';
import { eye } from '../tensor/creation.js';
import type { Tensor } from '../tensor/tensor.js';
import { decompose } from './decompose.js';
import { lu as luRule, permutation } from './rules/lu.js';
import { solveTriangular } from './triangular.js';

/** Both factors in one matrix `[..., m, n]`, and the row exchanges `[..., min(m, n)]`, counted from 1. */
export interface LuFactors {
  /** The factors L and U in one matrix `[..., m, n]`. */
  LU: Tensor;
  /** The exchanges of rows, from 1 on, as LAPACK gives them. */
  pivots: Tensor;
}

/**
 * The factors of `P L U` for `[..., m, n]` in one matrix (L without its diagonal of ones), and the row exchanges
 * (int32): the arguments of `luSolve`. All results for a matrix that is not finite are NaN.
 *
 * ```ts
 * luFactor(tensor([[1, 2], [2, 2]])).LU; // [[2, 2], [0.5, 1]]
 * ```
 */
export const luFactor = /* @__PURE__ */ inFloat32('luFactor', (a: Tensor): LuFactors => {
  const [m, n] = checkMatrix('luFactor', a);
  const k = Math.min(m, n);
  // Half types cannot hold all pivots.
  const dtype = computedIn(a.dtype);
  const [LU, exact] = decompose('luFactor', luRule, [a], [[m, n], [k]], [m, n], dtype) as [Tensor, Tensor];
  const out = LU.to(a.dtype);
  recordMany(
    'luFactor',
    [a],
    [out],
    ([g], ctx) => {
      const [a, factors, pivots] = ctx.saved as [Tensor, Tensor, Tensor];
      const [p, l, u] = unpack(a, factors, pivots, m, n);
      return [factorsGradient(p, l, u, narrow(tril(g!, -1), -1, 0, k), narrow(triu(g!), -2, 0, k), m, n)];
    },
    [a, out, exact],
  );
  return { LU: out, pivots: exact.to('int32') };
});

/** P, L and U. */
function unpack(a: Tensor, factors: Tensor, pivots: Tensor, m: number, n: number): [Tensor, Tensor, Tensor] {
  const k = Math.min(m, n);
  const [p] = decompose('lu', permutation, [a, pivots], [[m, m]], [m]) as [Tensor];
  const { dtype, device } = a;
  const l = add(tril(narrow(factors, -1, 0, k), -1), eye(m, k, { dtype, device }));
  return [p, l, triu(narrow(factors, -2, 0, k))];
}

/**
 * The gradient of `A = P L U`, given those of L and U: with `M = L⁻¹ dA U⁻¹`, dL is `L` times the strict lower triangle
 * of M.
 */
function factorsGradient(
  p: Tensor,
  l: Tensor,
  u: Tensor,
  gl: Tensor | null,
  gu: Tensor | null,
  m: number,
  n: number,
): Tensor {
  const k = Math.min(m, n);
  const top = (x: Tensor) => narrow(x, -2, 0, k);
  const first = (x: Tensor) => narrow(x, -1, 0, k);
  const below = (x: Tensor) => narrow(x, -2, k, m - k);
  const beside = (x: Tensor) => narrow(x, -1, k, n - k);
  const zero = sub(first(u), first(u));
  let lower = gl ? matmul(mH(top(l)), top(gl)) : zero;
  let upper = gu ? matmul(first(gu), mH(first(u))) : zero;
  if (gu && n > m) lower = sub(lower, matmul(beside(gu), mH(beside(u))));
  if (gl && m > n) upper = sub(upper, matmul(mH(below(l)), below(gl)));
  const inner = add(tril(lower, -1), triu(upper));
  const overL = (x: Tensor) => solveTriangular(mH(top(l)), x, { upper: true, unitriangular: true });
  const overU = (x: Tensor) => solveTriangular(mH(first(u)), x, { upper: false, left: false });
  let g = overU(overL(inner));
  if (n > m) g = cat([g, gu ? overL(beside(gu)) : beside(u).mul(0)], -1);
  if (m > n) g = cat([g, gl ? overU(below(gl)) : below(l).mul(0)], -2);
  return matmul(p, g);
}

/**
 * `A = P L U` for `[..., m, n]`: a permutation `[..., m, m]`, a lower triangle with ones as its diagonal `[..., m, k]`,
 * and an upper one `[..., k, n]`, k = `min(m, n)`.
 *
 * ```ts
 * lu(tensor([[1, 2], [2, 2]])).U; // [[2, 2], [0, 1]]
 * ```
 */
export const lu = /* @__PURE__ */ inFloat32('lu', (a: Tensor): { P: Tensor; L: Tensor; U: Tensor } => {
  const [m, n] = checkMatrix('lu', a);
  const { LU, pivots } = luFactor(a.detach());
  const [P, L, U] = unpack(a.detach(), LU, pivots, m, n);
  recordMany(
    'lu',
    [a],
    [L, U],
    ([gl, gu], ctx) => {
      const [p, l, u] = ctx.saved as [Tensor, Tensor, Tensor];
      return [factorsGradient(p, l, u, gl ?? null, gu ?? null, m, n)];
    },
    [P, L, U],
  );
  return { P, L, U };
});

/**
 * The X of `A X = B`, given the result of `luFactor` for A `[..., n, n]`; `b` is `[..., n, k]`.
 *
 * ```ts
 * const { LU, pivots } = luFactor(tensor([[2, 0], [0, 4]]));
 * luSolve(LU, pivots, tensor([[2], [4]])); // [[1], [1]]
 * ```
 */
export const luSolve = /* @__PURE__ */ inFloat32('luSolve', (LU: Tensor, pivots: Tensor, b: Tensor): Tensor => {
  const n = checkSquare('luSolve', LU);
  checkTensors('luSolve', pivots);
  if (!isInteger(pivots.dtype)) throw new DTypeError('luSolve', `pivots must be integers, got ${pivots.dtype}`);
  checkOneDType('luSolve', LU, b);
  if (pivots.shape.at(-1) !== n || pivots.ndim !== LU.ndim - 1 || b.ndim < 2 || b.shape.at(-2) !== n)
    throw new ShapeError(
      'luSolve',
      `takes [..., n, n], [..., n] and [..., n, k], got ${formatShape(LU.shape)}, ${formatShape(pivots.shape)} and ${formatShape(b.shape)}`,
    );
  const { backend } = pivots.storage;
  backend.kernels.checkRange(pivots, 1, n, (v) => new RangeError(`luSolve: pivots must be from 1 to ${n}, got ${v}`));
  const [p, l, u] = unpack(LU, LU, pivots, n, n);
  return solveTriangular(u, solveTriangular(l, matmul(mH(p), b), { upper: false, unitriangular: true }), {
    upper: true,
  });
});
