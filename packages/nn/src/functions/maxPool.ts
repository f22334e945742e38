import type { MaxPoolOptions, Pair, Tensor } from '@gradgate/core';
import {
  check,
  checkOptions,
  checkTensors,
  is,
  options as known,
  liftedOptions,
  maxPoolWithPlaces,
  named,
  sizeOf,
} from '@gradgate/core/internal';
import { asBatch, asGiven, pairs } from './sizes.js';

/** Maxima, and where they are. */
export interface Places {
  values: Tensor;
  indices: Tensor;
}

/** Places among all elements of `x` as places within one of its lines, planes or volumes. */
export const placesWithin = (places: Tensor, x: Tensor, dims: number): Tensor =>
  places.remainder(sizeOf(x.shape.slice(-dims)));

/**
 * `maxPool1d`, and where in its line each maximum is, as `maxUnpool1d` takes it: of the shape of the values.
 *
 * ```ts
 * const { values, indices } = functional.maxPool1dWithIndices(tensor([[[1, 5, 2, 3]]]), 2);
 * values; // [[[5, 3]]]
 * indices; // [[[1, 3]]]
 * ```
 */
export const maxPool1dWithIndices = /* @__PURE__ */ named(
  'maxPool1dWithIndices',
  (x: Tensor, kernelSize: number, options?: MaxPoolOptions<number>): Places => {
    checkTensors('maxPool1dWithIndices', x);
    check('maxPool1dWithIndices', 'kernelSize', kernelSize, is.count);
    const lines = asBatch('maxPool1dWithIndices', x, 1).unsqueeze(2);
    const found = maxPoolWithPlaces(lines, [1, kernelSize], liftedOptions(kernelSize, options));
    const [values, places] = found.map((t) => asGiven(t.squeeze(2), x, 1)) as [Tensor, Tensor];
    return { values, indices: placesWithin(places, x, 1) };
  },
);

/**
 * `maxPool2d`, and where in its plane each maximum is, as `maxUnpool2d` takes it: `h * W + w`, of the shape of the values.
 *
 * ```ts
 * const { values, indices } = functional.maxPool2dWithIndices(tensor([[[1, 3], [4, 2]]]), 2);
 * indices; // [[[2]]]
 * ```
 */
export const maxPool2dWithIndices = /* @__PURE__ */ named(
  'maxPool2dWithIndices',
  (x: Tensor, kernelSize: Pair, options?: MaxPoolOptions): Places => {
    checkTensors('maxPool2dWithIndices', x);
    check('maxPool2dWithIndices', 'kernelSize', kernelSize, pairs(is.count));
    const given = checkOptions('maxPool2dWithIndices', options, known.maxPoolOptions);
    const found = maxPoolWithPlaces(asBatch('maxPool2dWithIndices', x, 2), kernelSize, given);
    const [values, places] = found.map((t) => asGiven(t, x, 2)) as [Tensor, Tensor];
    return { values, indices: placesWithin(places, x, 2) };
  },
);
