import { digamma, type Generator, lgamma, log1p, randn, type Shape, type Tensor, where } from '@gradgate/core';
import { type ArgConstraints, positive, real } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { standardGamma } from './draws.js';

/**
 * Student's t distribution with `df` degrees of freedom, location `loc`, 0 by default, and `scale`, 1 by default. The
 * mean is NaN for up to 1 degree of freedom; the variance is infinite for up to 2, and NaN for up to 1.
 *
 * ```ts
 * const student = new StudentT(4);
 * student.variance; // 2
 * student.logProb(0); // -0.9808
 * ```
 */
export class StudentT extends Distribution {
  static override readonly argConstraints: ArgConstraints<'df' | 'loc' | 'scale'> = {
    df: positive,
    loc: real,
    scale: positive,
  };
  /** The degrees of freedom: above 0, of the batch's shape. */
  readonly df: Tensor;
  /** Where the center or mode lies, of the batch's shape. */
  readonly loc: Tensor;
  /** How wide it is: above 0, of the batch's shape. */
  readonly scale: Tensor;
  readonly support = real;

  constructor(df: TensorLike, loc: TensorLike = 0, scale: TensorLike = 1, options?: DistributionOptions) {
    const given = parametersOf('StudentT', { df, loc, scale }, StudentT.argConstraints, options);
    super(given.df.shape, [], options);
    this.df = given.df;
    this.loc = given.loc;
    this.scale = given.scale;
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return where(this.df.gt(1), this.loc, Number.NaN);
  }
  override get mode(): Tensor {
    return this.loc;
  }
  override get variance(): Tensor {
    const { df, scale } = this;
    const above = df.gt(2);
    const finite = where(above, df, 3);
    const variance = scale.square().mul(finite.div(finite.sub(2)));
    return where(above, variance, where(df.gt(1), Number.POSITIVE_INFINITY, Number.NaN));
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.df;
    const x = randn(shape, { dtype, device, generator });
    const z = standardGamma(this.df.mul(0.5).expand(shape), generator).mul(2);
    return this.loc.add(this.scale.mul(x.mul(z.div(this.df).rsqrt())));
  }

  protected override logDensity(value: Tensor): Tensor {
    const { df } = this;
    const y = value.sub(this.loc).div(this.scale);
    const norm = this.scale
      .log()
      .add(df.log().mul(0.5))
      .add(0.5 * Math.log(Math.PI))
      .add(lgamma(df.mul(0.5)))
      .sub(lgamma(df.add(1).mul(0.5)));
    return df
      .add(1)
      .mul(-0.5)
      .mul(log1p(y.square().div(df)))
      .sub(norm);
  }

  override entropy(): Tensor {
    const { df } = this;
    const [half, next] = [df.mul(0.5), df.add(1).mul(0.5)];
    const logBeta = lgamma(half)
      .add(lgamma(df.mul(0).add(0.5)))
      .sub(lgamma(half.add(0.5)));
    return this.scale
      .log()
      .add(next.mul(digamma(next).sub(digamma(half))))
      .add(df.log().mul(0.5))
      .add(logBeta);
  }
}
