export * from './activation.js';
export * from './arrange.js';
export * from './attention.js';
export * from './blas.js';
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  type Pair,
} from './conv.js';
export * from './crossEntropy.js';
export {
  type BinaryRule,
  customBinary as binary,
  customUnary as unary,
  type TensorLike,
  type UnaryRule,
} from './define.js';
export * from './dropout.js';
export * from './einsum.js';
export * from './elementwise.js';
export * from './embedding.js';
export * from './indexing.js';
export * from './linalg.js';
export {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  cosineSimilarity,
  huberLoss,
  klDiv,
  type LossOptions,
  l1Loss,
  mseLoss,
  type Reduction,
  smoothL1Loss,
} from './loss.js';
export * from './math.js';
export * from './matmul.js';
export * from './norm.js';
export * from './pool.js';
export * from './random.js';
export * from './reduce.js';
export * from './scan.js';
export {
  broadcastTensors,
  cat,
  chunk,
  clone,
  contiguous,
  copy_,
  expand,
  expandAs,
  flatten,
  narrow,
  permute,
  reshape,
  select,
  split,
  squeeze,
  stack,
  t,
  to,
  transpose,
  unbind,
  unflatten,
  unsqueeze,
  view,
} from './shape.js';
export { at, type Index, type Slice, set, slice } from './slicing.js';
export { logSoftmax, logsumexp, softmax } from './softmax.js';
export { digamma, erf, erfc, erfinv, lgamma, logit, polygamma, sinc } from './special.js';
export * from './statistics.js';
export * from './unique.js';
