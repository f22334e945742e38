import { check } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { makeView } from '../graph/view.js';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  formatShape,
  normalizeDim,
  type Shape,
  sameShape,
  sizeOf,
} from '../memory/shape.js';
import { checkList, checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { clone } from './copy.js';
import { sumTo } from './reduce.js';
import type * as self from './shape.js';

// The same elements in another shape: views where strides allow it.

/** The shape with its -1 computed from the number of elements. */
function inferShape(op: string, x: Tensor, shape: Shape): Shape {
  checkTensors(op, x);
  const unknown = shape.indexOf(-1);
  if (unknown < 0) {
    if (sizeOf(checkShape(op, shape)) !== x.numel)
      throw new ShapeError(
        op,
        `${formatShape(x.shape)} has ${x.numel} elements and cannot become ${formatShape(shape)}`,
      );
    return shape.slice();
  }
  const known = sizeOf(
    checkShape(
      op,
      shape.filter((_, i) => i !== unknown),
    ),
  );
  if (known === 0 || x.numel % known !== 0)
    throw new ShapeError(
      op,
      `${formatShape(x.shape)} has ${x.numel} elements, so -1 in ${formatShape(shape)} has no whole value`,
    );
  return shape.map((n, i) => (i === unknown ? x.numel / known : n));
}

/** Strides that give `x` the new shape without a copy, or null if there are none. */
function viewStrides(x: Tensor, shape: Shape): number[] | null {
  if (x.numel === 0) return shape.map(() => 1);
  // Evenly spaced old dimensions form a block; the last block comes first. Sizes of 1 are ignored.
  const blocks: { size: number; step: number }[] = [];
  for (let i = x.ndim - 1; i >= 0; i--) {
    const size = x.shape[i]!;
    if (size === 1) continue;
    const last = blocks.at(-1);
    if (last && x.strides[i] === last.size * last.step) last.size *= size;
    else blocks.push({ size, step: x.strides[i]! });
  }
  // Each block is split evenly into new dimensions.
  const strides = new Array<number>(shape.length).fill(1);
  let b = 0;
  let taken = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const n = shape[d]!;
    if (n === 1) continue;
    const block = blocks[b]!;
    if (block.size % (taken * n) !== 0) return null;
    strides[d] = block.step * taken;
    taken *= n;
    if (taken === block.size) {
      b++;
      taken = 1;
    }
  }
  return strides;
}

const spreadArgs = (args: readonly (number | Shape)[]): Shape =>
  args.length === 1 && Array.isArray(args[0]) ? (args[0] as Shape) : (args as number[]);

function viewAs(op: string, x: Tensor, shape: Shape, strides: number[]): Tensor {
  const from = x.shape;
  return makeView(op, x, shape, strides, x.offset, (g) => [reshape(g, from)]);
}

/**
 * The same elements in another shape, sharing storage; one size may be -1. Throws if that would need a copy.
 *
 * ```ts
 * view(arange(4), 2, 2); // [[0, 1], [2, 3]]
 * ```
 */
export function view(x: Tensor, ...shape: readonly (number | Shape)[]): Tensor {
  const target = inferShape('view', x, spreadArgs(shape));
  const strides = viewStrides(x, target);
  if (strides === null)
    throw new ShapeError(
      'view',
      `${formatShape(x.shape)} with strides ${formatShape(x.strides)} cannot be seen as ${formatShape(target)} without a copy; use reshape()`,
    );
  return viewAs('view', x, target, strides);
}

/**
 * The same elements in another shape; one size may be -1. A view where possible, else a copy.
 *
 * ```ts
 * reshape(arange(6), 2, -1).shape; // [2, 3]
 * ```
 */
export function reshape(x: Tensor, ...shape: readonly (number | Shape)[]): Tensor {
  if (shape.length === 1 && Tensor.is(x) && shape[0] === x.shape) return x;
  const target = inferShape('reshape', x, spreadArgs(shape));
  if (sameShape(target, x.shape)) return x;
  const strides = viewStrides(x, target);
  return strides ? viewAs('reshape', x, target, strides) : reshape(copied(x), target);
}

