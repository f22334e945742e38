export * from './adam.js';
export { type Group, Optimizer, type ParamGroup } from './optimizer.js';
export * from './sgd.js';
