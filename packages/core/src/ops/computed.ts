import { computedIn } from '../memory/dtype.js';
import { promote } from '../memory/promote.js';
import type { Tensor } from '../tensor/tensor.js';
import { to } from './copy.js';

/** A tensor of a half type as float32; other tensors unchanged. */
export const widened = (x: Tensor): Tensor => to(x, computedIn(x.dtype));

/** Applies `f` to tensors; if their common dtype is a half type, computes in float32 and rounds the result once. */
export function computed<Inputs extends Tensor[]>(f: (...inputs: Inputs) => Tensor, ...inputs: Inputs): Tensor {
  const dtype = inputs.reduce((dtype, t) => promote({ dtype, ndim: t.ndim }, t), inputs[0]!.dtype);
  return computedIn(dtype) === dtype ? f(...inputs) : to(f(...(inputs.map(widened) as Inputs)), dtype);
}
