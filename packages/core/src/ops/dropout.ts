import { dataOf } from '../backend/host/data.js';
import { checkOptions } from '../check.js';
import { isTraining } from '../grad/index.js';
import { checkTensors } from '../tensor/check.js';
import { rand } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import type { Generator } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { mul } from './elementwise.js';

const dropoutOptions = { p: is.probability, training: is.boolean, generator: is.generator };

/** Sets elements to 0 with probability `p` and scales the rest by 1 / (1 - p); without `training` gives `x` itself. */
export function dropout(x: Tensor, options?: { p?: number; training?: boolean; generator?: Generator }): Tensor {
  const { p = 0.5, training = true, generator } = checkOptions('dropout', options, dropoutOptions);
  checkTensors('dropout', x);
  if (!(p >= 0 && p <= 1)) throw new TypeError(`dropout: p is a probability from 0 to 1, got ${p}`);
  if (p === 0 || !isTraining(training)) return x;
  if (p === 1) return mul(x, 0);
  // What is drawn becomes the mask in place.
  const mask = rand(x.shape, { dtype: x.dtype, generator });
  const data = dataOf(mask);
  const scale = 1 / (1 - p);
  for (let i = 0; i < data.length; i++) data[i] = Number(data[i]! >= p) * scale;
  return mul(x, mask);
}
