export * from './activation.js';
export * from './adaptiveSoftmax.js';
export * from './attention.js';
export { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormModuleOptions } from './batchNorm.js';
export * from './bilinear.js';
export * from './container.js';
export {
  Conv1d,
  Conv2d,
  type ConvModuleOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  type ConvTransposeModuleOptions,
} from './conv.js';
export { Conv3d, ConvTranspose3d } from './conv3d.js';
export * from './dropout.js';
export * from './embedding.js';
export * from './lazy.js';
export * from './linear.js';
export * from './loss.js';
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
export * from './pool.js';
export { AdaptiveAvgPool3d, AdaptiveMaxPool3d, AvgPool3d, MaxPool3d } from './pool3d.js';
export * from './rnn.js';
export * from './shape.js';
export * from './transformer.js';
