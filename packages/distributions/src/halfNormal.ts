import { erf, erfinv, type Generator, randn, type Shape, type Tensor } from '@gradgate/core';
import { type ArgConstraints, nonNegative, positive, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

/**
 * The distribution of the absolute value of a normal draw around 0 with standard deviation `scale`.
 *
 * ```ts
 * const half = new HalfNormal(1);
 * half.mean; // 0.7979
 * half.logProb(0); // -0.2258
 * ```
 */
export class HalfNormal extends Distribution {
  static override readonly argConstraints: ArgConstraints<'scale'> = { scale: positive };
  /** The scale: above 0, of the batch's shape. */
  readonly scale: Tensor;
  readonly support = nonNegative;

  constructor(scale: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('HalfNormal', { scale }, HalfNormal.argConstraints, options);
    super(given.scale.shape, [], options);
    this.scale = given.scale;
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.scale.mul(Math.sqrt(2 / Math.PI));
  }
  override get mode(): Tensor {
    return this.scale.detach().mul(0);
  }
  override get variance(): Tensor {
    return this.scale.square().mul(1 - 2 / Math.PI);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.scale;
    return this.scale.mul(randn(shape, { dtype, device, generator })).abs();
  }

  protected override logDensity(value: Tensor): Tensor {
    return value
      .div(this.scale)
      .square()
      .mul(-0.5)
      .sub(this.scale.log())
      .add(0.5 * Math.log(2 / Math.PI));
  }

  override entropy(): Tensor {
    return this.scale.log().add(0.5 * Math.log(Math.PI / 2) + 0.5);
  }

  override cdf(value: TensorLike): Tensor {
    return erf(this.checkValue('cdf', value).div(this.scale.mul(Math.SQRT2)));
  }

  override icdf(p: TensorLike): Tensor {
    return this.scale.mul(Math.SQRT2).mul(erfinv(this.checkValue('icdf', p, unitInterval)));
  }
}
