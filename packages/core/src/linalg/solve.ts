import { checkOptions } from '../check.js';
import { named } from '../errors.js';
import { sameShape } from '../memory/shape.js';
import { checkOneDType } from '../ops/checkMatrix.js';
import { mH, solve as solveLeft } from '../ops/linalg.js';
import { squeeze, unsqueeze } from '../ops/shape.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkSides } from './decompose.js';

/** Options of `solve`. */
export interface SolveOptions {
  /** The X of `A X = B`, or with false of `X A = B`. */
  left?: boolean;
}

const solveOptions = { left: is.boolean };

/**
 * The X of `A X = B` for A `[..., n, n]` and B `[..., n, k]`, or with `left: false` of `X A = B` for B `[..., k, n]`.
 * Leading dimensions broadcast. B may be a vector `[n]`, or have one dimension less than A and its other sizes, as a
 * batch of vectors `[..., n]`.
 *
 * ```ts
 * linalg.solve(tensor([[2, 0], [0, 4]]), tensor([[2, 8]]), { left: false }); // [[1, 2]]
 * ```
 */
export const solve = /* @__PURE__ */ named('solve', (a: Tensor, b: Tensor, options?: SolveOptions): Tensor => {
  const { left = true } = checkOptions('solve', options, solveOptions);
  checkOneDType('solve', a, b);
  if (left) {
    const isVectors = b.ndim > 1 && sameShape(b.shape, a.shape.slice(0, -1));
    return isVectors ? squeeze(solveLeft(a, unsqueeze(b, -1)), -1) : solveLeft(a, b);
  }
  checkSides('solve', a, b, left);
  return mH(solveLeft(mH(a), mH(b)));
});
