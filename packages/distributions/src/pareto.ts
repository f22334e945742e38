import { type Generator, log1p, rand, type Shape, type Tensor, where } from '@gradgate/core';
import { type ArgConstraints, atLeast, type Constraint, positive, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { clampProbs } from './probabilities.js';

/**
 * The Pareto distribution of numbers from `scale` up, whose density falls with the power `alpha + 1`. The mean is
 * infinite for an `alpha` up to 1, the variance up to 2.
 *
 * ```ts
 * const wealth = new Pareto(1, 3);
 * wealth.mean; // 1.5
 * wealth.cdf(2); // 0.875
 * ```
 */
export class Pareto extends Distribution {
  static override readonly argConstraints: ArgConstraints<'scale' | 'alpha'> = { scale: positive, alpha: positive };
  /** The scale: above 0, of the batch's shape. */
  readonly scale: Tensor;
  /** The exponent: above 0, of the batch's shape. */
  readonly alpha: Tensor;
  readonly support: Constraint;

  constructor(scale: TensorLike, alpha: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('Pareto', { scale, alpha }, Pareto.argConstraints, options);
    super(given.scale.shape, [], options);
    this.scale = given.scale;
    this.alpha = given.alpha;
    this.support = atLeast(this.scale.detach());
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    const { scale, alpha } = this;
    const finite = where(alpha.gt(1), alpha, 2);
    return where(alpha.gt(1), scale.mul(finite).div(finite.sub(1)), Number.POSITIVE_INFINITY);
  }
  override get mode(): Tensor {
    return this.scale;
  }
  override get variance(): Tensor {
    const { scale, alpha } = this;
    const finite = where(alpha.gt(2), alpha, 3);
    const variance = scale
      .square()
      .mul(finite)
      .div(finite.sub(1).square().mul(finite.sub(2)));
    return where(alpha.gt(2), variance, Number.POSITIVE_INFINITY);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.scale;
    return this.quantile(clampProbs(rand(shape, { dtype, device, generator })));
  }

  private quantile(p: Tensor): Tensor {
    return this.scale.mul(log1p(p.neg()).neg().div(this.alpha).exp());
  }

  protected override logDensity(value: Tensor): Tensor {
    const { scale, alpha } = this;
    return alpha.log().add(alpha.mul(scale.log())).sub(alpha.add(1).mul(value.log()));
  }

  override entropy(): Tensor {
    return this.scale.div(this.alpha).log().add(this.alpha.reciprocal()).add(1);
  }

  override cdf(value: TensorLike): Tensor {
    return this.scale.div(this.checkValue('cdf', value)).log().mul(this.alpha).expm1().neg();
  }

  override icdf(p: TensorLike): Tensor {
    return this.quantile(this.checkValue('icdf', p, unitInterval));
  }
}
