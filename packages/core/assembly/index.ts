export { convolve, convolveInput, convolveWeight, convScratch, gatherWeight, turnKernels } from './conv';
export {
  abs, add, div, erf, exp, gelu, geluGradient, maximum, minimum, mul, neg, relu, reluGradient, sigmoid, silu, sqrt,
  square, sub, tanh,
} from './elementwise';
export { gemm, gemmScratch } from './gemm';
export { maxPool } from './pool';
export { softmax, softmaxGradient } from './softmax';
export { adam } from './optim';
export { standardize, standardizeGradient, sum } from './rows';
