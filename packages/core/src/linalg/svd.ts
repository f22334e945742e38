import { checkOptions } from '../check.js';
import { ShapeError } from '../errors.js';
import { record, recordMany } from '../graph/node.js';
import { isComplex } from '../memory/dtype.js';
import { formatShape } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { checkMatrix, checkOneDType, checkSquare } from '../ops/checkMatrix.js';
import { add, div, mul, neg, sub } from '../ops/elementwise.js';
import { square } from '../ops/exponential.js';
import { amax } from '../ops/extrema.js';
import { divOrZero } from '../ops/gradients.js';
import { cat, narrow } from '../ops/joining.js';
import { mH } from '../ops/linalg.js';
import { matmul } from '../ops/matmul.js';
import { sum } from '../ops/reduce.js';
import { gt, maximum } from '../ops/relational.js';
import { squeeze, unsqueeze } from '../ops/shape.js';
import { where } from '../ops/where.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { decompose, epsilons, overDifferences, skew, timesDiagonal } from './decompose.js';
import { eigh } from './eigen.js';
import { svd as svdRule } from './rules/svd.js';

/** `A = U diag(S) Vh`. */
export interface Svd {
  /** The left singular vectors, as columns. */
  U: Tensor;
  /** The singular values, from the largest down. */
  S: Tensor;
  /** The right singular vectors, as rows. */
  Vh: Tensor;
}

const svdOptions = { fullMatrices: is.boolean };

/**
 * The singular value decomposition of `[..., m, n]`: `U` `[..., m, m]`, the values `S` `[..., k]` in descending order
 * with k = `min(m, n)`, and `Vh` `[..., n, n]`; with `fullMatrices: false` the first k columns of U and rows of Vh.
 * Vectors are unique up to the sign of a pair, those of equal values up to a rotation, and those beyond k up to any
 * rotation. The gradient leaves that freedom out; vectors beyond k have no gradient, and those of values of 0 no finite
 * one. All results for a matrix that is not finite are NaN.
 *
 * ```ts
 * svd(tensor([[3, 0], [0, 4]])).S; // [4, 3]
 * ```
 */
export const svd = /* @__PURE__ */ inFloat32('svd', (a: Tensor, options?: { fullMatrices?: boolean }): Svd => {
  const { fullMatrices = true } = checkOptions('svd', options, svdOptions);
  const [m, n] = checkMatrix('svd', a);
  const k = Math.min(m, n);
  if (fullMatrices && m !== n) {
    const shapes = [[m, m], [k], [n, n]];
    const [U, S, Vh] = decompose('svd', svdRule, [a], shapes, [m, n]) as [Tensor, Tensor, Tensor];
    const [first, rows] = [narrow(U, -1, 0, k), narrow(Vh, -2, 0, k)];
    const [left, right] = [first.contiguous(), rows.contiguous()];
    recordSvd(a, left, S, right);
    return { U: cat([left, narrow(U, -1, k, m - k)], -1), S, Vh: cat([right, narrow(Vh, -2, k, n - k)], -2) };
  }
  const [U, S, Vh] = decompose('svd', svdRule, [a], [[m, k], [k], [k, n]], [m, n]) as [Tensor, Tensor, Tensor];
  recordSvd(a, U, S, Vh);
  return { U, S, Vh };
});

/**
 * `(skew(x) S + S skew(y)) / (sⱼ² - sᵢ²)`, split into the part where both vectors rotate the same way, which equal
 * values leave undefined, and the part where they rotate against each other.
 */
function rotationOf(x: Tensor | null, y: Tensor | null, s: Tensor): Tensor {
  const [ofU, ofV] = [x && mul(skew(x), 0.5), y && mul(skew(y), 0.5)];
  const alike = ofU && ofV ? add(ofU, ofV) : (ofU ?? ofV)!;
  const against = ofU && ofV ? sub(ofU, ofV) : (ofU ?? neg(ofV!));
  return add(overDifferences(alike, s), divOrZero(against, add(unsqueeze(s, -2), unsqueeze(s, -1))));
}

/** The part of `x` outside of the space of the columns of `u`. */
const outside = (x: Tensor, u: Tensor): Tensor => sub(x, matmul(u, matmul(mH(u), x)));

