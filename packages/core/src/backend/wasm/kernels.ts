import type { Kernels } from '../backend.js';
import * as host from '../host/kernels.js';
import { conv, convInput, convWeight } from './conv.js';
import { binary, unary } from './elementwise.js';
import { crossEntropy, crossEntropyGradient, pairLoss, pairLossGradient } from './loss.js';
import { matmul } from './matmul.js';
import { isAvailable } from './module.js';
import { normChannels, normChannelsGradient, normRows, normRowsGradient, scaleChannels } from './norm.js';
import { maxPool, maxPoolGradient } from './pool.js';
import { reduce, variance, varianceGradient } from './reduce.js';
import * as softmax from './softmax.js';
import { step } from './step.js';

/** Those that copy strided operands into row-major order before they begin. */
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

/** Whether a kernel copies its strided operands: `compile` gives it copies in memory that is planned. */
export const copiesStrided = (name: keyof Kernels): boolean => name in overRows;

/** The kernels in WebAssembly, where they pay, and those of the host elsewhere: all of them, where none can be compiled. */
export const kernels: Kernels = !isAvailable
  ? host.kernels
  : {
      ...host.kernels,
      binary,
      conv,
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
