export * from './adagrad.js';
export * from './adam.js';
export * from './adamVariants.js';
export * from './clip.js';
export * from './ema.js';
export { type Group, Optimizer, type OptimizerState, type ParamGroup } from './optimizer.js';
export * from './rmsprop.js';
export * from './scheduler.js';
export * from './sgd.js';