function recordSvd(a: Tensor, U: Tensor, S: Tensor, Vh: Tensor): void {
  recordMany(
    'svd',
    [a],
    [U, S, Vh],
    ([gu, gs, gvh], ctx) => {
      const [u, s, vh] = ctx.saved as [Tensor, Tensor, Tensor];
      const v = mH(vh);
      const [m, n, k] = [u.shape.at(-2)!, v.shape.at(-2)!, s.shape.at(-1)!];
      const gv = gvh ? mH(gvh) : null;
      const terms: Tensor[] = [];
      if (gs) terms.push(timesDiagonal(u, gs));
      if (gu || gv) terms.push(matmul(u, rotationOf(gu ? matmul(mH(u), gu) : null, gv ? matmul(vh, gv) : null, s)));
      let g = matmul(terms.reduce(add), vh);
      if (gu && m > k) g = add(g, matmul(outside(div(gu, unsqueeze(s, -2)), u), vh));
      if (gv && n > k) g = add(g, matmul(u, mH(outside(div(gv, unsqueeze(s, -2)), v))));
      return [g];
    },
    [U, S, Vh],
  );
}

/**
 * The singular values `[..., min(m, n)]` of `[..., m, n]` in descending order.
 *
 * ```ts
 * svdvals(tensor([[3, 0], [0, 4]])); // [4, 3]
 * ```
 */
export const svdvals = /* @__PURE__ */ inFloat32('svdvals', (a: Tensor): Tensor => {
  checkMatrix('svdvals', a);
  return svd(a, { fullMatrices: false }).S;
});

/** Options of `matrixRank` and `pinv`. */
export interface RankOptions {
  /** Values up to the larger of `atol` and `rtol` times the largest one count as 0. */
  atol?: number;
  /** `max(m, n)` times the dtype's epsilon by default, or 0 where there is an `atol`. */
  rtol?: number;
  /** Whether the matrices are symmetric: eigenvalues are used then. */
  hermitian?: boolean;
}

const rankOptions = { atol: is.nonNegative, rtol: is.nonNegative, hermitian: is.boolean };

/** The limits up to which values `[..., k]` count as 0: `[..., 1]`. */
function limitOf(sizes: Tensor, [m, n]: readonly number[], { atol, rtol }: RankOptions): Tensor {
  const relative = rtol ?? ((atol ?? 0) > 0 ? 0 : Math.max(m!, n!) * epsilons[sizes.dtype]!);
  return maximum(mul(amax(sizes, -1, { keepdim: true }), relative), atol ?? 0);
}

const checkRank = (op: string, a: Tensor, options: RankOptions | undefined): [number, number] => {
  const sizes = checkMatrix(op, a);
  if (options?.hermitian) checkSquare(op, a);
  return sizes;
};

/**
 * The number of nonzero singular values of `[..., m, n]`: int64 `[...]`.
 *
 * ```ts
 * matrixRank(tensor([[1, 2], [2, 4]])); // 1
 * ```
 */
export const matrixRank = /* @__PURE__ */ inFloat32('matrixRank', (a: Tensor, options?: RankOptions): Tensor => {
  const given = checkOptions('matrixRank', options, rankOptions);
  const sizes = checkRank('matrixRank', a, given);
  return rankOf(given.hermitian ? eigh(a.detach()).eigenvalues.abs() : svdvals(a.detach()), sizes, given);
});

/** How many of the singular values `[..., k]` of `[..., m, n]` are nonzero. */
function rankOf(values: Tensor, sizes: readonly number[], options: RankOptions): Tensor {
  if (Math.min(...sizes) === 0) return Tensor.zeros('int64', values.shape.slice(0, -1), values.storage.backend);
  return sum(gt(values, limitOf(values, sizes, options)), -1);
}

