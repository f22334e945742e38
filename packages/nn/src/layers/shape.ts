import { flatten, pad, type Tensor, unflatten } from '@gradgate/core';
import { is, type Kind } from '@gradgate/core/internal';
import { interpolate, interpolateOptions } from '../functions/interpolate.js';
import { pixelShuffle, pixelUnshuffle } from '../functions/pixelShuffle.js';
import { layerOf } from './layerOf.js';

/** Gives its input; takes any arguments. */
export class Identity extends layerOf((x: Tensor, ..._ignored: unknown[]) => x, ...Array<Kind>(16).fill(is.anything)) {
  override extraRepr(): string {
    return '';
  }
}

/** Dimensions `startDim` to `endDim` as one; by default all but the first. */
export class Flatten extends layerOf(
  (x: Tensor, startDim: number = 1, endDim: number = -1) => flatten(x, startDim, endDim),
  is.optional(is.integer),
  is.optional(is.integer),
) {}
/** Dimension `dim` as several ones of `sizes`: `new Unflatten(1, [2, 3])` makes `[N, 6]` `[N, 2, 3]`. */
export class Unflatten extends layerOf(unflatten, is.integer, is.arrayOf(is.integer)) {}
/** Channels to pixels (Shi et al., 2016): `[N, C r r, H, W]` to `[N, C, H r, W r]`. */
export class PixelShuffle extends layerOf(pixelShuffle, is.count) {}
/** Pixels to channels, the reverse of `PixelShuffle`: `[N, C, H r, W r]` to `[N, C r r, H, W]`. */
export class PixelUnshuffle extends layerOf(pixelUnshuffle, is.count) {}
/** Larger planes `[N, C, H, W]`, or shorter lines, by `size` or `scaleFactor`; `mode` is 'nearest' by default. */
export class Upsample extends layerOf(interpolate, interpolateOptions) {}

/** One number for all sides, or [before, after] of the last dimension, then of the one before it. */
type Sides = number | readonly number[];
const padding = (mode: 'constant' | 'reflect' | 'replicate' | 'circular', dims: number) =>
  layerOf(
    (x: Tensor, sides: Sides, value: number = 0) =>
      pad(x, typeof sides === 'number' ? Array<number>(2 * dims).fill(sides) : sides, { mode, value }),
    is.either(is.integer, is.arrayOf(is.integer)),
    is.optional(is.number),
  );

/** Zeros around the last dimension: one number for both sides, or `[left, right]`. */
export class ZeroPad1d extends padding('constant', 1) {}
/** Zeros around the last two dimensions: one number for all sides, or `[left, right, top, bottom]`. */
export class ZeroPad2d extends padding('constant', 2) {}
/**
 * A value around the last dimension: `new ConstantPad1d(2, 0.5)`; one number for both sides, or `[left, right]`.
 */
export class ConstantPad1d extends padding('constant', 1) {}
/** A value around the last two dimensions; one number for all sides, or `[left, right, top, bottom]`. */
export class ConstantPad2d extends padding('constant', 2) {}
/** The last dimension mirrored at its ends, which are not repeated: one number, or `[left, right]`. */
export class ReflectionPad1d extends padding('reflect', 1) {}
/**
 * The last two dimensions mirrored at their ends, which are not repeated: one number, or `[left, right, top,
 * bottom]`.
 */
export class ReflectionPad2d extends padding('reflect', 2) {}
/** The ends of the last dimension repeated outwards: one number, or `[left, right]`. */
export class ReplicationPad1d extends padding('replicate', 1) {}
/** The ends of the last two dimensions repeated outwards: one number, or `[left, right, top, bottom]`. */
export class ReplicationPad2d extends padding('replicate', 2) {}
/** The last dimension continued from its other end: one number, or `[left, right]`. */
export class CircularPad1d extends padding('circular', 1) {}
/** The last two dimensions continued from their other ends: one number, or `[left, right, top, bottom]`. */
export class CircularPad2d extends padding('circular', 2) {}
