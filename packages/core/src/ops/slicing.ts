import { kernelsOf } from '../backend/backends.js';
import { check, show } from '../check.js';
import { DTypeError, IndexError, named, ShapeError } from '../errors.js';
import { inPlace } from '../graph/inplace.js';
import { gatherAlong, selectSlices } from '../graph/positions.js';
import { makeStridedView } from '../graph/view.js';
import { isInteger } from '../memory/dtype.js';
import { broadcastShapes, checkSize, formatShape, type Shape } from '../memory/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { to } from './copy.js';
import { type TensorLike, toTensor } from './define.js';
import { narrow, select } from './joining.js';
import { nonzeroCoordinates, nonzeroPositions } from './nonzero.js';
import { putAlong } from './put.js';
import { expand, unsqueeze } from './shape.js';
import type * as self from './slicing.js';
import { copy_ } from './write.js';

/** A range along one dimension, for `at` and `set`: from `start` up to but without `stop`, as in Python's slices. */
export class Slice {
  constructor(
    /** The first index; null for the beginning. */
    readonly start: number | null,
    /** The index before which it ends; null for the end. */
    readonly stop: number | null,
    /** The distance of the elements. */
    readonly step: number,
  ) {}
}

/**
 * `slice(1, 3)` is Python's `1:3`; `slice(2)` is `2:`, `slice(null, 2)` is `:2`, `slice()` is `:`.
 *
 * ```ts
 * at(tensor([1, 2, 3, 4]), slice(1, 3)); // [2, 3]
 * ```
 */
export function slice(start: number | null = null, stop: number | null = null, step = 1): Slice {
  if (!Number.isInteger(step) || step < 1)
    throw new IndexError(
      'slice',
      `a step must be a whole number above 0, got ${show(step)}; use flip() to go backwards`,
    );
  for (const v of [start, stop]) check('slice', 'a bound', v, is.nullable(is.integer));
  return new Slice(start, stop, step);
}

/**
 * An index of a tensor, one for each dimension in order: a whole number (removes the dimension), a `slice(...)`, `null`
 * (a new dimension), `'...'` (all dimensions between), an int32 tensor or an array of whole numbers (the elements at
 * these positions), or a bool tensor (the elements where it is true; it covers as many dimensions as it has).
 */
export type Index = number | Slice | null | '...' | Tensor | readonly number[];

/** How many dimensions an index covers. */
const consumes = (index: Index): number =>
  index === null || index === '...' ? 0 : Tensor.is(index) && index.dtype === 'bool' ? index.ndim : 1;

interface Picked {
  /** The view after numbers, slices, `null` and `'...'`. */
  readonly view: Tensor;
  /** For each dimension of the view, the positions to take. All lists broadcast to one shape. */
  readonly lists: Map<number, Tensor>;
}

function pick(op: string, x: Tensor, indices: readonly Index[]): Picked {
  const consumed = indices.reduce<number>((n, index) => n + consumes(index), 0);
  if (consumed > x.ndim)
    throw new IndexError(op, `${consumed} indices for ${formatShape(x.shape)}, which has ${x.ndim} dimensions`);
  if (indices.filter((i) => i === '...').length > 1) throw new IndexError(op, "'...' can stand once");
  let view = x;
  let d = 0;
  const lists = new Map<number, Tensor>();
  for (const index of indices) {
    if (index === '...') d += x.ndim - consumed;
    else if (index === null) view = unsqueeze(view, d++);
    else if (index instanceof Slice) view = sliceDim(view, d++, index);
    else if (typeof index === 'number') view = select(view, d, index);
    else if (Tensor.is(index) && index.dtype === 'bool' && index.ndim === 0) {
      // A mask without dimensions keeps or drops everything: it is the index of a new dimension.
      view = unsqueeze(view, d);
      const kept = nonzeroPositions(op, index);
      lists.set(d++, Tensor.of(kept, 'int32', [kept.length], x.storage.backend));
    } else for (const list of listsOf(op, index, view, d)) lists.set(d++, list);
  }
  return { view, lists };
}

/** A tensor or an array as integer tensors, one for each dimension that it covers. */
function listsOf(op: string, index: Tensor | readonly number[], { shape, storage }: Tensor, dim: number): Tensor[] {
  if (Tensor.is(index) && index.dtype === 'bool') {
    if (index.shape.some((n, i) => n !== shape[dim + i]))
      throw new ShapeError(
        op,
        `a mask of shape ${formatShape(index.shape)} does not fit dimension ${dim} and on of ${formatShape(shape)}`,
      );
    return nonzeroCoordinates(op, index);
  }
  if (Array.isArray(index) && index.every(Number.isInteger))
    return [Tensor.of(Int32Array.from(index), 'int32', [index.length], storage.backend)];
  if (!Tensor.is(index))
    throw new TypeError(
      `${op}: an index must be a whole number, slice(...), null, '...', an int32 or bool tensor or an array of whole numbers, got ${show(index)}`,
    );
  // PyTorch reads uint8 as a mask, with a warning. Here the error asks which of the two is meant.
  if (!isInteger(index.dtype) || index.dtype === 'uint8')
    throw new DTypeError(
      op,
      `a tensor as index must be int32 or int64, or bool as a mask, got ${index.dtype}; use .int() or .bool()`,
    );
  return [index];
}

