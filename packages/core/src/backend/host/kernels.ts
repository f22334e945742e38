import type { Kernels } from '../backend.js';
import { matmul } from './matmul.js';
import { step } from './step.js';

/** Every kernel in plain loops, for every dtype: the definition of what the faster ones compute. */
export const kernels: Kernels = { matmul, step };
