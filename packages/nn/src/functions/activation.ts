import { isTraining, leakyRelu, neg, rand, softmax, type Tensor, where } from '@gradgate/core';
import { check, checkOptions, checkTensors, is } from '@gradgate/core/internal';

/** `value` up to `limit`, else `x`: also where that is NaN. */
export function threshold(x: Tensor, limit: number, value: number): Tensor {
  checkTensors('threshold', x);
  check('threshold', 'limit', limit, is.number);
  check('threshold', 'value', value, is.number);
  return where(x.le(limit), value, x);
}

/** `softmax(-x, dim)`. */
export const softmin = (x: Tensor, dim: number): Tensor => softmax(neg(x), dim);

const rreluOptions = { lower: is.number, upper: is.number, training: is.boolean };

/** Leaky ReLU with slopes uniform in [lower, upper) in training, else the mean of both. */
export function rrelu(x: Tensor, options?: { lower?: number; upper?: number; training?: boolean }): Tensor {
  checkTensors('rrelu', x);
  const { lower = 1 / 8, upper = 1 / 3, training = false } = checkOptions('rrelu', options, rreluOptions);
  if (!isTraining(training)) return leakyRelu(x, (lower + upper) / 2);
  const slope = rand(x.shape, { dtype: x.dtype })
    .mul(upper - lower)
    .add(lower);
  return where(x.gt(0), x, x.mul(slope));
}
