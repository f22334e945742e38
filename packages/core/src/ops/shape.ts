import { backend, deviceNames, isDevice, kernelsOf } from '../backend/backends.js';
import { check, show } from '../check.js';
import { DTypeError, IndexError, inNameOf, named, ShapeError } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { inPlace } from '../graph/inplace.js';
import { type Node, record } from '../graph/node.js';
import { makeView, makeViews } from '../graph/view.js';
import { checkDType, checkFits, type DType, isComplex, isFloat, lacksKind } from '../memory/dtype.js';
import { promoteTypes } from '../memory/promote.js';
import {
  broadcastShapes,
  broadcastStrides,
  checkShape,
  checkSize,
  formatShape,
  normalizeDim,
  type Shape,
  sameShape,
  sizeOf,
} from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, type MethodsOf, methods, Tensor } from '../tensor/tensor.js';
import { type TensorLike, toTensor } from './define.js';
import { sumTo } from './reduce.js';
import type * as self from './shape.js';

/**
 * A copy of `x` with storage of its own; gradients flow through it.
 *
 * ```ts
 * const x = tensor([1, 2]);
 * clone(x).storage === x.storage; // false
 * ```
 */
export const clone = /* @__PURE__ */ named('clone', (x: Tensor): Tensor => {
  checkTensors('clone', x);
  return record('clone', [x], copy(x, x.dtype), (g) => [g]);
});

function copy(x: Tensor, dtype: DType): Tensor {
  const { backend } = x.storage;
  const out = Tensor.uninitialized(dtype, x.shape, backend);
  (isComplex(dtype) ? out.storage.backend : backend).kernels.copy(x, out);
  return out;
}

/**
 * The tensor itself if its elements are contiguous in row-major order, else a contiguous copy.
 *
 * ```ts
 * contiguous(transpose(tensor([[1, 2], [3, 4]]), 0, 1)).isContiguous; // true
 * ```
 */
export function contiguous(x: Tensor): Tensor {
  checkTensors('contiguous', x);
  if (x.isContiguous) return x;
  try {
    return clone(x);
  } catch (error) {
    throw inNameOf('contiguous', error);
  }
}

/**
 * The tensor itself if it has this dtype, else a converted copy. Gradients flow between floating point dtypes.
 *
 * ```ts
 * to(tensor([1.5, -1.5]), 'int32'); // [1, -1]
 * ```
 */
export function to(x: Tensor, target: DType | (string & {})): Tensor {
  checkTensors('to', x);
  if (isDevice(target)) return toDevice(x, target);
  const dtype = checkDType('to', target, deviceNames);
  if (x.dtype === dtype) return x;
  const out = copy(x, dtype);
  const from = x.dtype;
  return isFloat(dtype) ? record('to', [x], out, (g) => [to(g, from)]) : out;
}

/** The same values on another device; the tensor itself if it is there already. */
function toDevice(x: Tensor, device: string): Tensor {
  if (x.device === device) return x;
  const from = x.device;
  return record('to', [x], x.moved(backend(device)), (g) => [toDevice(g, from)]);
}

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
  return strides ? viewAs('reshape', x, target, strides) : reshape(clone(x), target);
}

/**
 * Dimensions `startDim` to `endDim`, by default all, merged into one. A view where strides allow it, else a copy.
 *
 * ```ts
 * flatten(zeros([4, 3, 2]), 1).shape; // [4, 6]
 * ```
 */
