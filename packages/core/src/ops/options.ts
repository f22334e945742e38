import * as is from '../tensor/kinds.js';

// Options that operators share with each other or with layers of nn.

export const reductions = is.oneOf('mean', 'sum', 'none');
export const lossOptions = { reduction: reductions };
export const huberLossOptions = { reduction: reductions, delta: is.positive };
export const smoothL1LossOptions = { reduction: reductions, beta: is.nonNegative };
export const binaryCrossEntropyOptions = { reduction: reductions, weight: is.nullable(is.tensor) };
export const binaryCrossEntropyWithLogitsOptions = {
  reduction: reductions,
  weight: is.nullable(is.tensor),
  posWeight: is.nullable(is.tensor),
};
export const klDivOptions = { reduction: is.oneOf('mean', 'sum', 'none', 'batchmean'), logTarget: is.boolean };
export const cosineSimilarityOptions = { dim: is.integer, eps: is.nonNegative };
export const nllLossOptions = { reduction: reductions, weight: is.nullable(is.tensor), ignoreIndex: is.integer };
export const crossEntropyOptions = { ...nllLossOptions, labelSmoothing: is.probability };
/** One whole number for each dimension, or one for all. */
const sizeOrSizes = is.either(is.size, is.arrayOf(is.size));
const poolOptions = { stride: sizeOrSizes, padding: sizeOrSizes, ceilMode: is.boolean };
export const maxPoolOptions = { ...poolOptions, dilation: sizeOrSizes };
export const avgPool1dOptions = { ...poolOptions, countIncludePad: is.boolean };
export const avgPoolOptions = { ...avgPool1dOptions, divisorOverride: is.nullable(is.positive) };
export const geluOptions = { approximate: is.oneOf('none', 'tanh') };
export const softplusOptions = { beta: is.number, threshold: is.number };
export const eluOptions = { alpha: is.number };
export const celuOptions = { alpha: is.number };
export const hardtanhOptions = { min: is.number, max: is.number };
export const keepDim = { keepdim: is.boolean };
