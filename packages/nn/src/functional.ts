/** Functions of tensors without state: all of core's operators that layers are made of, and those of this folder. */
export * from '@gradgate/core';
export { rrelu, softmin, threshold } from './functions/activation.js';
export { bilinear } from './functions/bilinear.js';
export { type CTCLossOptions, ctcLoss } from './functions/ctc.js';
export { alphaDropout, dropout1d, dropout2d } from './functions/dropout.js';
export { type EmbeddingBagOptions, embeddingBag } from './functions/embedding.js';
export { affineGrid, type GridSampleOptions, gridSample } from './functions/grid.js';
export { type GumbelSoftmaxOptions, gumbelSoftmax } from './functions/gumbelSoftmax.js';
export { type InterpolateOptions, interpolate } from './functions/interpolate.js';
export { type LocalResponseNormOptions, localResponseNorm } from './functions/localResponseNorm.js';
export {
  cosineEmbeddingLoss,
  type Distance,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  pairwiseDistance,
  poissonNllLoss,
  softMarginLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from './functions/loss.js';
export { pixelShuffle, pixelUnshuffle } from './functions/pixelShuffle.js';
export { adaptiveMaxPool1d, adaptiveMaxPool2d } from './functions/pool.js';
export { fold, type UnfoldOptions, unfold } from './functions/unfold.js';