/** `Σ vᵢ uᵢᵀ / sᵢ` over the nonzero values. */
function pseudoInverse(a: Tensor, sizes: readonly number[], options: RankOptions): Tensor {
  const over = (s: Tensor, size: Tensor) => {
    const counts = gt(size, limitOf(size, sizes, options));
    return where(counts, div(1, where(counts, s, 1)), 0);
  };
  if (options.hermitian) {
    const { eigenvalues, eigenvectors } = eigh(a);
    return matmul(timesDiagonal(eigenvectors, over(eigenvalues, eigenvalues.abs())), mH(eigenvectors));
  }
  const { U, S, Vh } = svd(a, { fullMatrices: false });
  return matmul(timesDiagonal(mH(Vh), over(S, S)), mH(U));
}

/**
 * The pseudo-inverse `[..., n, m]` of `[..., m, n]` (Moore and Penrose). The gradient is right for changes that keep
 * the rank.
 *
 * ```ts
 * pinv(tensor([[2, 0], [0, 0]])); // [[0.5, 0], [0, 0]]
 * ```
 */
export const pinv = /* @__PURE__ */ inFloat32('pinv', (a: Tensor, options?: RankOptions): Tensor => {
  const given = checkOptions('pinv', options, rankOptions);
  const [m, n] = checkRank('pinv', a, given);
  const batch = a.shape.slice(0, -2);
  const out =
    m === 0 || n === 0
      ? Tensor.zeros(a.dtype, [...batch, n, m], a.storage.backend)
      : pseudoInverse(a.detach(), [m, n], given);
  return record(
    'pinv',
    [a],
    out,
    (g, ctx) => {
      // Golub and Pereyra (1973): -Pᵀ g Pᵀ, and the parts outside of the spaces of columns and rows.
      const [a, p] = ctx.saved as [Tensor, Tensor];
      const pt = mH(p);
      const inside = matmul(matmul(pt, g), pt);
      const columns = matmul(matmul(sub(mH(g), matmul(a, matmul(p, mH(g)))), p), pt);
      const rows = matmul(pt, matmul(p, sub(mH(g), matmul(matmul(mH(g), p), a))));
      return [sub(add(columns, rows), inside)];
    },
    [a, out],
  );
});

const lstsqOptions = { rcond: is.nonNegative };

/**
 * The shortest X with the least `‖A X - B‖`, for `[..., m, n]` and `[..., m, k]`, or a vector `[m]`. Also the sums of
 * squared residuals (`[..., k]` where m > n, else empty), the ranks, and the singular values. Values up to `rcond`
 * times the largest count as 0; by default `max(m, n)` times the epsilon of the dtype.
 *
 * ```ts
 * lstsq(tensor([[1, 0], [1, 1], [1, 2]]), tensor([1, 3, 5])).solution; // [1, 2]
 * ```
 */
export const lstsq = /* @__PURE__ */ inFloat32(
  'lstsq',
  (
    a: Tensor,
    b: Tensor,
    options?: { rcond?: number },
  ): { solution: Tensor; residuals: Tensor; rank: Tensor; singularValues: Tensor } => {
    const { rcond } = checkOptions('lstsq', options, lstsqOptions);
    const [m, n] = checkMatrix('lstsq', a);
    checkOneDType('lstsq', a, b);
    if (b.ndim === 1) {
      if (a.ndim !== 2)
        throw new ShapeError('lstsq', `a vector b must come with a single matrix, got ${formatShape(a.shape)}`);
      const { solution, residuals, ...rest } = lstsq(a, unsqueeze(b, -1), options);
      return { solution: squeeze(solution, -1), residuals, ...rest };
    }
    if (b.ndim < 2 || b.shape.at(-2) !== m)
      throw new ShapeError(
        'lstsq',
        `${formatShape(a.shape)} and ${formatShape(b.shape)}: expected [..., m, n] and [..., m, k]`,
      );
    const tolerance: RankOptions = rcond === undefined ? {} : { rtol: rcond };
    const solution = matmul(pinv(a, tolerance), b);
    const rest = sub(matmul(a, solution), b);
    const sizes = isComplex(rest.dtype) ? rest.abs() : rest;
    const residuals = m > n ? sum(square(sizes), -2) : Tensor.zeros(sizes.dtype, [0], a.storage.backend);
    const singularValues = svdvals(a);
    return { solution, residuals, rank: rankOf(singularValues.detach(), [m, n], tolerance), singularValues };
  },
);
