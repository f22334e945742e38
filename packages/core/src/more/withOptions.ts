import { check, checkOptions } from '../check.js';
import { named } from '../errors.js';
import { isFloat } from '../memory/dtype.js';
import { div, mul } from '../ops/elementwise.js';
import { indexAdd as indexAddPlain } from '../ops/indexing.js';
import { round as roundPlain } from '../ops/rounding.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

// Operators of core with options that few programs need.

const roundOptions = { decimals: is.integer };

/**
 * Rounds to `decimals` places after the point, 0 by default; places below 0 round to tens, hundreds and so on. Halves
 * go to the even one, and integers stay as they are. The gradient is 0. The result has the shape of `x`.
 *
 * ```ts
 * more.round(tensor([1.234, -5.678]), { decimals: 1 }); // [1.2, -5.7]
 * ```
 */
export const round = /* @__PURE__ */ madeOf('round', (x: Tensor, options?: { decimals?: number }): Tensor => {
  const { decimals = 0 } = checkOptions('round', options, roundOptions);
  if (decimals === 0 || !isFloat(x.dtype)) return roundPlain(x);
  const scale = 10 ** Math.abs(decimals);
  return decimals > 0 ? div(roundPlain(mul(x, scale)), scale) : mul(roundPlain(div(x, scale)), scale);
});

const indexAddOptions = { alpha: is.number };

/**
 * `x` with `alpha` times `src` added at the places `index` along `dim`; `alpha` is 1 by default. The result has the
 * shape of `x`.
 *
 * ```ts
 * const index = tensor([1], { dtype: 'int32' });
 * more.indexAdd(zeros([2, 2]), 0, index, tensor([[1, 2]]), { alpha: 2 }); // [[0, 0], [2, 4]]
 * ```
 */
export const indexAdd = /* @__PURE__ */ named(
  'indexAdd',
  (x: Tensor, dim: number, index: Tensor, src: Tensor, options?: { alpha?: number }): Tensor => {
    checkTensors('indexAdd', x, index, src);
    const { alpha = 1 } = checkOptions('indexAdd', options, indexAddOptions);
    if (!isFloat(src.dtype)) check('indexAdd', 'alpha for integers', alpha, is.integer);
    return indexAddPlain(x, dim, index, alpha === 1 ? src : mul(src, alpha));
  },
);
