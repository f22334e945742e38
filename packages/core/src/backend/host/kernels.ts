import type { Kernels } from '../backend.js';
import { conv, convInput, convWeight } from './conv.js';
import { copy, fill } from './copy.js';
import { matmul } from './matmul.js';
import * as softmax from './softmax.js';
import { step } from './step.js';
import { where } from './where.js';

/** Every kernel in plain loops, for every dtype: the definition of what the faster ones compute. */
export const kernels: Kernels = { conv, convInput, convWeight, copy, fill, matmul, step, where, ...softmax };
