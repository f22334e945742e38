/** Kernels for other packages of gradgate: over plain arrays, without checks. Not for users. */
export { type AdamStep, adamStep, type OptimizerKernel, optimizerStep } from './optim.js';
export { place } from './resident.js';
