import type { Kernels } from '@gradgate/core';
import { convKernels } from './conv.js';
import { indexingKernels } from './indexing.js';
import { linalgKernels } from './linalg.js';
import { lossKernels } from './loss.js';
import { mapKernels } from './map.js';
import { matmulKernels } from './matmul.js';
import { matricesKernels } from './matrices.js';
import { normKernels } from './norm.js';
import { orderKernels } from './order.js';
import { poolKernels } from './pool.js';
import { randomKernels } from './random.js';
import { reduceKernels } from './reduce.js';
import { softmaxKernels } from './softmax.js';
import { stepKernels } from './step.js';

/** The kernels in WGSL. */
export const kernels: Kernels = {
  ...convKernels,
  ...indexingKernels,
  ...linalgKernels,
  ...lossKernels,
  ...mapKernels,
  ...matmulKernels,
  ...matricesKernels,
  ...normKernels,
  ...orderKernels,
  ...poolKernels,
  ...randomKernels,
  ...reduceKernels,
  ...softmaxKernels,
  ...stepKernels,
};
