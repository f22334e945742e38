import * as host from '../host/kernels.js';
import type { Kernels } from '../kernels.js';
import { conv, convInput, convWeight } from './conv.js';
import { copy } from './copy.js';
import { binary, unary } from './elementwise.js';
import { crossEntropy, crossEntropyGradient, pairLoss, pairLossGradient } from './loss.js';
import { matmul } from './matmul.js';
import { isAvailable } from './module.js';
import { normChannels, normChannelsGradient, normRows, normRowsGradient, scaleChannels } from './norm.js';
import { maxPool, maxPoolGradient } from './pool.js';
import { reduce, variance, varianceGradient } from './reduce.js';
import * as softmax from './softmax.js';
import { step } from './step.js';

/** Kernels that copy strided operands into row-major order before they begin. */
const overRows = {
  pairLoss,
  pairLossGradient,
  reduce,
  unary,
  variance,
  ...softmax,
  normChannels,
  normChannelsGradient,
  normRows,
  normRowsGradient,
};

/** Whether a kernel copies its strided operands: `compile` then gives it copies in planned memory. */
export const copiesStrided = (name: keyof Kernels): boolean => name in overRows;

/**
 * The kernels in WebAssembly where they are faster, the host's for all else; only the host's where WebAssembly cannot
 * be compiled.
 */
export const kernels: Kernels = !isAvailable
  ? host.kernels
  : {
      ...host.kernels,
      binary,
      conv,
      copy,
      convInput,
      convWeight,
      crossEntropy,
      crossEntropyGradient,
      maxPool,
      maxPoolGradient,
      matmul,
      step,
      varianceGradient,
      scaleChannels,
      ...overRows,
    };
