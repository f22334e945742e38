import { flatten, pad, type Tensor, unflatten } from '@gradgate/core';
import { is, type Kind } from '@gradgate/core/internal';
import { channelShuffle } from '../functions/channelShuffle.js';
import { interpolate, interpolateOptions } from '../functions/interpolate.js';
import { pixelShuffle, pixelUnshuffle } from '../functions/pixelShuffle.js';
import { pairs } from '../functions/sizes.js';
import { fold, unfold, unfoldOptions } from '../functions/unfold.js';
import { layerOf } from './layerOf.js';

const sizes = pairs(is.count);

/**
 * Returns its input, and takes any arguments: a stand-in for a layer that is left out.
 *
 * ```ts
 * new Identity(54)(tensor([1, 2])); // [1, 2]
 * ```
 */
export class Identity extends layerOf((x: Tensor, ..._ignored: unknown[]) => x, ...Array<Kind>(16).fill(is.anything)) {
  override extraRepr(): string {
    return '';
  }
}

/**
 * Merges dimensions `startDim` to `endDim` into one; by default all but the first: `[N, ...]` to `[N, product]`.
 *
 * ```ts
 * new Flatten()(zeros([4, 3, 8, 8])).shape; // [4, 192]
 * ```
 */
export class Flatten extends layerOf(
  (x: Tensor, startDim: number = 1, endDim: number = -1) => flatten(x, startDim, endDim),
  is.optional(is.integer),
  is.optional(is.integer),
) {}
/**
 * Splits dimension `dim` into `sizes`, one of which may be -1 (inferred): the inverse of `Flatten`.
 *
 * ```ts
 * new Unflatten(1, [2, 3])(zeros([4, 6])).shape; // [4, 2, 3]
 * ```
 */
export class Unflatten extends layerOf(unflatten, is.integer, is.arrayOf(is.integer)) {}

/**
 * Moves channels to pixels (Shi et al., 2016): `[..., C r r, H, W]` to `[..., C, H r, W r]`, where `r` is the argument.
 * Throws where `r²` does not divide the channels.
 *
 * ```ts
 * new PixelShuffle(2)(zeros([1, 12, 4, 4])).shape; // [1, 3, 8, 8]
 * ```
 */
export class PixelShuffle extends layerOf(pixelShuffle, is.count) {}

/**
 * Moves pixels to channels, the inverse of `PixelShuffle`: `[..., C, H r, W r]` to `[..., C r r, H, W]`.
 *
 * ```ts
 * new PixelUnshuffle(2)(zeros([1, 3, 8, 8])).shape; // [1, 12, 4, 4]
 * ```
 */
export class PixelUnshuffle extends layerOf(pixelUnshuffle, is.count) {}

/**
 * Reorders the channels of `[N, C, ...]` so that those of the groups alternate (Zhang et al., 2018); the shape stays.
 * Takes the number of groups.
 *
 * ```ts
 * new ChannelShuffle(2)(tensor([[[1], [2], [3], [4]]])); // [[[1], [3], [2], [4]]]
 * ```
 */
export class ChannelShuffle extends layerOf(channelShuffle, is.count) {}

/**
 * The windows of planes as columns (im2col): `[N, C, H, W]` to `[N, C * kh * kw, windows]`. Options: `stride` 1,
 * `padding` 0, `dilation` 1, each a number or `[height, width]`.
 *
 * ```ts
 * new Unfold(3, { padding: 1 })(randn([2, 3, 8, 8])).shape; // [2, 27, 64]
 * ```
 */
export class Unfold extends layerOf(unfold, sizes, unfoldOptions) {}

/**
 * Adds windows up to planes (col2im): `[N, C * kh * kw, windows]` to `[N, C, ...outputSize]`. The inverse of `Unfold`,
 * but elements in several windows are added. Takes `outputSize` and `kernelSize`; options as for `Unfold`.
 *
 * ```ts
 * new Fold([3, 3], 2)(ones([1, 4, 4])); // [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]
 * ```
 */
export class Fold extends layerOf(fold, sizes, sizes, unfoldOptions) {}

/**
 * Resizes `[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]` to `size` or by `scaleFactor`; `mode` is 'nearest' by
 * default, see `functional.interpolate`.
 *
 * ```ts
 * new Upsample({ scaleFactor: 2 })(zeros([1, 3, 4, 4])).shape; // [1, 3, 8, 8]
 * ```
 */
export class Upsample extends layerOf(interpolate, interpolateOptions) {}

/** One number for all sides, or `[before, after]` of the last dimension, then of the one before it, and so on. */
type Sides = number | readonly number[];
const padding = (mode: 'constant' | 'reflect' | 'replicate' | 'circular', dims: number) =>
  layerOf(
    (x: Tensor, sides: Sides, value: number = 0) =>
      pad(x, typeof sides === 'number' ? Array<number>(2 * dims).fill(sides) : sides, { mode, value }),
    is.either(is.integer, is.arrayOf(is.integer)),
    is.optional(is.number),
  );

/**
 * Pads the last dimension with zeros: one number for both sides, or `[left, right]`. Negative numbers crop.
 *
 * ```ts
 * new ZeroPad1d([1, 2])(tensor([[[5]]])); // [[[0, 5, 0, 0]]]
 * ```
 */
