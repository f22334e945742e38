import { kernelsOf } from '../backend/backends.js';
import { check, show } from '../check.js';
import { IndexError, named, ShapeError } from '../errors.js';
import { type Node, record } from '../graph/node.js';
import { makeView, makeViews } from '../graph/view.js';
import { promoteTypes } from '../memory/promote.js';
import { checkSize, formatShape, normalizeDim, sameShape } from '../memory/shape.js';
import { checkList, checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, type MethodsOf, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { to } from './copy.js';
import type * as self from './joining.js';
import { unsqueeze } from './shape.js';

// Parts of a tensor along a dimension, and tensors joined of parts.

/**
 * A view of `length` elements from `start` along `dim`. Throws if they are out of range.
 *
 * ```ts
 * narrow(arange(5), 0, 1, 3); // [1, 2, 3]
 * ```
 */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor {
  checkTensors('narrow', x);
  const d = normalizeDim('narrow', dim, x.ndim);
  checkHasDims('narrow', x);
  const n = x.shape[d] ?? 0;
  const from = Number.isInteger(start) ? (start < 0 ? start + n : start) : -1;
  if (!Number.isInteger(length) || length < 0 || from < 0 || from + length > n)
    throw new IndexError(
      'narrow',
      `start ${show(start)} and length ${show(length)} leave dimension ${dim} of ${formatShape(x.shape)}`,
    );
  const shape = x.shape.map((v, i) => (i === d ? length : v));
  return makeView('narrow', x, shape, x.strides, x.offset + from * x.strides[d]!, (g) => [padDim(g, d, from, n)]);
}

function checkHasDims(op: string, x: Tensor): void {
  if (x.ndim === 0) throw new ShapeError(op, 'a scalar tensor has no dimensions; use unsqueeze(0) first');
}

/** Zeros of size `n` along `dim`, with `g` at `start`. */
function padDim(g: Tensor, dim: number, start: number, n: number): Tensor {
  const shape = g.shape.map((v, i) => (i === dim ? n : v));
  const out = Tensor.zeros(g.dtype, shape, g.storage.backend);
  const part = new Tensor(out.storage, g.dtype, g.shape, out.strides, start * out.strides[dim]!);
  if (g.numel > 0) kernelsOf('narrow', out).copy(g, part);
  return record('padDim', [g], out, (h) => [narrow(h, dim, start, g.shape[dim]!)]);
}

/**
 * A view of the slice at `index` along `dim`, without that dimension. Negative indices count from the end.
 *
 * ```ts
 * select(tensor([[1, 2], [3, 4]]), 0, 1); // [3, 4]
 * ```
 */
export function select(x: Tensor, dim: number, index: number): Tensor {
  checkTensors('select', x);
  const d = normalizeDim('select', dim, x.ndim);
  const n = x.shape[d] ?? 0;
  checkHasDims('select', x);
  if (!Number.isInteger(index) || index < -n || index >= n)
    throw new IndexError('select', `index ${show(index)} is out of range for dimension ${dim} of size ${n}`);
  const at = index < 0 ? index + n : index;
  const drop = (of: readonly number[]) => of.filter((_, i) => i !== d);
  return makeView('select', x, drop(x.shape), drop(x.strides), x.offset + at * x.strides[d]!, (g) => [
    padDim(unsqueeze(g, d), d, at, n),
  ]);
}

/**
 * Joins tensors along `dim`, 0 by default. All other sizes must be equal; dtypes promote.
 *
 * ```ts
 * cat([tensor([1]), tensor([2, 3])]); // [1, 2, 3]
 * ```
 */
export const cat = /* @__PURE__ */ named('cat', (list: readonly Tensor[], dim = 0): Tensor => {
  const tensors = checkList('cat', list);
  const first = tensors[0]!;
  const d = normalizeDim('cat', dim, first.ndim);
  if (first.ndim === 0) throw new ShapeError('cat', 'scalar tensors have no dimension to join along; use stack()');
  for (const x of tensors)
    if (x.ndim !== first.ndim || x.shape.some((n, i) => i !== d && n !== first.shape[i]))
      throw new ShapeError(
        'cat',
        `shapes ${tensors.map((x) => formatShape(x.shape)).join(', ')} differ beyond dimension ${d}`,
      );
  const sizes = tensors.map((x) => x.shape[d]!);
  const dtype = tensors.map((x) => x.dtype).reduce(promoteTypes);
  const total = sizes.reduce((a, b) => a + b, 0);
  const shape = first.shape.map((n, i) => (i === d ? total : n));
  checkSize('cat', shape);
  const out = Tensor.uninitialized(dtype, shape, first.storage.backend);
  const starts: number[] = [];
  let at = 0;
  tensors.forEach((x, i) => {
    starts.push(at);
    const part = new Tensor(out.storage, dtype, x.shape, out.strides, at * out.strides[d]!);
    if (x.numel > 0) kernelsOf('cat', out, x).copy(x, part);
    at += sizes[i]!;
  });
  const dtypes = tensors.map((x) => x.dtype);
  return record('cat', tensors, out, (g, ctx) =>
    sizes.map((n, i) => (ctx.needs(i) ? to(narrow(g, d, starts[i]!, n), dtypes[i]!) : null)),
  );
});

/**
 * Joins tensors of one shape along a new dimension at `dim`, 0 by default: n tensors `[a, b]` to `[n, a, b]`.
 *
 * ```ts
 * stack([tensor([1, 2]), tensor([3, 4])]); // [[1, 2], [3, 4]]
 * ```
 */
export const stack = /* @__PURE__ */ named('stack', (list: readonly Tensor[], dim = 0): Tensor => {
  const tensors = checkList('stack', list);
  const first = tensors[0]!;
  for (const x of tensors)
    if (!sameShape(x.shape, first.shape))
      throw new ShapeError(
        'stack',
        `all shapes must be equal, got ${tensors.map((x) => formatShape(x.shape)).join(', ')}`,
      );
  return cat(
    tensors.map((x) => unsqueeze(x, normalizeDim('stack', dim, first.ndim + 1))),
    dim,
  );
});

/**
 * Splits along `dim` into views of `size` (the last may be smaller), or of the given sizes.
 *
 * ```ts
 * split(arange(5), 2); // [[0, 1], [2, 3], [4]]
 * ```
 */
export const split = /* @__PURE__ */ madeOf(
  'split',
  (x: Tensor, size: number | readonly number[], dim = 0): Tensor[] => {
    const d = normalizeDim('split', dim, x.ndim);
    checkHasDims('split', x);
    const n = x.shape[d] ?? 0;
    if (typeof size === 'number') check('split', 'a size', size, is.count);
    const sizes =
      typeof size === 'number'
        ? Array.from({ length: Math.max(1, Math.ceil(n / size)) }, (_, i) => Math.min(size, n - i * size))
        : Array.isArray(size)
          ? [...size]
          : size;
    check('split', 'size', sizes, is.arrayOf(is.size));
    if (sizes.reduce((a, b) => a + b, 0) !== n)
      throw new ShapeError('split', `sizes ${formatShape(sizes)} do not add up to ${n}, the size of dimension ${dim}`);
    let at = 0;
    const places = sizes.map((length) => {
      const offset = x.offset + at * x.strides[d]!;
      at += length;
      return { shape: x.shape.map((v, i) => (i === d ? length : v)), strides: x.strides, offset };
    });
    return makeViews('split', x, places, (grads, ctx) => [cat(withZeros(grads, ctx), d)]);
  },
);

/**
 * Splits along `dim` into at most `chunks` views of one size; the last may be smaller.
 *
 * ```ts
 * chunk(arange(4), 2); // [[0, 1], [2, 3]]
 * ```
 */
export const chunk = /* @__PURE__ */ madeOf('chunk', (x: Tensor, chunks: number, dim = 0): Tensor[] => {
  check('chunk', 'chunks', chunks, is.count);
  return split(x, Math.max(1, Math.ceil((x.shape[normalizeDim('chunk', dim, x.ndim)] ?? 0) / chunks)), dim);
});

/**
 * Views of the slices along `dim`, 0 by default, without that dimension: an array of as many as its size.
 *
 * ```ts
 * unbind(tensor([[1, 2], [3, 4]])); // [[1, 2], [3, 4]]
 * ```
 */
export function unbind(x: Tensor, dim = 0): Tensor[] {
  checkTensors('unbind', x);
  const d = normalizeDim('unbind', dim, x.ndim);
  checkHasDims('unbind', x);
  const drop = (of: readonly number[]) => of.filter((_, i) => i !== d);
  const [shape, strides] = [drop(x.shape), drop(x.strides)];
  const places = Array.from({ length: x.shape[d]! }, (_, i) => ({
    shape,
    strides,
    offset: x.offset + i * x.strides[d]!,
  }));
  return makeViews('unbind', x, places, (grads, ctx) => [stack(withZeros(grads, ctx), d)]);
}

/** The gradients of all outputs of a node: zeros for those that nothing used. */
function withZeros(grads: readonly (Tensor | null)[], ctx: Node): Tensor[] {
  const { backend } = grads.find((g) => g)!.storage;
  return ctx.shapes.map((shape, i) => grads[i] ?? Tensor.zeros(ctx.dtypeOf(i), shape, backend));
}

const plain = {
  narrow,
  select,
  split,
  chunk,
  unbind,
};
methods(plain);

const own = {
  /** Joins this tensor and `others` along `dim`. */
  cat: (x: Tensor, others: readonly Tensor[], dim?: number): Tensor => {
    check('cat', 'others', others, is.arrayOf(is.tensor));
    return cat([x, ...others], dim);
  },
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain>, MethodsOf<typeof own> {}
}
