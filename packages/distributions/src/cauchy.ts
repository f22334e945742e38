import { atan, type Generator, log1p, rand, type Shape, type Tensor, tan } from '@gradgate/core';
import { type ArgConstraints, nonNegative, positive, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { LocationScale } from './locationScale.js';
import { clampProbs } from './probabilities.js';

/** The logarithm of `1 / (π scale (1 + z²))`. */
const density = (z: Tensor, scale: Tensor): Tensor => log1p(z.square()).add(scale.log()).add(Math.log(Math.PI)).neg();

/**
 * The Cauchy distribution around `loc`, half of which is within `scale` of it. It has no mean, which is NaN, and the
 * variance is infinite.
 *
 * ```ts
 * const cauchy = new Cauchy(0, 1);
 * cauchy.logProb(0); // -1.145
 * cauchy.cdf(1); // 0.75
 * ```
 */
export class Cauchy extends LocationScale {
  override get mean(): Tensor {
    return this.loc.detach().mul(0).add(Number.NaN);
  }
  override get variance(): Tensor {
    return this.loc.detach().mul(0).add(Number.POSITIVE_INFINITY);
  }
  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.loc;
    return this.quantile(clampProbs(rand(shape, { dtype, device, generator })));
  }

  private quantile(p: Tensor): Tensor {
    return this.loc.add(this.scale.mul(tan(p.sub(0.5).mul(Math.PI))));
  }

  protected override logDensity(value: Tensor): Tensor {
    return density(value.sub(this.loc).div(this.scale), this.scale);
  }

  override entropy(): Tensor {
    return this.scale.log().add(Math.log(4 * Math.PI));
  }

  override cdf(value: TensorLike): Tensor {
    const z = this.checkValue('cdf', value).sub(this.loc).div(this.scale);
    return atan(z).div(Math.PI).add(0.5);
  }

  override icdf(p: TensorLike): Tensor {
    return this.quantile(this.checkValue('icdf', p, unitInterval));
  }
}

/**
 * The distribution of the absolute value of a Cauchy draw around 0. Mean and variance are infinite.
 *
 * ```ts
 * const half = new HalfCauchy(1);
 * half.logProb(0); // -0.4516
 * half.cdf(1); // 0.5
 * ```
 */
export class HalfCauchy extends Distribution {
  static override readonly argConstraints: ArgConstraints<'scale'> = { scale: positive };
  /** How wide it is: above 0, of the batch's shape. */
  readonly scale: Tensor;
  readonly support = nonNegative;

  constructor(scale: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('HalfCauchy', { scale }, HalfCauchy.argConstraints, options);
    super(given.scale.shape, [], options);
    this.scale = given.scale;
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.mode.add(Number.POSITIVE_INFINITY);
  }
  override get variance(): Tensor {
    return this.mean;
  }
  override get mode(): Tensor {
    return this.scale.detach().mul(0);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.scale;
    return this.quantile(clampProbs(rand(shape, { dtype, device, generator })));
  }

  private quantile(p: Tensor): Tensor {
    return this.scale.mul(tan(p.mul(Math.PI / 2)));
  }

  protected override logDensity(value: Tensor): Tensor {
    return density(value.div(this.scale), this.scale).add(Math.LN2);
  }

  override entropy(): Tensor {
    return this.scale.log().add(Math.log(2 * Math.PI));
  }

  override cdf(value: TensorLike): Tensor {
    return atan(this.checkValue('cdf', value).div(this.scale)).mul(2 / Math.PI);
  }

  override icdf(p: TensorLike): Tensor {
    return this.quantile(this.checkValue('icdf', p, unitInterval));
  }
}
