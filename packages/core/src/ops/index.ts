// These add methods only; they export no functions.
import './forms.js';

export {
  celu,
  elu,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  prelu,
  relu6,
  selu,
  silu,
  softplus,
  softshrink,
  softsign,
  tanhshrink,
} from './activation.js';
export {
  addcdiv,
  addcmul,
  type Bound,
  clamp,
  clip,
  copysign,
  floorDivide,
  fmod,
  heaviside,
  lerp,
  remainder,
} from './arithmetic.js';
export { type AttentionOptions, scaledDotProductAttention } from './attention.js';
export { type AddOptions, addbmm, addmm, addmv, addr, baddbmm, cross, kron, mv, tensordot } from './blas.js';
export { cartesianProd, combinations, meshgrid } from './combinations.js';
export {
  allclose,
  equal,
  fmax,
  fmin,
  isclose,
  isfinite,
  isinf,
  isnan,
  isneginf,
  isposinf,
  nanToNum,
  signbit,
} from './comparison.js';
export {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  type Pair,
} from './conv.js';
export { clone, contiguous, to } from './copy.js';
export { type CrossEntropyOptions, crossEntropy, type NllLossOptions, nllLoss } from './crossEntropy.js';
export {
  type BinaryRule,
  customBinary as binary,
  customUnary as unary,
  type TensorLike,
  type UnaryRule,
} from './define.js';
export { diag, diagEmbed, diagonal, trace, tril, trilIndices, triu, triuIndices } from './diagonal.js';
export { dropout } from './dropout.js';
export { dot, einsum, outer } from './einsum.js';
export { abs, add, div, exp, log, mul, neg, relu, sigmoid, sign, sqrt, sub, tanh } from './elementwise.js';
export { embedding } from './embedding.js';
export { exp2, expm1, log1p, log2, log10, logaddexp, pow, reciprocal, rsqrt, square, xlogy } from './exponential.js';
export { amax, amin, argmax, argmin, max, min, type ValuesAndIndices } from './extrema.js';
export type { Rounded, Scaled } from './forms.js';
export { bincount, bucketize, histc, type SearchOptions, searchsorted } from './histogram.js';
export {
  argwhere,
  gather,
  indexAdd,
  indexCopy,
  indexFill,
  indexSelect,
  maskedScatter,
  maskedSelect,
  nonzero,
  scatter,
  scatterAdd,
  scatterReduce,
  take,
  takeAlongDim,
} from './indexing.js';
export {
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseNot,
  bitwiseOr,
  bitwiseRightShift,
  bitwiseXor,
  gcd,
  lcm,
} from './integer.js';
export { cat, chunk, narrow, select, split, stack, unbind } from './joining.js';
export { asTensor } from './likes.js';
export { cholesky, det, inverse, LinAlgError, matrixPower, slogdet, solve } from './linalg.js';
export { logicalAnd, logicalNot, logicalOr, logicalXor } from './logical.js';
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
export { bmm, linear, matmul, mm } from './matmul.js';
export { type BatchNormOptions, batchNorm, groupNorm, instanceNorm, layerNorm, normalize, rmsNorm } from './norm.js';
export { oneHot } from './oneHot.js';
export { pad } from './pad.js';
export {
  type AvgPool1dOptions,
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  avgPool1d,
  avgPool2d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  type PoolOptions,
} from './pool.js';
export { bernoulli, type FromGenerator, multinomial, normal, poisson } from './random.js';
export {
  blockDiag,
  dstack,
  flip,
  fliplr,
  flipud,
  hstack,
  movedim,
  repeat,
  repeatInterleave,
  roll,
  rot90,
  swapaxes,
  tile,
  unfoldDim,
  vstack,
} from './rearrange.js';
export { all, any, mean, norm, prod, std, stdMean, type VarOptions, var, varMean } from './reduce.js';
export { eq, ge, gt, le, lt, maximum, minimum, ne } from './relational.js';
export { ceil, floor, frac, round, trunc } from './rounding.js';
export { cummax, cummin, cumprod, cumsum, type DiffOptions, diff, logcumsumexp } from './scan.js';
export {
  broadcastTensors,
  expand,
  expandAs,
  flatten,
  permute,
  reshape,
  squeeze,
  t,
  transpose,
  unflatten,
  unsqueeze,
  view,
} from './shape.js';
export { at, type Index, type Slice, set, slice } from './slicing.js';
export { logSoftmax, logsumexp, softmax } from './softmax.js';
export { argsort, sort, topk } from './sorting.js';
export { digamma, erf, erfc, erfinv, lgamma, logit, polygamma, sinc } from './special.js';
export {
  aminmax,
  cdist,
  corrcoef,
  countNonzero,
  cov,
  dist,
  kthvalue,
  median,
  mode,
  nanmean,
  nanmedian,
  nansum,
  type QuantileOptions,
  quantile,
} from './statistics.js';
export { type Dim, type KeepDim, sum, sumTo } from './sum.js';
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cos,
  cosh,
  deg2rad,
  hypot,
  rad2deg,
  sin,
  sinh,
  tan,
} from './trigonometric.js';
export { isin, type Unique, unique, uniqueConsecutive } from './unique.js';
export { maskedFill, where } from './where.js';
export { copy_ } from './write.js';
