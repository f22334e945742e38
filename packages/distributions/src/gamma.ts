import { digamma, type Generator, lgamma, type Shape, type Tensor, xlogy } from '@gradgate/core';
import { gammainc } from '@gradgate/core/special';
import { type ArgConstraints, nonNegative, positive } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { standardGamma } from './draws.js';

/**
 * The gamma distribution with shape `concentration` and `rate`, both positive; the mean is `concentration / rate`.
 *
 * ```ts
 * const gamma = new Gamma(2, 4);
 * gamma.mean; // 0.5
 * gamma.logProb(1); // -1.227
 * ```
 */
export class Gamma extends Distribution {
  static override readonly argConstraints: ArgConstraints = { concentration: positive, rate: positive };
  /** The shape parameter: above 0, of the batch's shape. */
  readonly concentration: Tensor;
  /** The rate: above 0, of the batch's shape. */
  readonly rate: Tensor;
  readonly support = nonNegative;

  constructor(concentration: TensorLike, rate: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('Gamma', { concentration, rate }, Gamma.argConstraints, options);
    super(given.rate.shape, [], options);
    this.concentration = given.concentration;
    this.rate = given.rate;
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.concentration.div(this.rate);
  }
  override get mode(): Tensor {
    return this.concentration.sub(1).clamp(0).div(this.rate);
  }
  override get variance(): Tensor {
    return this.concentration.div(this.rate.square());
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    return standardGamma(this.concentration.expand(shape), generator).div(this.rate);
  }

  protected override logDensity(value: Tensor): Tensor {
    const { concentration, rate } = this;
    return xlogy(concentration, rate)
      .add(xlogy(concentration.sub(1), value))
      .sub(rate.mul(value))
      .sub(lgamma(concentration));
  }

  /** The probability of at most `value`; it has no gradient for `concentration`, which PyTorch lacks too. */
  override cdf(value: TensorLike): Tensor {
    return gammainc(this.concentration, this.checkValue('cdf', value).mul(this.rate));
  }

  override entropy(): Tensor {
    const { concentration, rate } = this;
    const skew = concentration.neg().add(1).mul(digamma(concentration));
    return concentration.sub(rate.log()).add(lgamma(concentration)).add(skew);
  }
}

/**
 * The chi-squared distribution with `df` degrees of freedom: of a sum of `df` squared standard normal numbers.
 *
 * ```ts
 * new Chi2(3).mean; // 3
 * ```
 */
export class Chi2 extends Gamma {
  static override readonly argConstraints: ArgConstraints<'df'> = { df: positive };
  /** The degrees of freedom: above 0, of the batch's shape. */
  readonly df: Tensor;

  constructor(df: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('Chi2', { df }, Chi2.argConstraints, options).df;
    super(given.mul(0.5), 0.5, options);
    this.df = given;
  }
}