export const flatten = /* @__PURE__ */ named('flatten', (x: Tensor, startDim = 0, endDim = -1): Tensor => {
  checkTensors('flatten', x);
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
export const unflatten = /* @__PURE__ */ named('unflatten', (x: Tensor, dim: number, sizes: Shape): Tensor => {
  checkTensors('unflatten', x);
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
export const cat = /* @__PURE__ */ named('cat', (tensors: readonly Tensor[], dim = 0): Tensor => {
  const first = checkList('cat', tensors);
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

export function checkList(op: string, tensors: readonly Tensor[]): Tensor {
  if (!Array.isArray(tensors) || tensors.length === 0 || !is.arrayOf(is.tensor).is(tensors))
    throw new TypeError(`${op}: expected an array of at least one Tensor, got ${show(tensors)}`);
  return tensors[0]!;
}

/**
 * Joins tensors of one shape along a new dimension at `dim`, 0 by default: n tensors `[a, b]` to `[n, a, b]`.
 *
 * ```ts
 * stack([tensor([1, 2]), tensor([3, 4])]); // [[1, 2], [3, 4]]
 * ```
 */
export const stack = /* @__PURE__ */ named('stack', (tensors: readonly Tensor[], dim = 0): Tensor => {
  const first = checkList('stack', tensors);
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
export const split = /* @__PURE__ */ named(
  'split',
  (x: Tensor, size: number | readonly number[], dim = 0): Tensor[] => {
    checkTensors('split', x);
    const d = normalizeDim('split', dim, x.ndim);
    checkHasDims('split', x);
    const n = x.shape[d] ?? 0;
    if (typeof size === 'number' && !(size > 0 && Number.isInteger(size)))
      throw new ShapeError('split', `a size must be a whole number above 0, got ${show(size)}`);
    if (typeof size !== 'number') check('split', 'size', size, is.arrayOf(is.size));
    const sizes =
      typeof size === 'number'
        ? Array.from({ length: Math.max(1, Math.ceil(n / size)) }, (_, i) => Math.min(size, n - i * size))
        : size;
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
export const chunk = /* @__PURE__ */ named('chunk', (x: Tensor, chunks: number, dim = 0): Tensor[] => {
  checkTensors('chunk', x);
  if (!(Number.isInteger(chunks) && chunks > 0))
    throw new ShapeError('chunk', `chunks must be a whole number above 0, got ${show(chunks)}`);
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

/**
 * Writes `src`, which broadcasts, into `x` and returns it; converts dtype and device.
 *
 * ```ts
 * const x = zeros([2]);
 * copy_(x, 3);
 * x; // [3, 3]
 * ```
 */
export function copy_(x: Tensor, src: TensorLike): Tensor {
  return assign('copy_', x, src);
}

function assign(op: string, x: Tensor, src: TensorLike): Tensor {
  checkTensors(op, x);
  if (typeof src === 'number') checkFits(op, src, x.dtype);
  const value = toTensor(op, src, x);
  return inPlace(op, x, () => {
    if (!sameShape(broadcastShapes(op, x.shape, value.shape), x.shape))
      throw new ShapeError(op, `${formatShape(value.shape)} does not broadcast to ${formatShape(x.shape)}`);
    if (lacksKind(x.dtype, value.dtype) && Tensor.is(src))
      throw new DTypeError(op, `a ${value.dtype} tensor cannot be written into a ${x.dtype} one; convert it with to()`);
    const { shape, dtype, device } = value;
    // Also from another device: the values are moved first.
    const moved = device === x.device ? value.detach() : value.detach().moved(x.storage.backend);
    const whole = expand(moved, x.shape);
    // Without a graph, the given tensor itself can be written; a graph needs a new one.
    if (!isGradEnabled() && value.dtype === x.dtype) return whole;
    return record(op, [x, value], copy(whole, x.dtype), (g, ctx) => [
      ctx.needs(0) ? g.mul(0) : null,
      ctx.needs(1) ? toDevice(to(sumTo(g, shape), dtype), device) : null,
    ]);
  });
}

const plain = {
  clone,
  contiguous,
  to,
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
  narrow,
  select,
  split,
  chunk,
  unbind,
  copy_,
};
methods(plain);

const own = {
  /** This tensor as float32; itself if it is that already. */
  float: (x: Tensor): Tensor => to(x, 'float32'),
  /** This tensor as float64; itself if it is that already. */
  double: (x: Tensor): Tensor => to(x, 'float64'),
  /** This tensor as float16; itself if it is that already. */
  half: (x: Tensor): Tensor => to(x, 'float16'),
  /** This tensor as bfloat16; itself if it is that already. */
  bfloat16: (x: Tensor): Tensor => to(x, 'bfloat16'),
  /** This tensor as int64, fractions cut off; itself if it is that already. */
  long: (x: Tensor): Tensor => to(x, 'int64'),
  /** This tensor as int32, fractions cut off; itself if it is that already. */
  int: (x: Tensor): Tensor => to(x, 'int32'),
  /** This tensor as int16, fractions cut off; itself if it is that already. */
  short: (x: Tensor): Tensor => to(x, 'int16'),
  /** This tensor as int8, fractions cut off; itself if it is that already. */
  char: (x: Tensor): Tensor => to(x, 'int8'),
  /** This tensor as uint8, fractions cut off; itself if it is that already. */
  byte: (x: Tensor): Tensor => to(x, 'uint8'),
  /** True where an element is not 0. */
  bool: (x: Tensor): Tensor => to(x, 'bool'),
  /** Joins this tensor and `others` along `dim`. */
  cat: (x: Tensor, others: readonly Tensor[], dim?: number): Tensor => {
    check('cat', 'others', others, is.arrayOf(is.tensor));
    return cat([x, ...others], dim);
  },
  /** Sets all elements to `value`. */
  fill_: (x: Tensor, value: number): Tensor => assign('fill_', x, value),
  /** Sets all elements to 0. */
  zero_: (x: Tensor): Tensor => assign('zero_', x, 0),
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain>, MethodsOf<typeof own> {}
}
