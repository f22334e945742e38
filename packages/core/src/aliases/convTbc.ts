import { check } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import { conv1d } from '../ops/conv.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * A convolution over time, which is the first dimension: `[T, N, C]` with weights `[k, C, O]` and a bias `[O]` gives
 * `[T + 2 pad - k + 1, N, O]`; `pad` zeros, 0 by default, are added at both ends.
 *
 * ```ts
 * convTbc(ones([3, 1, 1]), ones([2, 1, 1]), zeros([1])); // [[[2]], [[2]]]
 * ```
 */
export const convTbc = /* @__PURE__ */ named('convTbc', (x: Tensor, weight: Tensor, bias: Tensor, pad = 0): Tensor => {
  checkTensors('convTbc', x, weight, bias);
  check('convTbc', 'pad', pad, is.size);
  if (x.ndim !== 3 || weight.ndim !== 3 || weight.shape[1] !== x.shape[2])
    throw new ShapeError(
      'convTbc',
      `takes [T, N, C] and weights [k, C, O], got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  return conv1d(x.permute(1, 2, 0), weight.permute(2, 1, 0), bias, { padding: pad }).permute(2, 0, 1);
});
