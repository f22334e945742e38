import { isTraining, leakyRelu, neg, rand, softmax, type Tensor, where } from '@gradgate/core';
import { check, checkOptions, checkTensors, is, named } from '@gradgate/core/internal';

/**
 * `value` up to `limit`, else `x`: also where that is NaN. Any shape, kept.
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
 * `softmax(-x, dim)`. Any shape, kept.
 *
 * ```ts
 * functional.softmin(tensor([0, 0]), 0); // [0.5, 0.5]
 * ```
 */
export const softmin = /* @__PURE__ */ named('softmin', (x: Tensor, dim: number): Tensor => softmax(neg(x), dim));

const rreluOptions = { lower: is.number, upper: is.number, training: is.boolean };

/**
 * Leaky ReLU with slopes uniform in [`lower`, `upper`), 1/8 and 1/3 by default, in training, else the mean of both.
 * `training` is false by default. Any shape, kept.
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