function checkLists(op: string, { view, lists }: Picked): void {
  for (const [d, list] of lists) {
    const n = view.shape[d]!;
    const refuse = (at: number) => new IndexError(op, `index ${at} is out of range for dimension ${d} of size ${n}`);
    kernelsOf(op, view, list).checkRange(list, -n, n - 1, refuse);
  }
}

/** The positions in the flattened `view` of the elements that the lists name: int32, in the shape of the result. */
function positionsOf(op: string, { view, lists }: Picked): Tensor {
  const { shape, storage } = view;
  const common = [...lists.values()].reduce<Shape>((s, t) => broadcastShapes(op, s, t.shape), []);
  // The dimensions of the lists replace those of adjacent lists; if lists are not adjacent, they come first.
  const dims = [...lists.keys()];
  const lead = dims.every((d, i) => d === dims[0]! + i) ? dims[0]! : 0;
  const whole = shape.filter((_, d) => !lists.has(d));
  const size = [...whole.slice(0, lead), ...common, ...whole.slice(lead)];
  checkSize(op, size, shape);
  const out = Tensor.uninitialized('int32', size, storage.backend);
  const each = shape.map((_, d) => (lists.has(d) ? expand(lists.get(d)!, common) : null));
  storage.backend.kernels.ravelIndex(each, shape, lead, out);
  return out;
}

/**
 * The part of `x` that the indices select, one index per dimension from the first on. A view, or with tensors or arrays
 * among the indices a copy, as in PyTorch.
 *
 * ```ts
 * const x = tensor([[1, 2], [3, 4]]);
 * at(x, 1); // [3, 4]
 * at(x, slice(), 0); // [1, 3]
 * ```
 */
export const at = /* @__PURE__ */ madeOf('at', (x: Tensor, ...indices: readonly Index[]): Tensor => {
  const picked = pick('at', x, indices);
  const { view, lists } = picked;
  if (lists.size === 0) return view;
  checkLists('at', picked);
  const [[dim, list]] = [...lists] as [[number, Tensor]];
  if (lists.size === 1 && list.ndim === 1) return selectSlices('at', view, dim, list);
  return gatherAlong('at', view, null, positionsOf('at', picked));
});

function sliceDim(x: Tensor, dim: number, { start, stop, step }: Slice): Tensor {
  const n = x.shape[dim]!;
  const clamp = (v: number) => Math.min(n, Math.max(0, v < 0 ? v + n : v));
  const from = clamp(start ?? 0);
  const length = Math.max(0, clamp(stop ?? n) - from);
  if (step === 1) return length === n ? x : narrow(x, dim, Math.min(from, n), length);
  const replace = (of: readonly number[], v: number) => of.map((o, i) => (i === dim ? v : o));
  const shape = replace(x.shape, Math.ceil(length / step));
  const stride = x.strides[dim]!;
  return makeStridedView('slice', x, shape, replace(x.strides, stride * step), x.offset + from * stride);
}

/**
 * Writes a value, which broadcasts, to the part that the indices select: `set(t, 0, slice(1, 3), value)`.
 *
 * ```ts
 * set(zeros([2, 2]), 0, slice(), 1); // [[1, 1], [0, 0]]
 * ```
 */
export const set = /* @__PURE__ */ named(
  'set',
  <T extends Tensor>(x: T, ...args: readonly [...Index[], TensorLike]): T => {
    checkTensors('set', x);
    const picked = pick('set', x, args.slice(0, -1) as Index[]);
    const value = args.at(-1) as TensorLike;
    if (picked.lists.size === 0) {
      copy_(picked.view, value);
      return x;
    }
    checkLists('set', picked);
    const positions = positionsOf('set', picked);
    const src = toTensor('set', value, x);
    const write = (self: Tensor) =>
      putAlong('set', self, null, positions, to(fitting('set', src, positions.shape), x.dtype));
    inPlace('set', picked.view, write, [src]);
    return x;
  },
);

function fitting(op: string, src: Tensor, shape: Shape): Tensor {
  const fits = src.ndim <= shape.length && formatShape(broadcastShapes(op, src.shape, shape)) === formatShape(shape);
  if (!fits)
    throw new ShapeError(op, `a value of shape ${formatShape(src.shape)} does not broadcast to ${formatShape(shape)}`);
  return expand(src, shape);
}

const plain = { at };
methods(plain);
methods({ set });

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {
    /** Writes a value, which broadcasts, to the part that the indices select: `x.set(0, slice(1, 3), value)`. */
    set(...indicesAndValue: readonly [...Index[], TensorLike]): this;
  }
}
