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
export class Unflatten extends layerOf(unflatten, is.integer, is.arrayOf(is.integer)) {}
export class PixelShuffle extends layerOf(pixelShuffle, is.count) {}
export class PixelUnshuffle extends layerOf(pixelUnshuffle, is.count) {}
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

export class ZeroPad1d extends padding('constant', 1) {}
export class ZeroPad2d extends padding('constant', 2) {}
export class ConstantPad1d extends padding('constant', 1) {}
export class ConstantPad2d extends padding('constant', 2) {}
export class ReflectionPad1d extends padding('reflect', 1) {}
export class ReflectionPad2d extends padding('reflect', 2) {}
export class ReplicationPad1d extends padding('replicate', 1) {}
export class ReplicationPad2d extends padding('replicate', 2) {}
export class CircularPad1d extends padding('circular', 1) {}
export class CircularPad2d extends padding('circular', 2) {}
