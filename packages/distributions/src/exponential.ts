import { type Generator, log1p, rand, type Shape, type Tensor } from '@gradgate/core';
import { type ArgConstraints, nonNegative, positive, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

/**
 * The exponential distribution with this `rate`: the time between events that happen `rate` times per unit on average.
 *
 * ```ts
 * const exponential = new Exponential(2);
 * exponential.mean; // 0.5
 * exponential.logProb(1); // -1.307
 * ```
 */
export class Exponential extends Distribution {
  static override readonly argConstraints: ArgConstraints<'rate'> = { rate: positive };
  /** The rate: above 0, of the batch's shape. */
  readonly rate: Tensor;
  readonly support = nonNegative;

  constructor(rate: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('Exponential', { rate }, Exponential.argConstraints, options);
    super(given.rate.shape, [], options);
    this.rate = given.rate;
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.rate.reciprocal();
  }
  override get mode(): Tensor {
    return this.rate.mul(0);
  }
  override get variance(): Tensor {
    return this.rate.square().reciprocal();
  }
  override get stddev(): Tensor {
    return this.rate.reciprocal();
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.rate;
    return log1p(rand(shape, { dtype, device, generator }).neg()).neg().div(this.rate);
  }

  protected override logDensity(value: Tensor): Tensor {
    return this.rate.log().sub(this.rate.mul(value));
  }

  override entropy(): Tensor {
    return this.rate.log().neg().add(1);
  }

  override cdf(value: TensorLike): Tensor {
    return this.checkValue('cdf', value).mul(this.rate).neg().expm1().neg();
  }

  override icdf(p: TensorLike): Tensor {
    return log1p(this.checkValue('icdf', p, unitInterval).neg())
      .neg()
      .div(this.rate);
  }
}
