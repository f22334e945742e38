import { AutogradError, DTypeError, named, ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { isInteger } from '../memory/dtype.js';
import { formatShape } from '../memory/shape.js';
import { checkOneDType, checkSquare } from '../ops/checkMatrix.js';
import { checkTensors } from '../tensor/check.js';
import type { Tensor } from '../tensor/tensor.js';
import { decompose } from './decompose.js';
import { ldl as ldlRule, ldlSolve as solveRule } from './rules/ldl.js';

/** Both factors in one matrix `[..., n, n]`, and the exchanges `[..., n]` as LAPACK has them. */
export interface LdlFactors {
  /** The factors L and D in one matrix `[..., n, n]`. */
  LD: Tensor;
  /** The exchanges of rows `[..., n]`, from 1 on, as LAPACK gives them. */
  pivots: Tensor;
}

/**
 * The factors of `A = L D Lᵀ` for symmetric matrices `[..., n, n]`, which need not be positive definite, in one matrix:
 * the arguments of `ldlSolve`. Only the lower triangle is read, and the upper one of the result is 0. D has blocks of
 * one or two rows; `pivots` (int32) has for each row the one that it was exchanged with, counted from 1, as a negative
 * number in a block of two. All results for a matrix that is not finite are NaN. No gradient flows through: `solve` has
 * one.
 *
 * ```ts
 * ldlFactor(tensor([[2, 1], [1, 3]])).LD; // [[2, 0], [0.5, 2.5]]
 * ```
 */
export const ldlFactor = /* @__PURE__ */ named('ldlFactor', (a: Tensor): LdlFactors => {
  const n = checkSquare('ldlFactor', a);
  // Half types cannot hold all pivots.
  const dtype = a.dtype === 'float64' ? 'float64' : 'float32';
  const [LD, pivots] = decompose('ldlFactor', ldlRule, [a], [[n, n], [n]], [n], dtype) as [Tensor, Tensor];
  return { LD: record('ldlFactor', [a], LD.to(a.dtype), refuseGradient), pivots: pivots.to('int32') };
});

function refuseGradient(): never {
  throw new AutogradError('ldlFactor', 'has no gradient; use detach() on its input, or solve(), which has one');
}

/**
 * The X of `A X = B`, given the result of `ldlFactor` for A `[..., n, n]`; `b` is `[..., n, k]`. Gradients flow to `b`
 * alone.
 *
 * ```ts
 * const { LD, pivots } = ldlFactor(tensor([[0, 2], [2, 0]]));
 * ldlSolve(LD, pivots, tensor([[2], [4]])); // [[2], [1]]
 * ```
 */
export const ldlSolve = /* @__PURE__ */ named('ldlSolve', (LD: Tensor, pivots: Tensor, b: Tensor): Tensor => {
  const n = checkSquare('ldlSolve', LD);
  checkTensors('ldlSolve', pivots);
  if (!isInteger(pivots.dtype)) throw new DTypeError('ldlSolve', `pivots must be integers, got ${pivots.dtype}`);
  checkOneDType('ldlSolve', LD, b);
  const batch = LD.shape.slice(0, -2).join();
  if (
    pivots.shape.join() !== LD.shape.slice(0, -1).join() ||
    b.ndim !== LD.ndim ||
    b.shape.slice(0, -2).join() !== batch ||
    b.shape.at(-2) !== n
  )
    throw new ShapeError(
      'ldlSolve',
      `takes [..., n, n], [..., n] and [..., n, k] of one batch, got ${formatShape(LD.shape)}, ${formatShape(pivots.shape)} and ${formatShape(b.shape)}`,
    );
  const k = b.shape.at(-1)!;
  const [x] = decompose('ldlSolve', solveRule, [LD, pivots, b], [[n, k]], [n, k]) as [Tensor];
  return record(
    'ldlSolve',
    [LD, b],
    x,
    (g, ctx) => {
      if (ctx.needs(0))
        throw new AutogradError('ldlSolve', 'has no gradient to the factors; use detach() on them, or solve()');
      const [factors, exchanges] = ctx.saved as [Tensor, Tensor];
      return [null, ldlSolve(factors, exchanges, g)];
    },
    [LD, pivots],
  );
});
