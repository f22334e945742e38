import type { Reduction } from '../backend/kernels.js';
import { checkOptions, type Schema, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { type Backward, record } from '../graph/node.js';
import { makeView } from '../graph/view.js';
import { type DType, toCount } from '../memory/dtype.js';
import { checkShape, formatShape, normalizeDims, type Shape, sameShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { keepDim } from './options.js';
import type * as self from './sum.js';

/** One dimension, several, or all of them (left out or null). */
export type Dim = number | readonly number[] | null;

/** Options of reductions. */
export interface KeepDim {
  /** Keep reduced dimensions, with size 1. */
  keepdim?: boolean;
}

/** The dimensions that are reduced, and the shape of the result. */
export interface Plan {
  readonly dims: readonly number[];
  /** The shape with the reduced dimensions kept as 1. */
  readonly keepShape: Shape;
  readonly shape: Shape;
  /** How many elements are reduced into one. */
  readonly count: number;
}

function planReduce(shape: Shape, dims: readonly number[], keepdim: boolean): Plan {
  const keepShape = shape.slice();
  let count = 1;
  for (let i = 0; i < dims.length; i++) {
    count *= shape[dims[i]!]!;
    keepShape[dims[i]!] = 1;
  }
  if (keepdim) return { dims, keepShape, shape: keepShape, count };
  const kept = new Array<number>(shape.length - dims.length);
  for (let i = 0, to = 0; i < shape.length; i++) if (!dims.includes(i)) kept[to++] = shape[i]!;
  return { dims, keepShape, shape: kept, count };
}

/** The dimensions that are reduced, with the options checked. */
export function plan<O extends KeepDim = KeepDim>(
  op: string,
  x: Tensor,
  dim: Dim | undefined,
  options: O | undefined,
  known = keepDim as Schema<O>,
): Plan {
  checkTensors(op, x);
  const { keepdim = false } = checkOptions(op, options, known);
  return planReduce(x.shape, normalizeDims(op, dim, x.ndim), keepdim);
}

/** The values of a reduction. */
export function reduced(which: Reduction, x: Tensor, { dims, shape }: Plan, dtype: DType, power?: number): Tensor {
  const { backend } = x.storage;
  const out = Tensor.uninitialized(dtype, shape, backend);
  backend.kernels.reduce(which, x, dims, out, power);
  return out;
}

/** The gradient of a sum: each element gets the gradient of its result. */
export function expandOver(g: Tensor, { dims }: Plan, shape: Shape): Tensor {
  const keepdim = g.ndim === shape.length;
  const strides = shape.slice();
  for (let i = 0, from = 0; i < strides.length; i++) {
    const reduced = dims.includes(i);
    strides[i] = reduced ? 0 : g.strides[from]!;
    if (keepdim || !reduced) from++;
  }
  return makeView('expand', g, shape, strides, g.offset, (gg) => [sum(gg, dims, { keepdim })]);
}

/**
 * The sum over `dim` (a number or several), by default over all elements. With `keepdim` the dimensions stay, with
 * size 1. Integers and bool give int64.
 *
 * ```ts
 * sum(tensor([[1, 2], [3, 4]])); // 10
 * sum(tensor([[1, 2], [3, 4]]), 0); // [4, 6]
 * ```
 */
export function sum(x: Tensor, dim?: Dim, options?: KeepDim): Tensor {
  const p = plan('sum', x, dim, options);
  return record('sum', [x], reduced('sum', x, p, toCount(x.dtype)), sumGradient, undefined, p);
}

const sumGradient: Backward = (g, ctx) => [expandOver(g, ctx.attributes as Plan, ctx.inputShape(0))];

/** Sums `x` over the dimensions along which `shape` was broadcast: the gradient of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  checkTensors('sumTo', x);
  if (!Array.isArray(shape)) checkShape('sumTo', shape);
  return sameShape(x.shape, shape) ? x : summed(x, shape);
}

const summed = /* @__PURE__ */ named('sumTo', (x: Tensor, shape: Shape): Tensor => {
  const lead = x.ndim - shape.length;
  if (lead < 0 || !shape.every((n, i) => n === 1 || n === x.shape[lead + i]))
    throw new ShapeError('sumTo', `${formatShape(x.shape)} was not broadcast from ${show(shape)}`);
  const dims = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  return sum(x, dims, { keepdim: true }).reshape(shape);
});

const plain = { sum };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
