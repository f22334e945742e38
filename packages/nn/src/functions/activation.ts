import { isTraining, leakyRelu, neg, rand, softmax, type Tensor, where } from '@gradgate/core';
import { check, checkOptions, checkTensors, is, named } from '@gradgate/core/internal';

/**
 * `x` where it is above `limit` or NaN, otherwise `value`. Any shape; the result has the same.
 *
 * ```ts
 * functional.threshold(tensor([0, 1]), 0.1, 20); // [20, 1]
 * ```
 */
export const threshold = /* @__PURE__ */ named('threshold', (x: Tensor, limit: number, value: number): Tensor => {
  checkTensors('threshold', x);
  check('threshold', 'limit', limit, is.number);
  check('threshold', 'value', value, is.number);
  return where(x.le(limit), value, x);
});

/**
 * `softmax(-x, dim)`. Any shape; the result has the same.
 *
 * ```ts
 * functional.softmin(tensor([0, 0]), 0); // [0.5, 0.5]
 * ```
 */
export const softmin = /* @__PURE__ */ named('softmin', (x: Tensor, dim: number): Tensor => softmax(neg(x), dim));

const rreluOptions = { lower: is.number, upper: is.number, training: is.boolean };

/**
 * Leaky ReLU with a random slope for negative elements: in training, each element gets its own, uniform in [`lower`,
 * `upper`), 1/8 and 1/3 by default; otherwise the slope is the mean of the two. `training` is false by default;
 * `evalMode` and `trainMode` override it. Any shape; the result has the same.
 *
 * ```ts
 * functional.rrelu(tensor([-1, 2]), { lower: 0.1, upper: 0.3 }); // [-0.2, 2]
 * ```
 */
export const rrelu = /* @__PURE__ */ named(
  'rrelu',
  (x: Tensor, options?: { lower?: number; upper?: number; training?: boolean }): Tensor => {
    checkTensors('rrelu', x);
    const { lower = 1 / 8, upper = 1 / 3, training = false } = checkOptions('rrelu', options, rreluOptions);
    if (!isTraining(training)) return leakyRelu(x, (lower + upper) / 2);
    const slope = rand(x.shape, { dtype: x.dtype, device: x.device })
      .mul(upper - lower)
      .add(lower);
    return where(x.gt(0), x, x.mul(slope));
  },
);
