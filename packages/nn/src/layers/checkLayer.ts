import { ShapeError, type Tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, is, type Kind, type Schema } from '@gradgate/core/internal';
import type { Module } from '../module.js';
import { shapeText } from '../shapeText.js';

/**
 * Checks the constructor arguments of a layer in its name: `sizes`, by their names, must be of `kind`, whole numbers
 * from 0 up by default. Checks and returns the options.
 */
export function checkLayer<O extends object>(
  name: string,
  sizes: Readonly<Record<string, unknown>>,
  options: O | undefined,
  known: Schema<O>,
  kind: Kind = is.size,
): Partial<O> & O {
  for (const [size, value] of Object.entries(sizes)) check(name, size, value, kind);
  return checkOptions(name, options, known);
}

/** Checks that `x` is `[N, numFeatures, ...]` with one of the numbers of dimensions in `ndims`. */
export function checkChannels(layer: Module, x: Tensor, numFeatures: number, ndims: readonly number[]): void {
  checkTensors(layer.constructor.name, x);
  if (!ndims.includes(x.ndim) || x.shape[1] !== numFeatures)
    throw new ShapeError(
      layer.constructor.name,
      `takes [N, ${numFeatures}, ...] of ${ndims.join(' or ')} dimensions, got ${shapeText(x)}`,
    );
}

/** The most layers above each other: a number with some zeros too many would go on until memory is full. */
const maxLayers = 2 ** 14;

/** A number of layers above each other, from `least` up. */
export const layersFrom = (least: number): Kind => ({
  text: `a whole number of layers from ${least} to ${maxLayers}`,
  is: (n) => is.size.is(n) && (n as number) >= least && (n as number) <= maxLayers,
});
