import { type Generator, lgamma, poisson, type Shape, type Tensor, xlogy } from '@gradgate/core';
import { type ArgConstraints, count, nonNegative } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

/**
 * The Poisson distribution: the number of independent events in a period in which `rate` are expected.
 *
 * ```ts
 * const calls = new Poisson(3);
 * calls.logProb(2); // -1.496
 * calls.variance; // 3
 * ```
 */
export class Poisson extends Distribution {
  static override readonly argConstraints: ArgConstraints<'rate'> = { rate: nonNegative };
  /** The rate: above 0, of the batch's shape. */
  readonly rate: Tensor;
  readonly support = count;

  constructor(rate: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('Poisson', { rate }, Poisson.argConstraints, options);
    super(given.rate.shape, [], options);
    this.rate = given.rate;
  }

  override get mean(): Tensor {
    return this.rate;
  }
  override get mode(): Tensor {
    return this.rate.floor();
  }
  override get variance(): Tensor {
    return this.rate;
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    return poisson(this.rate.detach().expand(shape), { generator });
  }

  protected override logDensity(value: Tensor): Tensor {
    const x = value.to(this.rate.dtype);
    return xlogy(x, this.rate)
      .sub(this.rate)
      .sub(lgamma(x.add(1)));
  }
}
