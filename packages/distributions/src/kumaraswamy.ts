import { digamma, type Generator, lgamma, log1p, rand, type Shape, type Tensor, where, xlogy } from '@gradgate/core';
import { unitInterval } from './constraints.js';
import type { TensorLike } from './distribution.js';
import { euler } from './gumbel.js';
import { clampProbs } from './probabilities.js';
import { TwoConcentrations } from './twoConcentrations.js';

/**
 * The Kumaraswamy distribution over numbers from 0 to 1: close to the beta distribution with these concentrations, with
 * draws that are as easy as those of a uniform one.
 *
 * ```ts
 * const share = new Kumaraswamy(2, 1);
 * share.mean; // 0.6667
 * share.cdf(0.5); // 0.25
 * ```
 */
export class Kumaraswamy extends TwoConcentrations {
  override get mean(): Tensor {
    return this.moment(1);
  }
  /** NaN where the density has no largest value within: for a concentration below 1, or two of 1. */
  override get mode(): Tensor {
    const [a, b] = [this.concentration1, this.concentration0];
    const has = a.ge(1).logicalAnd(b.ge(1)).logicalAnd(a.mul(b).ne(1));
    const log = a.sub(1).log().sub(a.mul(b).sub(1).log()).div(a);
    return where(has, log.exp(), Number.NaN);
  }
  override get variance(): Tensor {
    return this.moment(2).sub(this.moment(1).square());
  }

  /** The mean of the `n`-th power. */
  private moment(n: number): Tensor {
    const [a, b] = [this.concentration1, this.concentration0];
    const one = a.reciprocal().mul(n).add(1);
    return b.mul(
      lgamma(one)
        .add(lgamma(b))
        .sub(lgamma(one.add(b)))
        .exp(),
    );
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.concentration1;
    return this.quantile(clampProbs(rand(shape, { dtype, device, generator })));
  }

  private quantile(p: Tensor): Tensor {
    const rest = log1p(p.neg()).div(this.concentration0);
    return rest.expm1().neg().pow(this.concentration1.reciprocal());
  }

  protected override logDensity(value: Tensor): Tensor {
    const [a, b] = [this.concentration1, this.concentration0];
    return a
      .mul(b)
      .log()
      .add(xlogy(a.sub(1), value))
      .add(xlogy(b.sub(1), value.pow(a).neg().add(1)));
  }

  override entropy(): Tensor {
    const [a, b] = [this.concentration1, this.concentration0];
    const [t1, t0] = [a.reciprocal().neg().add(1), b.reciprocal().neg().add(1)];
    const harmonic = digamma(b.add(1)).add(euler);
    return t0.add(t1.mul(harmonic)).sub(a.log()).sub(b.log());
  }

  override cdf(value: TensorLike): Tensor {
    const rest = log1p(this.checkValue('cdf', value).pow(this.concentration1).neg());
    return rest.mul(this.concentration0).expm1().neg();
  }

  override icdf(p: TensorLike): Tensor {
    return this.quantile(this.checkValue('icdf', p, unitInterval));
  }
}