const copied = /* @__PURE__ */ named('reshape', clone);

/**
 * Dimensions `startDim` to `endDim`, by default all, merged into one. A view where strides allow it, else a copy.
 *
 * ```ts
 * flatten(zeros([4, 3, 2]), 1).shape; // [4, 6]
 * ```
 */
export const flatten = /* @__PURE__ */ madeOf('flatten', (x: Tensor, startDim = 0, endDim = -1): Tensor => {
  if (x.ndim === 0) return reshape(x, 1);
  const a = normalizeDim('flatten', startDim, x.ndim);
  const b = normalizeDim('flatten', endDim, x.ndim);
  if (a > b) throw new ShapeError('flatten', `startDim ${startDim} comes after endDim ${endDim}`);
  return reshape(x, [...x.shape.slice(0, a), sizeOf(x.shape.slice(a, b + 1)), ...x.shape.slice(b + 1)]);
});

/**
 * Dimension `dim` split into several of the given sizes, one of which may be -1.
 *
 * ```ts
 * unflatten(zeros([4, 6]), 1, [2, -1]).shape; // [4, 2, 3]
 * ```
 */
export const unflatten = /* @__PURE__ */ madeOf('unflatten', (x: Tensor, dim: number, sizes: Shape): Tensor => {
  const d = normalizeDim('unflatten', dim, x.ndim);
  check('unflatten', 'sizes', sizes, is.arrayOf(is.integer));
  const known = sizeOf(sizes.filter((n) => n !== -1));
  const filled = sizes.map((n) => (n === -1 ? x.shape[d]! / known : n));
  if (sizeOf(filled) !== x.shape[d])
    throw new ShapeError(
      'unflatten',
      `dimension ${dim} has size ${x.shape[d]} and cannot become ${formatShape(sizes)}`,
    );
  return reshape(x, [...x.shape.slice(0, d), ...filled, ...x.shape.slice(d + 1)]);
});

/**
 * A view with the dimensions in another order: `permute(x, 2, 0, 1)` of `[a, b, c]` is `[c, a, b]`.
 *
 * ```ts
 * permute(zeros([2, 3, 4]), 2, 0, 1).shape; // [4, 2, 3]
 * ```
 */
export function permute(x: Tensor, ...dims: readonly (number | readonly number[])[]): Tensor {
  checkTensors('permute', x);
  const order = spreadArgs(dims).map((d) => normalizeDim('permute', d, x.ndim));
  if (order.length !== x.ndim || new Set(order).size !== x.ndim)
    throw new ShapeError('permute', `${formatShape(order)} does not name each of the ${x.ndim} dimensions once`);
  const back = order.map((_, i) => order.indexOf(i));
  const pick = (of: readonly number[]) => order.map((d) => of[d]!);
  return makeView('permute', x, pick(x.shape), pick(x.strides), x.offset, (g) => [permute(g, back)]);
}

/**
 * A view with two dimensions swapped.
 *
 * ```ts
 * transpose(tensor([[1, 2], [3, 4]]), 0, 1); // [[1, 3], [2, 4]]
 * ```
 */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor {
  checkTensors('transpose', x);
  const a = normalizeDim('transpose', dim0, x.ndim);
  const b = normalizeDim('transpose', dim1, x.ndim);
  const swap = (of: readonly number[]) => of.map((v, i) => (i === a ? of[b]! : i === b ? of[a]! : v));
  return makeView('transpose', x, swap(x.shape), swap(x.strides), x.offset, (g) => [transpose(g, a, b)]);
}

/**
 * The transpose of a matrix, as a view: `[m, n]` to `[n, m]`. Vectors and scalars stay as they are.
 *
 * ```ts
 * t(tensor([[1, 2], [3, 4]])); // [[1, 3], [2, 4]]
 * ```
 */
export function t(x: Tensor): Tensor {
  checkTensors('t', x);
  if (x.ndim > 2) throw new ShapeError('t', `takes at most 2 dimensions, got ${formatShape(x.shape)}; use transpose()`);
  return x.ndim < 2 ? x : transpose(x, 0, 1);
}

