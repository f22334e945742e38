import { check, checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import { checkList, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { indexSelect } from './indexing.js';
import { stack } from './joining.js';
import { expand, reshape } from './shape.js';

/**
 * The coordinates of a grid: for vectors of sizes n, m, ... tensors of shape [n, m, ...] each.
 *
 * ```ts
 * const [x, y] = meshgrid(tensor([1, 2]), tensor([3, 4]));
 * x; // [[1, 1], [2, 2]]
 * y; // [[3, 4], [3, 4]]
 * ```
 */
export function meshgrid(...vectors: readonly Tensor[]): Tensor[] {
  checkList('meshgrid', vectors);
  for (const v of vectors)
    if (v.ndim > 1) throw new ShapeError('meshgrid', `takes vectors, got ${formatShape(v.shape)}`);
  const shape = vectors.map((v) => v.numel);
  return vectors.map((v, i) =>
    expand(
      reshape(
        v,
        shape.map((n, j) => (j === i ? n : 1)),
      ),
      shape,
    ),
  );
}

/**
 * Every choice of one element from each vector of an array, as rows: `[count, number of vectors]`.
 *
 * ```ts
 * cartesianProd(tensor([1, 2]), tensor([3, 4])); // [[1, 3], [1, 4], [2, 3], [2, 4]]
 * ```
 */
export const cartesianProd = /* @__PURE__ */ named('cartesianProd', (...vectors: readonly Tensor[]): Tensor => {
  checkList('cartesianProd', vectors);
  if (vectors.length === 1) return vectors[0]!.clone();
  return stack(
    meshgrid(...vectors).map((g) => g.flatten()),
    1,
  );
});

const combinationsOptions = { withReplacement: is.boolean };

/**
 * Every choice of `r` elements, 2 by default, of a vector, in order: `[count, r]`. With `withReplacement` an element
 * may repeat.
 *
 * ```ts
 * combinations(tensor([1, 2, 3])); // [[1, 2], [1, 3], [2, 3]]
 * ```
 */
export const combinations = /* @__PURE__ */ madeOf(
  'combinations',
  (x: Tensor, r = 2, options?: { withReplacement?: boolean }): Tensor => {
    const { withReplacement = false } = checkOptions('combinations', options, combinationsOptions);
    if (x.ndim !== 1) throw new ShapeError('combinations', `takes a vector, got ${formatShape(x.shape)}`);
    check('combinations', 'r', r, is.size);
    const count = binomial(withReplacement ? x.numel + r - 1 : x.numel, r);
    if (count * r > maxChosen)
      throw new ShapeError(
        'combinations',
        `there are ${count} combinations of ${r} out of ${x.numel} elements, more than can be held; draw some with multinomial() or randperm()`,
      );
    // Of none there is nothing to list, however long a row would be.
    if (count === 0)
      return indexSelect(x, 0, Tensor.of(new Int32Array(0), 'int32', [0], x.storage.backend)).reshape(0, r);
    const chosen = new Int32Array(count * r);
    const gap = withReplacement ? 0 : 1;
    const row = Int32Array.from({ length: r }, (_, k) => k * gap);
    for (let i = 0; i < count; i++) {
      chosen.set(row, i * r);
      // Advances the last position that can advance; those behind it start right after it.
      let k = r - 1;
      while (k >= 0 && row[k] === x.numel - 1 - gap * (r - 1 - k)) k--;
      if (k >= 0) for (let v = row[k]! + 1; k < r; k++, v += gap) row[k] = v;
    }
    return indexSelect(x, 0, Tensor.of(chosen, 'int32', [count * r], x.storage.backend)).reshape(count, r);
  },
);

/** The most elements in all combinations: beyond that their positions alone would take a gigabyte. */
const maxChosen = 2 ** 28;

/** The number of ways to choose `r` of `n`; stops counting where there are too many to list. */
function binomial(n: number, r: number): number {
  if (r > n) return r === 0 ? 1 : 0;
  let count = 1;
  for (let i = 1; i <= Math.min(r, n - r) && count < 2 ** 60; i++) count = Math.round((count * (n - i + 1)) / i);
  return count;
}
