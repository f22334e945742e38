import type { MaxPoolOptions, Pair, Tensor, ValuesAndIndices } from '@gradgate/core';
import {
  check,
  checkOptions,
  checkTensors,
  is,
  options as known,
  liftedOptions,
  maxPoolWithIndices,
  named,
  sizeOf,
} from '@gradgate/core/internal';
import { asBatch, likeInput, pairs } from './sizes.js';

/** Converts indices among all elements of `x` to indices within one line, plane or volume. */
export const indicesWithin = (indices: Tensor, x: Tensor, dims: number): Tensor =>
  indices.remainder(sizeOf(x.shape.slice(-dims)));

/**
 * `maxPool1d`, with the index of each maximum in its line, for `maxUnpool1d`. Both have the same shape.
 *
 * ```ts
 * const { values, indices } = functional.maxPool1dWithIndices(tensor([[[1, 5, 2, 3]]]), 2);
 * values; // [[[5, 3]]]
 * indices; // [[[1, 3]]]
 * ```
 */
export const maxPool1dWithIndices = /* @__PURE__ */ named(
  'maxPool1dWithIndices',
  (x: Tensor, kernelSize: number, options?: MaxPoolOptions<number>): ValuesAndIndices => {
    checkTensors('maxPool1dWithIndices', x);
    check('maxPool1dWithIndices', 'kernelSize', kernelSize, is.count);
    const lines = asBatch('maxPool1dWithIndices', x, 1).unsqueeze(2);
    const found = maxPoolWithIndices(lines, [1, kernelSize], liftedOptions(kernelSize, options));
    const [values, indices] = found.map((t) => likeInput(t.squeeze(2), x, 1)) as [Tensor, Tensor];
    return { values, indices: indicesWithin(indices, x, 1) };
  },
);

/**
 * `maxPool2d`, with the index `h * W + w` of each maximum in its plane, for `maxUnpool2d`. Both have the same shape.
 *
 * ```ts
 * const { values, indices } = functional.maxPool2dWithIndices(tensor([[[1, 3], [4, 2]]]), 2);
 * indices; // [[[2]]]
 * ```
 */
export const maxPool2dWithIndices = /* @__PURE__ */ named(
  'maxPool2dWithIndices',
  (x: Tensor, kernelSize: Pair, options?: MaxPoolOptions): ValuesAndIndices => {
    checkTensors('maxPool2dWithIndices', x);
    check('maxPool2dWithIndices', 'kernelSize', kernelSize, pairs(is.count));
    const given = checkOptions('maxPool2dWithIndices', options, known.maxPoolOptions);
    const found = maxPoolWithIndices(asBatch('maxPool2dWithIndices', x, 2), kernelSize, given);
    const [values, indices] = found.map((t) => likeInput(t, x, 2)) as [Tensor, Tensor];
    return { values, indices: indicesWithin(indices, x, 2) };
  },
);
