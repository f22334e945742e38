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
export {
  /** Metrics, which gather figures over batches: `update()` adds a batch, `compute()` gives the figure. */
  metrics,
};

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
export {
  /** Datasets, samplers, loaders, transforms and preprocessing. */
  data,
  /** Layers, losses and activations as functions: they hold no parameters. */
  functional,
  /** Initializations, which write to a tensor in place and return it. */
  init,
  /** Optimizers, schedulers of the learning rate, and what averages or scales beside them. */
  optim,
};
