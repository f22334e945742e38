export {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  PReLU,
  ReLU,
  ReLU6,
  RReLU,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softmin,
  Softplus,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
  Threshold,
} from './activation.js';
export { type AdaptiveLogSoftmaxOptions, AdaptiveLogSoftmaxWithLoss } from './adaptiveSoftmax.js';
export { type AttentionMasks, causalMask, MultiheadAttention, type MultiheadAttentionOptions } from './attention.js';
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormModuleOptions } from './batchNorm.js';
export { Bilinear } from './bilinear.js';
export { ModuleDict, ModuleList, ParameterDict, ParameterList, Sequential } from './container.js';
export {
  Conv1d,
  Conv2d,
  type ConvModuleOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  type ConvTransposeModuleOptions,
} from './conv.js';
export { Conv3d, ConvTranspose3d } from './conv3d.js';
export { AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout } from './dropout.js';
export { Embedding, EmbeddingBag, type EmbeddingOptions } from './embedding.js';
export { FractionalMaxPool2d, FractionalMaxPool3d } from './fractionalMaxPool.js';
export {
  LazyBatchNorm1d,
  LazyBatchNorm2d,
  LazyBatchNorm3d,
  LazyConv1d,
  LazyConv2d,
  LazyConv3d,
  LazyConvTranspose1d,
  LazyConvTranspose2d,
  LazyConvTranspose3d,
  LazyInstanceNorm1d,
  LazyInstanceNorm2d,
  LazyInstanceNorm3d,
  LazyLinear,
} from './lazy.js';
export { Linear, type LinearOptions } from './linear.js';
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CosineSimilarity,
  CrossEntropyLoss,
  CTCLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  Loss,
  MarginRankingLoss,
  MSELoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  NLLLoss,
  PairwiseDistance,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
  TripletMarginLoss,
  TripletMarginWithDistanceLoss,
} from './loss.js';
export { MaxUnpool1d, MaxUnpool2d, MaxUnpool3d } from './maxUnpool.js';
export {
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  LayerNorm,
  LocalResponseNorm,
  RMSNorm,
} from './norm.js';
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AvgPool1d,
  AvgPool2d,
  LPPool1d,
  LPPool2d,
  LPPool3d,
  MaxPool1d,
  MaxPool2d,
} from './pool.js';
export { AdaptiveAvgPool3d, AdaptiveMaxPool3d, AvgPool3d, MaxPool3d } from './pool3d.js';
export { GRU, LSTM, type RecurrentOptions, RNN } from './rnn.js';
export { GRUCell, LSTMCell, RNNCell } from './rnnCell.js';
export {
  ChannelShuffle,
  CircularPad1d,
  CircularPad2d,
  CircularPad3d,
  ConstantPad1d,
  ConstantPad2d,
  ConstantPad3d,
  Flatten,
  Fold,
  Identity,
  PixelShuffle,
  PixelUnshuffle,
  ReflectionPad1d,
  ReflectionPad2d,
  ReflectionPad3d,
  ReplicationPad1d,
  ReplicationPad2d,
  ReplicationPad3d,
  Unflatten,
  Unfold,
  Upsample,
  ZeroPad1d,
  ZeroPad2d,
  ZeroPad3d,
} from './shape.js';
export {
  type DecoderMasks,
  type EncoderMasks,
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
  type TransformerOptions,
} from './transformer.js';
