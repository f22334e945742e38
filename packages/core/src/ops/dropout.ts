import { checkTensors } from '../tensor/check.js';
import { rand } from '../tensor/creation.js';
import type { Generator } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { ge, mul } from './elementwise.js';

/** Sets elements to 0 with probability `p` and scales the rest by 1 / (1 - p); without `training` gives `x` itself. */
export function dropout(
  x: Tensor,
  { p = 0.5, training = true, generator }: { p?: number; training?: boolean; generator?: Generator } = {},
): Tensor {
  checkTensors('dropout', x);
  if (!(p >= 0 && p <= 1)) throw new TypeError(`dropout: p is a probability from 0 to 1, got ${p}`);
  if (!training || p === 0) return x;
  if (p === 1) return mul(x, 0);
  return mul(x, mul(ge(rand(x.shape, { dtype: x.dtype, generator }), p), 1 / (1 - p)).to(x.dtype));
}
