export { evalMode, evaluating, freezing, trainMode } from '@gradgate/core';
export { snapshot } from './copy.js';
export { functionalCall } from './functionalCall.js';
export { stackModuleState } from './stackModuleState.js';

import * as data from './data/index.js';
import * as functional from './functional.js';

export type { BackwardHook, ForwardHook, ForwardPreHook, StateDictHook } from './hooks.js';

import * as init from './init.js';

export * from './layers/index.js';

import * as metrics from './metrics/index.js';

export { Module, type StateDict } from './module.js';
export { metrics };

import * as optim from './optim/index.js';

export { Buffer, buffer, Parameter } from './parameter.js';
export { removeSpectralNorm, removeWeightNorm, spectralNorm, weightNorm } from './parametrize.js';
export * from './save/index.js';
export {
  PackedSequence,
  packPaddedSequence,
  packSequence,
  padPackedSequence,
  padSequence,
  unpackSequence,
  unpadSequence,
} from './sequences.js';
export { summary } from './summary.js';

// Written so because Babel takes `export * as` only with a plugin.
export { data, functional, init, optim };
