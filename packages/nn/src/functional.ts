import { type Generator, rand, type Tensor } from '@gradgate/core';

export { crossEntropy, linear, logSoftmax, mseLoss, nllLoss, relu, sigmoid, softmax, tanh } from '@gradgate/core';

/** Sets elements to 0 with probability `p` and scales the rest by 1 / (1 - p); without `training` gives `x` itself. */
export function dropout(
  x: Tensor,
  { p = 0.5, training = true, generator }: { p?: number; training?: boolean; generator?: Generator } = {},
): Tensor {
  if (!(p >= 0 && p <= 1)) throw new TypeError(`dropout: p is a probability from 0 to 1, got ${p}`);
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  return x.mul(
    rand(x.shape, { dtype: x.dtype, generator })
      .ge(p)
      .to(x.dtype)
      .mul(1 / (1 - p)),
  );
}
