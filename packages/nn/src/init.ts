import { type Generator, noGrad, rand, randn, type Tensor } from '@gradgate/core';

interface InitOptions {
  generator?: Generator;
}

/** Fills `t` with numbers uniform in [low, high). Not recorded. */
export function uniform_<T extends Tensor>(t: T, low = 0, high = 1, options: InitOptions = {}): T {
  return noGrad.run(() =>
    t.copy_(
      rand(t.shape, { dtype: t.dtype, ...options })
        .mul(high - low)
        .add(low),
    ),
  );
}

/** Fills `t` with numbers from a normal distribution. Not recorded. */
export function normal_<T extends Tensor>(t: T, mean = 0, std = 1, options: InitOptions = {}): T {
  return noGrad.run(() =>
    t.copy_(
      randn(t.shape, { dtype: t.dtype, ...options })
        .mul(std)
        .add(mean),
    ),
  );
}
