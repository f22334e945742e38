import { type Generator, lgamma, log1p, type Shape, type Tensor, where } from '@gradgate/core';
import { betainc, betaincinv } from '@gradgate/core/more';
import { type ArgConstraints, nonNegative, positive, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { standardGamma } from './draws.js';

/**
 * The F distribution: of the quotient of two chi-squared draws, of `df1` and `df2` degrees of freedom, each divided by
 * these. The mean is NaN for a `df2` up to 2, the variance up to 4, the mode for a `df1` up to 2.
 *
 * ```ts
 * const f = new FisherSnedecor(3, 6);
 * f.mean; // 1.5
 * f.logProb(1); // -0.9829
 * ```
 */
export class FisherSnedecor extends Distribution {
  static override readonly argConstraints: ArgConstraints<'df1' | 'df2'> = { df1: positive, df2: positive };
  /** The degrees of freedom of the numerator, above 0. */
  readonly df1: Tensor;
  /** The degrees of freedom of the denominator, above 0. */
  readonly df2: Tensor;
  readonly support = nonNegative;

  constructor(df1: TensorLike, df2: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('FisherSnedecor', { df1, df2 }, FisherSnedecor.argConstraints, options);
    super(given.df1.shape, [], options);
    this.df1 = given.df1;
    this.df2 = given.df2;
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    const { df2 } = this;
    return where(df2.gt(2), df2.div(df2.sub(2)), Number.NaN);
  }
  override get mode(): Tensor {
    const { df1, df2 } = this;
    const mode = df1
      .sub(2)
      .div(df1)
      .mul(df2.div(df2.add(2)));
    return where(df1.gt(2), mode, Number.NaN);
  }
  override get variance(): Tensor {
    const { df1, df2 } = this;
    const above = df2.sub(2);
    const variance = df2
      .square()
      .mul(2)
      .mul(df1.add(above))
      .div(df1.mul(above.square()).mul(df2.sub(4)));
    return where(df2.gt(4), variance, Number.NaN);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const [one, other] = [this.df1, this.df2].map((df) =>
      standardGamma(df.mul(0.5).expand(shape), generator).div(df),
    ) as [Tensor, Tensor];
    return one.div(other);
  }

  protected override logDensity(value: Tensor): Tensor {
    const { df1, df2 } = this;
    const [a, b] = [df1.mul(0.5), df2.mul(0.5)];
    const ratio = df1.div(df2);
    return lgamma(a.add(b))
      .sub(lgamma(a))
      .sub(lgamma(b))
      .add(a.mul(ratio.log()))
      .add(a.sub(1).mul(value.log()))
      .sub(a.add(b).mul(log1p(ratio.mul(value))));
  }

  /** The probability of at most `value`; it has no gradient for the degrees of freedom. */
  override cdf(value: TensorLike): Tensor {
    const { df1, df2 } = this;
    const x = this.checkValue('cdf', value).mul(df1);
    return betainc(df1.mul(0.5), df2.mul(0.5), x.div(x.add(df2)));
  }

  /** The value that a draw does not exceed with probability `p`; it has no gradient for the degrees of freedom. */
  override icdf(p: TensorLike): Tensor {
    const { df1, df2 } = this;
    const share = betaincinv(df1.mul(0.5), df2.mul(0.5), this.checkValue('icdf', p, unitInterval));
    return df2.mul(share).div(df1.mul(share.neg().add(1)));
  }
}
