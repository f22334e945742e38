import { type Generator, lgamma, log1p, rand, type Shape, type Tensor, xlogy } from '@gradgate/core';
import { type ArgConstraints, nonNegative, positive, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { euler } from './gumbel.js';
import { clampProbs } from './probabilities.js';

/**
 * The Weibull distribution with this `scale` and shape `concentration`: of times to a failure that gets less likely
 * with age for a concentration below 1, and more likely above.
 *
 * ```ts
 * const life = new Weibull(2, 1);
 * life.mean; // 2
 * life.cdf(2); // 0.6321
 * ```
 */
export class Weibull extends Distribution {
  static override readonly argConstraints: ArgConstraints<'scale' | 'concentration'> = {
    scale: positive,
    concentration: positive,
  };
  /** The scale: above 0, of the batch's shape. */
  readonly scale: Tensor;
  /** The shape parameter: above 0, of the batch's shape. */
  readonly concentration: Tensor;
  readonly support = nonNegative;

  constructor(scale: TensorLike, concentration: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('Weibull', { scale, concentration }, Weibull.argConstraints, options);
    super(given.scale.shape, [], options);
    this.scale = given.scale;
    this.concentration = given.concentration;
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.scale.mul(this.gamma(1).exp());
  }
  /** 0 for concentrations up to 1. */
  override get mode(): Tensor {
    const { scale, concentration } = this;
    return scale.mul(concentration.sub(1).clamp(0).div(concentration).pow(concentration.reciprocal()));
  }
  override get variance(): Tensor {
    return this.scale.square().mul(this.gamma(2).exp().sub(this.gamma(1).mul(2).exp()));
  }

  /** `log Γ(1 + n / concentration)`. */
  private gamma(n: number): Tensor {
    return lgamma(this.concentration.reciprocal().mul(n).add(1));
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.scale;
    return this.quantile(clampProbs(rand(shape, { dtype, device, generator })));
  }

  private quantile(p: Tensor): Tensor {
    return this.scale.mul(log1p(p.neg()).neg().pow(this.concentration.reciprocal()));
  }

  protected override logDensity(value: Tensor): Tensor {
    const z = value.div(this.scale);
    return xlogy(this.concentration.sub(1), z)
      .add(this.concentration.div(this.scale).log())
      .sub(z.pow(this.concentration));
  }

  override entropy(): Tensor {
    const { scale, concentration } = this;
    return concentration.reciprocal().neg().add(1).mul(euler).add(scale.div(concentration).log()).add(1);
  }

  override cdf(value: TensorLike): Tensor {
    return this.checkValue('cdf', value).div(this.scale).pow(this.concentration).neg().expm1().neg();
  }

  override icdf(p: TensorLike): Tensor {
    return this.quantile(this.checkValue('icdf', p, unitInterval));
  }
}
