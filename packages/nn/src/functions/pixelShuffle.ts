import { ShapeError, type Tensor } from '@gradgate/core';
import { check, checkTensors, is } from '@gradgate/core/internal';

/** Channels as finer pixels: `[N, C r², H, W]` to `[N, C, H r, W r]` (Shi et al., 2016). */
export function pixelShuffle(x: Tensor, factor: number): Tensor {
  checkTensors('pixelShuffle', x);
  check('pixelShuffle', 'factor', factor, is.count);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (x.ndim !== 4 || !Number.isInteger(factor) || factor < 1 || c % factor ** 2 !== 0)
    throw new ShapeError('pixelShuffle', `takes [N, C * ${factor}², H, W], got [${x.shape.join(', ')}]`);
  const split = x.reshape([n, c / factor ** 2, factor, factor, h, w]);
  return split.permute(0, 1, 4, 2, 5, 3).reshape([n, c / factor ** 2, h * factor, w * factor]);
}

/** The inverse of `pixelShuffle`. */
export function pixelUnshuffle(x: Tensor, factor: number): Tensor {
  checkTensors('pixelUnshuffle', x);
  check('pixelUnshuffle', 'factor', factor, is.count);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (x.ndim !== 4 || !Number.isInteger(factor) || factor < 1 || h % factor !== 0 || w % factor !== 0)
    throw new ShapeError('pixelUnshuffle', `takes [N, C, H * ${factor}, W * ${factor}], got [${x.shape.join(', ')}]`);
  const split = x.reshape([n, c, h / factor, factor, w / factor, factor]);
  return split.permute(0, 1, 3, 5, 2, 4).reshape([n, c * factor ** 2, h / factor, w / factor]);
}
