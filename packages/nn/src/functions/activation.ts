import { leakyRelu, neg, rand, softmax, type Tensor, where } from '@gradgate/core';

/** `value` up to `limit`, else `x`: also where that is NaN. */
export const threshold = (x: Tensor, limit: number, value: number): Tensor => where(x.le(limit), value, x);

/** `softmax(-x, dim)`. */
export const softmin = (x: Tensor, dim: number): Tensor => softmax(neg(x), dim);

/** Leaky ReLU with slopes uniform in [lower, upper) in training, else the mean of both. */
export function rrelu(x: Tensor, { lower = 1 / 8, upper = 1 / 3, training = false } = {}): Tensor {
  if (!training) return leakyRelu(x, (lower + upper) / 2);
  const slope = rand(x.shape, { dtype: x.dtype })
    .mul(upper - lower)
    .add(lower);
  return where(x.gt(0), x, x.mul(slope));
}