export class ZeroPad1d extends padding('constant', 1) {}

/**
 * Pads the last two dimensions with zeros: one number for all sides, or `[left, right, top, bottom]`. Negative numbers
 * crop.
 *
 * ```ts
 * new ZeroPad2d(1)(zeros([1, 3, 8, 8])).shape; // [1, 3, 10, 10]
 * ```
 */
export class ZeroPad2d extends padding('constant', 2) {}

/**
 * Pads the last three dimensions with zeros: one number for all sides, or `[left, right, top, bottom, front, back]`.
 * Negative numbers crop.
 *
 * ```ts
 * new ZeroPad3d(1)(zeros([1, 3, 4, 8, 8])).shape; // [1, 3, 6, 10, 10]
 * ```
 */
export class ZeroPad3d extends padding('constant', 3) {}

/**
 * Pads the last dimension with `value`, the second argument: one number for both sides, or `[left, right]`.
 *
 * ```ts
 * new ConstantPad1d(1, 0.5)(tensor([[[5]]])); // [[[0.5, 5, 0.5]]]
 * ```
 */
export class ConstantPad1d extends padding('constant', 1) {}

/**
 * Pads the last two dimensions with `value`, the second argument: one number for all sides, or `[left, right, top,
 * bottom]`.
 *
 * ```ts
 * new ConstantPad2d(1, 0.5)(zeros([1, 3, 8, 8])).shape; // [1, 3, 10, 10]
 * ```
 */
export class ConstantPad2d extends padding('constant', 2) {}

/**
 * Pads the last three dimensions with `value`, the second argument: one number for all sides, or `[left, right, top,
 * bottom, front, back]`.
 *
 * ```ts
 * new ConstantPad3d(1, 0.5)(zeros([1, 3, 4, 8, 8])).shape; // [1, 3, 6, 10, 10]
 * ```
 */
export class ConstantPad3d extends padding('constant', 3) {}

/**
 * Pads the last dimension by reflection at its ends, which are not repeated: one number, or `[left, right]`, each less
 * than the size.
 *
 * ```ts
 * new ReflectionPad1d(2)(tensor([[[1, 2, 3]]])); // [[[3, 2, 1, 2, 3, 2, 1]]]
 * ```
 */
export class ReflectionPad1d extends padding('reflect', 1) {}

/**
 * Pads the last two dimensions by reflection at their ends, which are not repeated: one number, or `[left, right, top,
 * bottom]`, each less than the size.
 *
 * ```ts
 * new ReflectionPad2d(1)(zeros([1, 3, 8, 8])).shape; // [1, 3, 10, 10]
 * ```
 */
export class ReflectionPad2d extends padding('reflect', 2) {}

/**
 * Pads the last three dimensions by reflection at their ends, which are not repeated: one number, or `[left, right,
 * top, bottom, front, back]`, each less than the size.
 *
 * ```ts
 * new ReflectionPad3d(1)(zeros([1, 3, 4, 8, 8])).shape; // [1, 3, 6, 10, 10]
 * ```
 */
export class ReflectionPad3d extends padding('reflect', 3) {}

/**
 * Pads the last dimension by repeating its ends: one number, or `[left, right]`.
 *
 * ```ts
 * new ReplicationPad1d(2)(tensor([[[1, 2]]])); // [[[1, 1, 1, 2, 2, 2]]]
 * ```
 */
export class ReplicationPad1d extends padding('replicate', 1) {}

/**
 * Pads the last two dimensions by repeating their ends: one number, or `[left, right, top, bottom]`.
 *
 * ```ts
 * new ReplicationPad2d(1)(zeros([1, 3, 8, 8])).shape; // [1, 3, 10, 10]
 * ```
 */
export class ReplicationPad2d extends padding('replicate', 2) {}

/**
 * Pads the last three dimensions by repeating their ends: one number, or `[left, right, top, bottom, front, back]`.
 *
 * ```ts
 * new ReplicationPad3d(1)(zeros([1, 3, 4, 8, 8])).shape; // [1, 3, 6, 10, 10]
 * ```
 */
export class ReplicationPad3d extends padding('replicate', 3) {}

/**
 * Pads the last dimension with elements from its other end: one number, or `[left, right]`, at most the size.
 *
 * ```ts
 * new CircularPad1d(1)(tensor([[[1, 2, 3]]])); // [[[3, 1, 2, 3, 1]]]
 * ```
 */
export class CircularPad1d extends padding('circular', 1) {}

/**
 * Pads the last two dimensions with elements from their other ends: one number, or `[left, right, top, bottom]`, at
 * most the sizes.
 *
 * ```ts
 * new CircularPad2d(1)(zeros([1, 3, 8, 8])).shape; // [1, 3, 10, 10]
 * ```
 */
export class CircularPad2d extends padding('circular', 2) {}

/**
 * Pads the last three dimensions with elements from their other ends: one number, or `[left, right, top, bottom, front,
 * back]`, at most the sizes.
 *
 * ```ts
 * new CircularPad3d(1)(zeros([1, 3, 4, 8, 8])).shape; // [1, 3, 6, 10, 10]
 * ```
 */
export class CircularPad3d extends padding('circular', 3) {}
