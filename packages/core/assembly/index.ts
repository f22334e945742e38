// The elementwise kernels, of elementwise.ts, gradients.ts and log.ts, are exported too: scripts/build-kernels.mjs finds them.
export { convolve, convolveInput, convolveWeight, convScratch, gatherWeight, flipKernels } from './conv';
export { gemm, batchedGemm, gemmScratch } from './gemm';
export { copyStrided, fill, repeat } from './fill';
export { maxPool, maxPoolGradient } from './pool';
export { logitLosses, logitLossGradient, scaledDifference, squaredError } from './loss';
export {
  crossEntropy, crossEntropyGradient, limitedSoftmax, logSoftmax, logSoftmaxGradient, logsumexp, softmax, softmaxColumns,
  softmaxColumnsGradient, softmaxGradient,
} from './softmax';
export { normalizeRows, normalizeRowsGradient, rowProducts, shiftRows, shiftRowsGradient } from './norm';
export { adagrad, adam, amsgrad, lion, momentum, rmsprop, sgd } from './optim';
export { centeredSquares, columnExtrema, columnSums, rowExtrema, rowMoments, rowPlaces, rowSums } from './reduce';
export { standardize, standardizeGradient, sum } from './rows';
