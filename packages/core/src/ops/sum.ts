import { type Backward, record } from '../autograd/node.js';
import { makeView } from '../autograd/view.js';
import { checkOptions, type Schema } from '../check.js';
import * as kernel from '../kernels/reduce.js';
import { checkTensors } from '../tensor/check.js';
import { toCount } from '../tensor/dtype.js';
import { normalizeDims, type Shape, sameShape } from '../tensor/shape.js';
import { type MethodsFrom, methods, type Tensor } from '../tensor/tensor.js';
import { keepDim } from './options.js';
import type * as self from './sum.js';

/** One dimension, several, or (left out or null) all of them. */
export type Dim = number | readonly number[] | null;

export interface KeepDim {
  /** Keep reduced dimensions, with size 1. */
  keepdim?: boolean;
}

/** Which dimensions are reduced, with the options checked. */
export function plan<O extends KeepDim = KeepDim>(
  op: string,
  x: Tensor,
  dim: Dim | undefined,
  options: O | undefined,
  known = keepDim as Schema<O>,
): kernel.Plan {
  checkTensors(op, x);
  const { keepdim = false } = checkOptions(op, options, known);
  return kernel.planReduce(x.shape, normalizeDims(op, dim, x.ndim), keepdim);
}

/** The gradient of a sum: each element gets that of its result. */
export function expandOver(g: Tensor, { dims }: kernel.Plan, shape: Shape): Tensor {
  const keepdim = g.ndim === shape.length;
  const strides = shape.slice();
  for (let i = 0, from = 0; i < strides.length; i++) {
    const reduced = dims.includes(i);
    strides[i] = reduced ? 0 : g.strides[from]!;
    if (keepdim || !reduced) from++;
  }
  return makeView('expand', g, shape, strides, g.offset, (gg) => [sum(gg, dims, { keepdim })]);
}

/** The sum over `dim`; over all elements if it is left out. */
export function sum(x: Tensor, dim?: Dim, options?: KeepDim): Tensor {
  const p = plan('sum', x, dim, options);
  return record('sum', [x], kernel.sumOver(x, p, toCount(x.dtype)), sumGradient, undefined, p);
}

const sumGradient: Backward = (g, ctx) => [expandOver(g, ctx.memo as kernel.Plan, ctx.inputShape(0))];

/** `x` summed to `shape`, from which it was broadcast. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  checkTensors('sumTo', x);
  if (sameShape(x.shape, shape)) return x;
  const lead = x.ndim - shape.length;
  const dims = x.shape.map((_, i) => i).filter((i) => i < lead || (shape[i - lead] === 1 && x.shape[i] !== 1));
  return sum(x, dims, { keepdim: true }).reshape(shape);
}

const plain = { sum };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
