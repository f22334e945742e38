export { convolve, convolveInput, convolveWeight, convScratch, gatherWeight, flipKernels } from './conv';
export {
  abs, add, div, erf, exp, gelu, geluGradient, maximum, minimum, mul, neg, relu, reluGradient, sigmoid, silu, sqrt,
  square, sub, tanh,
} from './elementwise';
export {
  absGradient, clamp, clampGradient, elu, eluGradient, expm1, hardtanhGradient, leakyRelu, leakyReluGradient, reciprocal, reciprocalGradient,
  rsqrt, rsqrtGradient, sigmoidGradient, siluGradient, sqrtGradient, squareGradient, tanhGradient,
} from './gradients';
export { gemm, batchedGemm, gemmScratch } from './gemm';
export { copyStrided, fill, repeat } from './fill';
export { maxPool, maxPoolGradient } from './pool';
export { log, log1p } from './log';
export { logitLosses, logitLossGradient, scaledDifference, squaredError } from './loss';
export {
  crossEntropy, crossEntropyGradient, limitedSoftmax, logSoftmax, logSoftmaxGradient, logsumexp, softmax, softmaxColumns,
  softmaxColumnsGradient, softmaxGradient,
} from './softmax';
export { normalizeRows, normalizeRowsGradient, rowProducts, shiftRows, shiftRowsGradient } from './norm';
export { adagrad, adam, amsgrad, lion, momentum, rmsprop, sgd } from './optim';
export { centeredSquares, columnExtrema, columnSums, rowExtrema, rowMoments, rowPlaces, rowSums } from './reduce';
export { standardize, standardizeGradient, sum } from './rows';
