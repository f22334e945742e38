import { check, checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape, sameShape } from '../memory/shape.js';
import { diag, diagonal } from '../ops/diagonal.js';
import { select } from '../ops/joining.js';
import { flatten } from '../ops/shape.js';
import { type Index, set, slice } from '../ops/slicing.js';
import { copy_ } from '../ops/write.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

/** A copy of `x` in which `part` of it has the values of `src`. */
function withPart(op: string, x: Tensor, src: Tensor, part: (x: Tensor) => Tensor): Tensor {
  checkTensors(op, x, src);
  const out = x.clone();
  const place = part(out);
  if (!sameShape(place.shape, src.shape))
    throw new ShapeError(
      op,
      `the source must have the shape ${formatShape(place.shape)}, got ${formatShape(src.shape)}`,
    );
  copy_(place, src);
  return out;
}

/**
 * A copy of `x` whose part `index` along `dim` is `src`, which has the shape of that part.
 *
 * ```ts
 * selectScatter(zeros([2, 2]), ones([2]), 0, 1); // [[0, 0], [1, 1]]
 * ```
 */
export const selectScatter = /* @__PURE__ */ named(
  'selectScatter',
  (x: Tensor, src: Tensor, dim: number, index: number): Tensor =>
    withPart('selectScatter', x, src, (t) => select(t, dim, index)),
);

/** Where a slice begins, where it ends, and its step. */
export interface SliceOptions {
  /** 0 by default. */
  start?: number | null;
  /** The size of the dimension by default. */
  end?: number | null;
  /** 1 by default. */
  step?: number;
}

const sliceOptions = { start: is.nullable(is.integer), end: is.nullable(is.integer), step: is.count };

/**
 * A copy of `x` whose slice along `dim`, 0 by default, is `src`, which has the shape of that slice.
 *
 * ```ts
 * sliceScatter(zeros([4]), ones([2]), 0, { start: 1, end: 3 }); // [0, 1, 1, 0]
 * ```
 */
export const sliceScatter = /* @__PURE__ */ named(
  'sliceScatter',
  (x: Tensor, src: Tensor, dim = 0, options?: SliceOptions): Tensor => {
    const { start, end, step = 1 } = checkOptions('sliceScatter', options, sliceOptions);
    checkTensors('sliceScatter', x, src);
    check('sliceScatter', 'dim', dim, is.integer);
    const d = dim < 0 ? dim + x.ndim : dim;
    if (d < 0 || d >= x.ndim)
      throw new ShapeError('sliceScatter', `there is no dimension ${dim} in ${formatShape(x.shape)}`);
    const before = Array.from({ length: d }, () => slice());
    return withPart('sliceScatter', x, src, (t) => t.at(...before, slice(start ?? 0, end ?? undefined, step)));
  },
);

/**
 * A copy of `x` whose diagonal number `offset` is `src`.
 *
 * ```ts
 * diagonalScatter(zeros([2, 2]), ones([2])); // [[1, 0], [0, 1]]
 * ```
 */
export const diagonalScatter = /* @__PURE__ */ named(
  'diagonalScatter',
  (x: Tensor, src: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor =>
    withPart('diagonalScatter', x, src, (t) => diagonal(t, offset, dim1, dim2)),
);

/**
 * A copy of `x` with a value at the places that the indices select, as `set` writes it: tensors of indices for the first
 * dimensions. The value broadcasts.
 *
 * ```ts
 * const index = tensor([1], { dtype: 'int32' });
 * indexPut(zeros([3]), [index], 5); // [0, 5, 0]
 * ```
 */
export const indexPut = /* @__PURE__ */ named(
  'indexPut',
  (x: Tensor, indices: readonly Index[], value: Tensor | number): Tensor => {
    checkTensors('indexPut', x);
    check('indexPut', 'the indices', indices, is.arrayOf(is.anything));
    return set(x.clone(), ...indices, value);
  },
);

/**
 * A matrix whose diagonal number `offset` holds the elements of `x` in row-major order, and zeros elsewhere.
 *
 * ```ts
 * diagflat(tensor([[1], [2]])); // [[1, 0], [0, 2]]
 * ```
 */
export const diagflat = /* @__PURE__ */ named('diagflat', (x: Tensor, offset = 0): Tensor => {
  checkTensors('diagflat', x);
  return diag(flatten(x), offset);
});

/**
 * Fills the main diagonal of a matrix, or of a tensor whose dimensions have one size, in place.
 *
 * ```ts
 * fillDiagonal_(zeros([2, 2]), 3); // [[3, 0], [0, 3]]
 * ```
 */
export const fillDiagonal_ = /* @__PURE__ */ named('fillDiagonal_', <T extends Tensor>(x: T, value: number): T => {
  checkTensors('fillDiagonal_', x);
  check('fillDiagonal_', 'the value', value, is.number);
  if (x.ndim < 2 || (x.ndim > 2 && x.shape.some((n) => n !== x.shape[0])))
    throw new ShapeError('fillDiagonal_', `takes matrices, or dimensions of one size, got ${formatShape(x.shape)}`);
  let main: Tensor = x;
  while (main.ndim > 1) main = diagonal(main, 0, 0, 1).movedim(-1, 0);
  main.fill_(value);
  return x;
});
