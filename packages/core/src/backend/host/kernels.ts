import type { Kernels } from '../kernels.js';
import { argsort } from './argsort.js';
import { checkRange } from './checkRange.js';
import { cholesky } from './cholesky.js';
import { conv, convInput, convWeight } from './conv.js';
import { copy, fill } from './copy.js';
import { dropoutMask } from './dropout.js';
import { binary, unary } from './elementwise.js';
import { gather } from './gather.js';
import { histogram } from './histogram.js';
import { indexAdd, indexSelect } from './indexSelect.js';
import { isin } from './isin.js';
import { crossEntropy, crossEntropyGradient, pairLoss, pairLossGradient } from './loss.js';
import * as lu from './lu.js';
import { matmul } from './matmul.js';
import { matrices } from './matrices.js';
import { mode } from './mode.js';
import * as norm from './norm.js';
import { avgPool, avgPoolGradient, maxPool, maxPoolGradient } from './pool.js';
import { random } from './random.js';
import { ravelIndex } from './ravelIndex.js';
import { reduce } from './reduce.js';
import * as resample from './resample.js';
import { scan } from './scan.js';
import { scatter } from './scatter.js';
import { searchsorted } from './searchsorted.js';
import * as softmax from './softmax.js';
import { step } from './step.js';
import { variance, varianceGradient } from './variance.js';
import { where } from './where.js';

/** Every kernel in plain loops, for every dtype. Faster kernels have to compute the same. */
export const kernels: Kernels = {
  argsort,
  binary,
  checkRange,
  cholesky,
  conv,
  convInput,
  convWeight,
  copy,
  fill,
  gather,
  histogram,
  indexAdd,
  indexSelect,
  isin,
  matmul,
  matrices,
  mode,
  random,
  ravelIndex,
  reduce,
  scan,
  scatter,
  searchsorted,
  step,
  unary,
  variance,
  varianceGradient,
  where,
  crossEntropy,
  crossEntropyGradient,
  pairLoss,
  pairLossGradient,
  dropoutMask,
  avgPool,
  avgPoolGradient,
  maxPool,
  maxPoolGradient,
  ...norm,
  ...resample,
  ...lu,
  ...softmax,
};
