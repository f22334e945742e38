import { check, checkOptions, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { checkMatrix, checkSquare } from '../ops/checkMatrix.js';
import { floatOrComplex } from '../ops/define.js';
import { div, mul } from '../ops/elementwise.js';
import { amax, amin } from '../ops/extrema.js';
import { select } from '../ops/joining.js';
import { inverse, LinAlgError } from '../ops/linalg.js';
import { keepDim } from '../ops/options.js';
import { norm as coreNorm, type KeepDim, sum } from '../ops/reduce.js';
import { permute, unsqueeze } from '../ops/shape.js';
import { madeOf } from '../tensor/check.js';
import { fullLike } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { svdvals } from './svd.js';

/**
 * The norm `ord` of vectors over `dim` (by default or with null, of all elements): `(Σ|x|^ord)^(1/ord)`; for Infinity
 * the largest absolute value, for -Infinity the smallest, for 0 the number of nonzero elements.
 *
 * ```ts
 * vectorNorm(tensor([3, -4])); // 5
 * ```
 */
export const vectorNorm = /* @__PURE__ */ named(
  'vectorNorm',
  (x: Tensor, ord = 2, dim?: number | readonly number[] | null, options?: KeepDim): Tensor => {
    check('vectorNorm', 'ord', ord, is.number);
    return coreNorm(x, ord, dim, options);
  },
);

/** A norm of matrices: Frobenius, nuclear, or a number as in `matrixNorm`. */
export type MatrixOrd = 'fro' | 'nuc' | number;

const ords: readonly unknown[] = ['fro', 'nuc', 1, -1, 2, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** Options of `matrixNorm`. */
export interface MatrixNormOptions extends KeepDim {
  /** The two dimensions of rows and columns: the last ones by default. */
  dim?: readonly [number, number];
}

const matrixNormOptions = { ...keepDim, dim: is.tuple(is.integer, is.integer) };

/**
 * The norm `ord` of matrices `[..., m, n]`: `'fro'` is the root of the sum of squares, `'nuc'` the sum of the singular
 * values; 2 and -2 are the largest and the smallest singular value; 1 and -1 the largest and the smallest sum of
 * absolute values in a column, Infinity and -Infinity in a row.
 *
 * ```ts
 * matrixNorm(tensor([[1, 2], [3, 4]]), 1); // 6
 * ```
 */
export const matrixNorm = /* @__PURE__ */ inFloat32(
  'matrixNorm',
  (a: Tensor, ord: MatrixOrd = 'fro', options?: MatrixNormOptions): Tensor => {
    const { dim = [-2, -1], keepdim = false } = checkOptions('matrixNorm', options, matrixNormOptions);
    checkMatrix('matrixNorm', a);
    if (!ords.includes(ord))
      throw new RangeError(
        `matrixNorm: ord must be 'fro', 'nuc', 1, -1, 2, -2, Infinity or -Infinity, got ${show(ord)}`,
      );
    const dims = dim.map((d) => normalizeDim('matrixNorm', d, a.ndim));
    const [rows, columns] = dims as [number, number];
    if (rows === columns)
      throw new ShapeError('matrixNorm', `needs two dimensions of ${formatShape(a.shape)}, got ${dim}`);
    const others = a.shape.map((_, i) => i).filter((i) => !dims.includes(i));
    const out = ofLast(permute(a, ...others, rows, columns), ord);
    return keepdim ? [...dims].sort((p, q) => p - q).reduce((t, d) => unsqueeze(t, d), out) : out;
  },
);

function ofLast(a: Tensor, ord: MatrixOrd): Tensor {
  if (ord === 'fro') return coreNorm(a, 2, [-2, -1]);
  if (ord === 'nuc') return sum(svdvals(a), -1);
  if (ord === 2) return amax(svdvals(a), -1);
  if (ord === -2) return amin(svdvals(a), -1);
  const sums = sum(a.abs(), Number.isFinite(ord) ? -2 : -1);
  return ord > 0 ? amax(sums, -1) : amin(sums, -1);
}

/**
 * A norm of vectors or matrices: with one `dim`, or for a vector, as `vectorNorm`; with two, or for a matrix, as
 * `matrixNorm`. Without `ord`, the root of the sum of squares.
 *
 * ```ts
 * linalg.norm(tensor([[3, 0], [0, 4]]), 'nuc'); // 7
 * ```
 */
export const norm = /* @__PURE__ */ madeOf(
  'norm',
  (x: Tensor, ord?: MatrixOrd | null, dim?: number | readonly number[] | null, options?: KeepDim): Tensor => {
    const { keepdim = false } = checkOptions('norm', options, keepDim);
    floatOrComplex('norm', x);
    if (ord == null) return coreNorm(x, 2, dim, { keepdim });
    const count = typeof dim === 'number' ? 1 : (dim?.length ?? x.ndim);
    if (count === 2) {
      const pair = (dim ?? [-2, -1]) as [number, number];
      return matrixNorm(x, ord, { dim: pair, keepdim });
    }
    if (typeof ord !== 'number' || count !== 1)
      throw new ShapeError(
        'norm',
        `${show(ord)} over ${count} dimensions of ${formatShape(x.shape)}: give one or two, or no ord`,
      );
    return coreNorm(x, ord, dim, { keepdim });
  },
);

/**
 * The condition number of matrices `[..., m, n]`: for `p` 2 the largest singular value over the smallest (for -2 the
 * inverse); for the other norms of `matrixNorm` the norm times that of the inverse, Infinity for one singular matrix.
 *
 * ```ts
 * cond(tensor([[2, 0], [0, 4]])); // 2
 * ```
 */
export const cond = /* @__PURE__ */ inFloat32('cond', (a: Tensor, p: MatrixOrd = 2): Tensor => {
  checkMatrix('cond', a);
  if (p === 2 || p === -2) {
    const s = svdvals(a);
    if (s.shape.at(-1) === 0) throw new ShapeError('cond', `takes matrices with elements, got ${formatShape(a.shape)}`);
    const [most, least] = [select(s, -1, 0), select(s, -1, -1)];
    return p === 2 ? div(most, least) : div(least, most);
  }
  checkSquare('cond', a);
  const own = matrixNorm(a, p);
  try {
    return mul(own, matrixNorm(inverse(a), p));
  } catch (error) {
    if (!(error instanceof LinAlgError) || a.ndim > 2) throw error;
    return fullLike(own, Number.POSITIVE_INFINITY);
  }
});
