import { digamma, type Generator, lgamma, type Shape, stack, type Tensor, xlogy } from '@gradgate/core';
import { betainc, betaincinv } from '@gradgate/core/more';
import { unitInterval } from './constraints.js';
import { Dirichlet } from './dirichlet.js';
import type { TensorLike } from './distribution.js';
import { standardGamma } from './draws.js';
import { TwoConcentrations } from './twoConcentrations.js';

/**
 * The beta distribution over numbers from 0 to 1. Its density is proportional to `x ** (concentration1 - 1) * (1 - x)
 * ** (concentration0 - 1)`. Parameters are positive; numbers or tensors, which broadcast.
 *
 * ```ts
 * const beta = new Beta(3, 1);
 * beta.mean; // 0.75
 * beta.logProb(0.5); // -0.2877
 * ```
 */
export class Beta extends TwoConcentrations {
  override get mean(): Tensor {
    return this.concentration1.div(this.concentration1.add(this.concentration0));
  }
  /** Where no concentration is above 1, the end with the larger one. */
  override get mode(): Tensor {
    const both = stack([this.concentration1, this.concentration0], -1);
    return new Dirichlet(both, { validateArgs: false }).mode.select(-1, 0);
  }
  override get variance(): Tensor {
    const [a, b] = [this.concentration1, this.concentration0];
    const total = a.add(b);
    return a.mul(b).div(total.square().mul(total.add(1)));
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const one = standardGamma(this.concentration1.expand(shape), generator);
    return one.div(one.add(standardGamma(this.concentration0.expand(shape), generator)));
  }

  protected override logDensity(value: Tensor): Tensor {
    const [a, b] = [this.concentration1, this.concentration0];
    return xlogy(a.sub(1), value)
      .add(xlogy(b.sub(1), value.neg().add(1)))
      .sub(this.logBeta());
  }

  /** The logarithm of the beta function of both concentrations. */
  private logBeta(): Tensor {
    const [a, b] = [this.concentration1, this.concentration0];
    return lgamma(a)
      .add(lgamma(b))
      .sub(lgamma(a.add(b)));
  }

  /** The probability of at most `value`; it has no gradient for the concentrations. */
  override cdf(value: TensorLike): Tensor {
    return betainc(this.concentration1, this.concentration0, this.checkValue('cdf', value));
  }

  /** The value that a draw does not exceed with probability `p`; it has no gradient for the concentrations. */
  override icdf(p: TensorLike): Tensor {
    return betaincinv(this.concentration1, this.concentration0, this.checkValue('icdf', p, unitInterval));
  }

  override entropy(): Tensor {
    const [a, b] = [this.concentration1, this.concentration0];
    return this.logBeta()
      .sub(a.sub(1).mul(digamma(a)))
      .sub(b.sub(1).mul(digamma(b)))
      .add(
        a
          .add(b)
          .sub(2)
          .mul(digamma(a.add(b))),
      );
  }
}
