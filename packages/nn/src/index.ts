export * as functional from './functional.js';
export type { BackwardHook, ForwardHook, ForwardPreHook, StateDictHook } from './hooks.js';
export * as init from './init.js';
export * from './layers/index.js';
export { Module, type StateDict } from './module.js';
export * as optim from './optim/index.js';
export { Buffer, buffer, Parameter } from './parameter.js';
export { summary } from './summary.js';
