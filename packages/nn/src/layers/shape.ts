import { flatten, pad, type Tensor, unflatten } from '@gradgate/core';
import { interpolate } from '../functions/interpolate.js';
import { pixelShuffle, pixelUnshuffle } from '../functions/pixelShuffle.js';
import { layerOf } from './layerOf.js';

/** Gives its input; takes any arguments. */
export class Identity extends layerOf((x: Tensor, ..._ignored: unknown[]) => x) {
  override extraRepr(): string {
    return '';
  }
}

/** Dimensions `startDim` to `endDim` as one; by default all but the first. */
export class Flatten extends layerOf((x: Tensor, startDim: number = 1, endDim: number = -1) =>
  flatten(x, startDim, endDim),
) {}
export class Unflatten extends layerOf(unflatten) {}
export class PixelShuffle extends layerOf(pixelShuffle) {}
export class PixelUnshuffle extends layerOf(pixelUnshuffle) {}
export class Upsample extends layerOf(interpolate) {}

/** One number for all sides, or [before, after] of the last dimension, then of the one before it. */
type Sides = number | readonly number[];
const padding = (mode: 'constant' | 'reflect' | 'replicate' | 'circular', dims: number) =>
  layerOf((x: Tensor, sides: Sides, value: number = 0) =>
    pad(x, typeof sides === 'number' ? Array<number>(2 * dims).fill(sides) : sides, { mode, value }),
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