/**
 * Repeats dimensions of size 1 and adds leading ones, without a copy; -1 keeps a size.
 *
 * ```ts
 * expand(tensor([[1], [2]]), -1, 3); // [[1, 1, 1], [2, 2, 2]]
 * ```
 */
export function expand(x: Tensor, ...shape: readonly (number | Shape)[]): Tensor {
  checkTensors('expand', x);
  const given = spreadArgs(shape);
  const lead = given.length - x.ndim;
  const target = given.map((n, i) => (n === -1 && i >= lead ? x.shape[i - lead]! : n));
  checkShape('expand', target);
  if (sameShape(target, x.shape)) return x;
  const fits = lead >= 0 && x.shape.every((n, i) => n === 1 || n === target[i + lead]);
  if (!fits)
    throw new ShapeError(
      'expand',
      `${formatShape(x.shape)} does not expand to ${formatShape(given)}; only sizes of 1 can be repeated`,
    );
  const from = x.shape;
  return makeView('expand', x, target, broadcastStrides(x.shape, x.strides, target), x.offset, (g) => [sumTo(g, from)]);
}

/**
 * A view of `x` expanded to the shape of `other`.
 *
 * ```ts
 * expandAs(tensor([1, 2]), zeros([3, 2])).shape; // [3, 2]
 * ```
 */
export const expandAs = /* @__PURE__ */ named('expandAs', (x: Tensor, other: Tensor): Tensor => {
  checkTensors('expandAs', x, other);
  return expand(x, other.shape);
});

/**
 * Views of all tensors, expanded to the shape that they broadcast to. Throws if they do not.
 *
 * ```ts
 * broadcastTensors([zeros([3, 1]), zeros([2])]).map((x) => x.shape); // [[3, 2], [3, 2]]
 * ```
 */
export const broadcastTensors = /* @__PURE__ */ named('broadcastTensors', (tensors: readonly Tensor[]): Tensor[] => {
  checkList('broadcastTensors', tensors);
  const shape = tensors.reduce<Shape>((s, x) => broadcastShapes('broadcastTensors', s, x.shape), []);
  return tensors.map((x) => expand(x, shape));
});

/**
 * Removes dimensions of size 1: all, or the given ones; given dimensions of other sizes stay. A view.
 *
 * ```ts
 * squeeze(zeros([1, 3, 1])).shape; // [3]
 * ```
 */
export function squeeze(x: Tensor, dim?: number | readonly number[]): Tensor {
  checkTensors('squeeze', x);
  const dims =
    dim === undefined
      ? x.shape.map((_, i) => i)
      : [dim].flat().map((d) => normalizeDim('squeeze', d as number, x.ndim));
  const keep = x.shape.map((_, i) => i).filter((i) => x.shape[i] !== 1 || !dims.includes(i));
  const from = x.shape;
  const pick = (of: readonly number[]) => keep.map((i) => of[i]!);
  return makeView('squeeze', x, pick(x.shape), pick(x.strides), x.offset, (g) => [reshape(g, from)]);
}

/**
 * A view with a dimension of size 1 inserted at `dim`.
 *
 * ```ts
 * unsqueeze(zeros([3]), 0).shape; // [1, 3]
 * ```
 */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  checkTensors('unsqueeze', x);
  const d = normalizeDim('unsqueeze', dim, x.ndim + 1);
  const insert = (of: readonly number[], v: number) => [...of.slice(0, d), v, ...of.slice(d)];
  const step = (x.shape[d] ?? 1) * (x.strides[d] ?? 1);
  const from = x.shape;
  return makeView('unsqueeze', x, insert(x.shape, 1), insert(x.strides, step), x.offset, (g) => [reshape(g, from)]);
}

const plain = {
  view,
  reshape,
  flatten,
  unflatten,
  permute,
  transpose,
  t,
  expand,
  expandAs,
  squeeze,
  unsqueeze,
};
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
