import { ShapeError, type Tensor } from '@gradgate/core';
import { check, checkTensors, is, named } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';

/**
 * Reorders the channels of `x` `[N, C, ...]` so that the `groups` groups alternate (Zhang et al., 2018). The shape
 * stays.
 *
 * ```ts
 * functional.channelShuffle(tensor([[[1], [2], [3], [4]]]), 2); // [[[1], [3], [2], [4]]]
 * ```
 */
export const channelShuffle = /* @__PURE__ */ named('channelShuffle', (x: Tensor, groups: number): Tensor => {
  checkTensors('channelShuffle', x);
  check('channelShuffle', 'groups', groups, is.count);
  if (x.ndim < 3 || x.shape[1]! % groups !== 0)
    throw new ShapeError(
      'channelShuffle',
      `takes [N, C, ...] with channels that can be split into ${groups} groups, got ${shapeText(x)}`,
    );
  const [n, c] = x.shape as [number, number];
  return x
    .reshape([n, groups, c / groups, ...x.shape.slice(2)])
    .transpose(1, 2)
    .reshape(x.shape);
});
