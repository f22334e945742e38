/** Functions of tensors, without state, that layers are made of: core's, and those in the folder `functions`. */
export {
  type AttentionOptions,
  type AvgPool1dOptions,
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  avgPool1d,
  avgPool2d,
  type BatchNormOptions,
  batchNorm,
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  type ConvOptions,
  type ConvTransposeOptions,
  type CrossEntropyOptions,
  celu,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  cosineSimilarity,
  crossEntropy,
  dropout,
  elu,
  embedding,
  gelu,
  glu,
  groupNorm,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  huberLoss,
  instanceNorm,
  klDiv,
  type LossOptions,
  l1Loss,
  layerNorm,
  leakyRelu,
  linear,
  logSigmoid,
  logSoftmax,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  mish,
  mseLoss,
  type NllLossOptions,
  nllLoss,
  normalize,
  oneHot,
  type Pair,
  type PoolOptions,
  pad,
  prelu,
  type Reduction,
  relu,
  relu6,
  rmsNorm,
  scaledDotProductAttention,
  selu,
  sigmoid,
  silu,
  smoothL1Loss,
  softmax,
  softplus,
  softshrink,
  softsign,
  tanh,
  tanhshrink,
  type ValuesAndIndices,
} from '@gradgate/core';
export { rrelu, softmin, threshold } from './functions/activation.js';
export {
  adaptiveMaxPool1d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3d,
  adaptiveMaxPool3dWithIndices,
} from './functions/adaptiveMaxPool.js';
export { bilinear } from './functions/bilinear.js';
export { channelShuffle } from './functions/channelShuffle.js';
export { conv3d, convTranspose3d } from './functions/conv3d.js';
export { type CTCLossOptions, ctcLoss } from './functions/ctc.js';
export { alphaDropout, dropout1d, dropout2d, dropout3d, featureAlphaDropout } from './functions/dropout.js';
export { type EmbeddingBagOptions, embeddingBag } from './functions/embedding.js';
export {
  type FractionalMaxPoolOptions,
  fractionalMaxPool2d,
  fractionalMaxPool2dWithIndices,
  fractionalMaxPool3d,
  fractionalMaxPool3dWithIndices,
} from './functions/fractionalMaxPool.js';
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
export { type LpPoolOptions, lpPool1d, lpPool2d, lpPool3d } from './functions/lpPool.js';
export { maxPool1dWithIndices, maxPool2dWithIndices } from './functions/maxPool.js';
export { type MaxUnpoolOptions, maxUnpool1d, maxUnpool2d, maxUnpool3d } from './functions/maxUnpool.js';
export { pixelShuffle, pixelUnshuffle } from './functions/pixelShuffle.js';
export {
  adaptiveAvgPool3d,
  avgPool3d,
  maxPool3d,
  maxPool3dWithIndices,
} from './functions/pool3d.js';
export type { Triple } from './functions/sizes.js';
export { fold, type UnfoldOptions, unfold } from './functions/unfold.js';
