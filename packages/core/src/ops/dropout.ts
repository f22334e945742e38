import { kernelsOf } from '../backend/backends.js';
import type { RandomRule } from '../backend/kernels.js';
import { checkOptions } from '../check.js';
import { isTraining } from '../grad/index.js';
import { computedIn } from '../memory/dtype.js';
import { madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { currentGenerator, type Generator } from '../tensor/random.js';
import { Tensor } from '../tensor/tensor.js';
import { mul } from './elementwise.js';

const dropoutOptions = { p: is.probability, training: is.boolean, generator: is.generator };

/** Draws from [0, 1). A device may draw them itself if it gives the same numbers. */
const uniform: RandomRule = {
  name: 'uniform',
  loop(to, generator) {
    for (let i = 0; i < to.length; i++) to[i] = generator.uniform();
  },
};

/**
 * Sets elements to 0 with probability `p` and scales the others by 1 / (1 - p). Without `training` it returns `x`
 * itself.
 *
 * ```ts
 * dropout(tensor([1, 2]), { p: 0.5, training: false }); // [1, 2]
 * ```
 */
export const dropout = /* @__PURE__ */ madeOf(
  'dropout',
  (x: Tensor, options?: { p?: number; training?: boolean; generator?: Generator }): Tensor => {
    const {
      p = 0.5,
      training = true,
      generator = currentGenerator(),
    } = checkOptions('dropout', options, dropoutOptions);
    if (p === 0 || !isTraining(training)) return x;
    if (p === 1) return mul(x, 0);
    // The draws become the mask in place. Half types are too coarse for the draws.
    const draws = Tensor.uninitialized(computedIn(x.dtype), x.shape, x.storage.backend);
    kernelsOf('dropout', x).random(uniform, generator, [], draws);
    const mask = draws.dtype === x.dtype ? draws : Tensor.uninitialized(x.dtype, x.shape, x.storage.backend);
    kernelsOf('dropout', x).dropoutMask(draws, p, mask);
    return mul(x, mask);
  },
);
