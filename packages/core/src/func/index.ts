// The entry point `@gradgate/core/func`: function transforms, as in PyTorch's `torch.func`.

export type { Randomness } from './batch.js';
export { type GradTransformOptions, grad, gradAndValue, jvp, vjp, type WithAux } from './gradients.js';
export type { ArgNums, Chosen } from './inputs.js';
export { hessian, type Jacobian, type JacobianTransformOptions, jacfwd, jacrev } from './jacobians.js';
export { replaceAllBatchNormModules_ } from './replaceBatchNorm.js';
export type { Tree } from './trees.js';
export { type Dims, type VmapOptions, vmap } from './vmap.js';
