// Made by scripts/build-kernels.mjs from assembly/. Do not edit.

/** The unary functions with a kernel. */
export const unaryKernels = [
  'abs',
  'clamp',
  'elu',
  'erf',
  'exp',
  'expm1',
  'gelu',
  'leakyRelu',
  'log',
  'log1p',
  'neg',
  'reciprocal',
  'relu',
  'rsqrt',
  'sigmoid',
  'silu',
  'sqrt',
  'square',
  'tanh',
] as const;

/** The binary functions with a kernel. */
export const binaryKernels = [
  'absGradient',
  'add',
  'clampGradient',
  'div',
  'eluGradient',
  'geluGradient',
  'hardtanhGradient',
  'leakyReluGradient',
  'maximum',
  'minimum',
  'mul',
  'reciprocalGradient',
  'reluGradient',
  'rsqrtGradient',
  'sigmoidGradient',
  'siluGradient',
  'sqrtGradient',
  'squareGradient',
  'sub',
  'tanhGradient',
] as const;
