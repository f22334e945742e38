import { checkOptions } from '../check.js';
import { isFloat } from '../memory/dtype.js';
import { inFloat32 } from '../ops/casting.js';
import { add, mul, sqrt } from '../ops/elementwise.js';
import { matmul } from '../ops/matmul.js';
import { le } from '../ops/relational.js';
import { cdist as byDifferences } from '../ops/statistics.js';
import { sum } from '../ops/sum.js';
import { where } from '../ops/where.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

/** How `cdist` computes Euclidean distances. */
export interface CdistOptions {
  /**
   * By one product of matrices ('useMmForEuclidDist'), which is fast, but loses the digits that near rows have in
   * common; by differences ('donotUseMmForEuclidDist'); or, the default ('useMmForEuclidDistIfNecessary'), by a product
   * for more than 25 rows of either.
   */
  computeMode?: 'useMmForEuclidDistIfNecessary' | 'useMmForEuclidDist' | 'donotUseMmForEuclidDist';
}

const [ifNecessary, always, never] = [
  'useMmForEuclidDistIfNecessary',
  'useMmForEuclidDist',
  'donotUseMmForEuclidDist',
] as const;

const cdistOptions = { computeMode: is.oneOf(ifNecessary, always, never) };

/**
 * The `p`-norms of all differences of rows: `[..., n, k]` and `[..., m, k]` to `[..., n, m]`. Core's `cdist` always
 * computes the differences; this one has PyTorch's `computeMode` for Euclidean norms: a matrix product takes a fraction
 * of the time and memory for many rows.
 *
 * ```ts
 * more.cdist(tensor([[0, 0]]), tensor([[3, 4], [0, 1]]), 2, { computeMode: 'useMmForEuclidDist' }); // [[5, 1]]
 * ```
 */
export const cdist = /* @__PURE__ */ inFloat32(
  'cdist',
  (a: Tensor, b: Tensor, p = 2, options?: CdistOptions): Tensor => {
    const { computeMode = ifNecessary } = checkOptions('cdist', options, cdistOptions);
    checkTensors('cdist', a, b);
    const isLarge = Math.max(a.shape.at(-2) ?? 0, b.shape.at(-2) ?? 0) > 25;
    const isByProduct = computeMode === always || (computeMode === ifNecessary && isLarge);
    // What does not fit is refused by the other.
    const fits =
      isFloat(a.dtype) && a.dtype === b.dtype && a.ndim > 1 && b.ndim > 1 && a.shape.at(-1) === b.shape.at(-1);
    if (p !== 2 || !isByProduct || !fits) return byDifferences(a, b, p);
    return byProduct(a, b);
  },
);

/** By |a - b|² = |a|² + |b|² - 2 a b. What is 0, or what rounding made negative, is 0 and has no gradient. */
function byProduct(a: Tensor, b: Tensor): Tensor {
  const squares = (x: Tensor) => sum(mul(x, x), -1, { keepdim: true });
  const inner = mul(matmul(a, b.mT), -2);
  const square = add(add(inner, squares(a)), squares(b).mT);
  const none = le(square, 0);
  return where(none, 0, sqrt(where(none, 1, square)));
}
