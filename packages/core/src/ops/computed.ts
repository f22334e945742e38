import { computedIn } from '../memory/dtype.js';
import { promote } from '../memory/promote.js';
import type { Tensor } from '../tensor/tensor.js';
import { to } from './shape.js';

/** A tensor of a half type as float32; others as they are. */
export const widened = (x: Tensor): Tensor => to(x, computedIn(x.dtype));

/** Applies `f` in float32 to tensors whose common dtype is a half type, and rounds the result once. */
export function computed<Inputs extends Tensor[]>(f: (...inputs: Inputs) => Tensor, ...inputs: Inputs): Tensor {
  const dtype = inputs.reduce((dtype, t) => promote({ dtype, ndim: t.ndim }, t), inputs[0]!.dtype);
  return computedIn(dtype) === dtype ? f(...inputs) : to(f(...(inputs.map(widened) as Inputs)), dtype);
}
