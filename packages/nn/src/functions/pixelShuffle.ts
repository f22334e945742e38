import { type Shape, ShapeError, type Tensor } from '@gradgate/core';
import { check, checkTensors, is, named, sizeOf } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';

const planes = ({ shape }: Tensor): [lead: Shape, c: number, h: number, w: number] => [
  shape.slice(0, -3),
  ...(shape.slice(-3) as [number, number, number]),
];

/**
 * Moves channels to pixels (Shi et al., 2016): `[..., C r r, H, W]` to `[..., C, H r, W r]`, where `r` is `factor`.
 * Throws where `r²` does not divide the channels.
 *
 * ```ts
 * functional.pixelShuffle(tensor([[[1]], [[2]], [[3]], [[4]]]), 2); // [[[1, 2], [3, 4]]]
 * ```
 */
export const pixelShuffle = /* @__PURE__ */ named('pixelShuffle', (x: Tensor, factor: number): Tensor => {
  checkTensors('pixelShuffle', x);
  check('pixelShuffle', 'factor', factor, is.count);
  const [lead, c, h, w] = planes(x);
  if (x.ndim < 3 || c % factor ** 2 !== 0)
    throw new ShapeError('pixelShuffle', `takes [..., C * ${factor}², H, W], got ${shapeText(x)}`);
  const n = sizeOf(lead);
  const split = x.reshape([n, c / factor ** 2, factor, factor, h, w]);
  return split.permute(0, 1, 4, 2, 5, 3).reshape([...lead, c / factor ** 2, h * factor, w * factor]);
});

/**
 * Moves pixels to channels, the inverse of `pixelShuffle`: `[..., C, H r, W r]` to `[..., C r r, H, W]`, where `r` is
 * `factor`. Throws where it does not divide height and width.
 *
 * ```ts
 * functional.pixelUnshuffle(tensor([[[1, 2], [3, 4]]]), 2).shape; // [4, 1, 1]
 * ```
 */
export const pixelUnshuffle = /* @__PURE__ */ named('pixelUnshuffle', (x: Tensor, factor: number): Tensor => {
  checkTensors('pixelUnshuffle', x);
  check('pixelUnshuffle', 'factor', factor, is.count);
  const [lead, c, h, w] = planes(x);
  if (x.ndim < 3 || h % factor !== 0 || w % factor !== 0)
    throw new ShapeError('pixelUnshuffle', `takes [..., C, H * ${factor}, W * ${factor}], got ${shapeText(x)}`);
  const n = sizeOf(lead);
  const split = x.reshape([n, c, h / factor, factor, w / factor, factor]);
  return split.permute(0, 1, 3, 5, 2, 4).reshape([...lead, c * factor ** 2, h / factor, w / factor]);
});
