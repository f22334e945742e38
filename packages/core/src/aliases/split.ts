import { check } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { narrow } from '../ops/joining.js';
import { hstack } from '../ops/rearrange.js';
import { reshape, unsqueeze } from '../ops/shape.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

/** How many parts, or the indices before which it is cut. */
export type Sections = number | readonly number[];

const sections = is.either(is.count, is.arrayOf(is.integer));

/**
 * Cuts along `dim` into views: into so many parts, the first of which are larger by one where it does not divide, or before
 * each of the given indices.
 *
 * ```ts
 * tensorSplit(arange(5), 2); // [[0, 1, 2], [3, 4]]
 * tensorSplit(arange(5), [1, 3]); // [[0], [1, 2], [3, 4]]
 * ```
 */
export const tensorSplit = /* @__PURE__ */ named('tensorSplit', (x: Tensor, parts: Sections, dim = 0): Tensor[] => {
  checkTensors('tensorSplit', x);
  check('tensorSplit', 'the parts', parts, sections);
  if (x.ndim === 0) throw new ShapeError('tensorSplit', 'takes tensors of one dimension or more, got a scalar tensor');
  const d = normalizeDim('tensorSplit', dim, x.ndim);
  const n = x.shape[d]!;
  const cuts =
    typeof parts === 'number'
      ? Array.from({ length: parts - 1 }, (_, i) => (i + 1) * Math.floor(n / parts) + Math.min(i + 1, n % parts))
      : parts.map((at) => Math.min(n, Math.max(0, at < 0 ? at + n : at)));
  return [...cuts, n].map((to, i) => {
    const from = i === 0 ? 0 : cuts[i - 1]!;
    return narrow(x, d, from, Math.max(0, to - from));
  });
});

/** `tensorSplit` along a dimension of its own, where parts must be equal. */
const along = (op: string, least: number, dimOf: (x: Tensor) => number) =>
  named(op, (x: Tensor, parts: Sections): Tensor[] => {
    checkTensors(op, x);
    if (x.ndim < least) throw new ShapeError(op, `takes ${least} dimensions or more, got ${formatShape(x.shape)}`);
    const dim = dimOf(x);
    if (typeof parts === 'number' && parts > 0 && x.shape[dim]! % parts !== 0)
      throw new ShapeError(
        op,
        `${x.shape[dim]} does not divide into ${parts} parts; use tensorSplit(x, ${parts}, ${dim})`,
      );
    return tensorSplit(x, parts, dim);
  });

/**
 * Cuts into equal parts, or before the given indices, along dimension 1; a vector along its only one.
 *
 * ```ts
 * hsplit(tensor([[1, 2], [3, 4]]), 2); // [[[1], [3]], [[2], [4]]]
 * ```
 */
export const hsplit = /* @__PURE__ */ along('hsplit', 1, (x) => (x.ndim === 1 ? 0 : 1));

/**
 * The same along dimension 0 of matrices and larger tensors.
 *
 * ```ts
 * vsplit(tensor([[1, 2], [3, 4]]), 2); // [[[1, 2]], [[3, 4]]]
 * ```
 */
export const vsplit = /* @__PURE__ */ along('vsplit', 2, () => 0);

/**
 * The same along dimension 2 of tensors with three dimensions or more.
 *
 * ```ts
 * dsplit(ones([1, 2, 4]), 2).length; // 2
 * ```
 */
export const dsplit = /* @__PURE__ */ along('dsplit', 3, () => 2);

/** Applies a function to a tensor, or to each of some. */
function toEach<T extends Tensor | readonly Tensor[]>(op: string, x: T, compute: (x: Tensor) => Tensor): T {
  if (!Array.isArray(x)) {
    checkTensors(op, x as Tensor);
    return compute(x as Tensor) as T;
  }
  check(op, 'the tensors', x, is.arrayOf(is.tensor));
  return x.map(compute) as never;
}

/**
 * A tensor of at least one dimension, or each of some: a scalar tensor becomes `[1]`.
 *
 * ```ts
 * atleast1d(tensor(3)).shape; // [1]
 * ```
 */
export const atleast1d = <T extends Tensor | readonly Tensor[]>(x: T): T =>
  toEach('atleast1d', x, (t) => (t.ndim === 0 ? reshape(t, [1]) : t));

/**
 * A tensor of at least two dimensions, or each of some: a vector becomes a row.
 *
 * ```ts
 * atleast2d(tensor([1, 2])).shape; // [1, 2]
 * ```
 */
export const atleast2d = <T extends Tensor | readonly Tensor[]>(x: T): T =>
  toEach('atleast2d', x, (t) => (t.ndim === 0 ? reshape(t, [1, 1]) : t.ndim === 1 ? unsqueeze(t, 0) : t));

/**
 * A tensor of at least three dimensions, or each of some: a vector becomes `[1, n, 1]`, a matrix `[m, n, 1]`.
 *
 * ```ts
 * atleast3d(tensor([1, 2])).shape; // [1, 2, 1]
 * ```
 */
export const atleast3d = <T extends Tensor | readonly Tensor[]>(x: T): T =>
  toEach('atleast3d', x, (t) => {
    if (t.ndim === 0) return reshape(t, [1, 1, 1]);
    if (t.ndim === 1) return unsqueeze(unsqueeze(t, 0), -1);
    return t.ndim === 2 ? unsqueeze(t, -1) : t;
  });

/**
 * Joins tensors along dimension 1; scalar tensors and vectors are columns.
 *
 * ```ts
 * columnStack([tensor([1, 2]), tensor([3, 4])]); // [[1, 3], [2, 4]]
 * ```
 */
export const columnStack = /* @__PURE__ */ named('columnStack', (tensors: readonly Tensor[]): Tensor => {
  check('columnStack', 'the tensors', tensors, is.arrayOf(is.tensor));
  return hstack(tensors.map((t) => (t.ndim <= 1 ? reshape(t, [t.numel, 1]) : t)));
});
