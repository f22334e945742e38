import { kernelsOf } from '../backend/backends.js';
import { checkOptions, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { gatherAlong } from '../graph/positions.js';
import { normalizeDim } from '../memory/shape.js';
import { madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import type { ValuesAndIndices } from './extrema.js';
import { narrow } from './joining.js';
import type * as self from './sorting.js';

/**
 * Sorts along `dim`, and returns the indices too. Stable; NaN counts as the largest.
 *
 * ```ts
 * sort(tensor([3, 1, 2])); // { values: [1, 2, 3], indices: [1, 2, 0] }
 * ```
 */
export const sort = /* @__PURE__ */ named(
  'sort',
  (x: Tensor, dim = -1, options?: { descending?: boolean }): ValuesAndIndices => {
    const indices = argsort(x, dim, options);
    const values = x.ndim === 0 ? x.clone() : gatherAlong('gather', x, normalizeDim('sort', dim, x.ndim), indices);
    return { values, indices };
  },
);

const argsortOptions = { descending: is.boolean };

/**
 * The indices that sort the elements along `dim`: int32, in the shape of `x`. Options as for `sort`.
 *
 * ```ts
 * argsort(tensor([3, 1, 2])); // [1, 2, 0]
 * ```
 */
export const argsort = /* @__PURE__ */ madeOf(
  'argsort',
  (x: Tensor, dim = -1, options?: { descending?: boolean }): Tensor => {
    const { descending = false } = checkOptions('argsort', options, argsortOptions);
    const d = normalizeDim('argsort', dim, x.ndim);
    const out = Tensor.uninitialized('int32', x.shape, x.storage.backend);
    kernelsOf('argsort', x).argsort(x, d, descending, out);
    return out;
  },
);

const topkOptions = { largest: is.boolean };

/**
 * The `k` largest (or smallest) elements along `dim` in order, and their indices.
 *
 * ```ts
 * topk(tensor([3, 1, 2]), 2); // { values: [3, 2], indices: [0, 2] }
 * ```
 */
export const topk = /* @__PURE__ */ madeOf(
  'topk',
  (x: Tensor, k: number, dim = -1, options?: { largest?: boolean }): ValuesAndIndices => {
    const { largest = true } = checkOptions('topk', options, topkOptions);
    const d = normalizeDim('topk', dim, x.ndim);
    const n = x.shape[d] ?? 1;
    if (!Number.isInteger(k) || k < 0 || k > n)
      throw new ShapeError('topk', `k must be from 0 to the size ${n} of dimension ${dim}, got ${show(k)}`);
    if (x.ndim === 0) return sort(x);
    const order = narrow(argsort(x, d, { descending: largest }), d, 0, k).contiguous();
    return { values: gatherAlong('gather', x, d, order), indices: order };
  },
);

const plain = {
  sort,
  argsort,
  topk,
};
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
