export { col2im, im2col } from './conv';
export { exp, relu, reluGradient, sigmoid, silu, tanh } from './elementwise';
export { gemm, gemmScratch } from './gemm';
export { maxPool } from './pool';
