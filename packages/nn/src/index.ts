export * as functional from './functional.js';
export * as init from './init.js';
export * from './layers/index.js';
export { Module, type StateDict } from './module.js';
export * as optim from './optim/index.js';
export { Buffer, buffer, Parameter } from './parameter.js';
