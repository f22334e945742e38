import {
  AutogradError,
  broadcastTensors,
  defineFunction,
  digamma,
  type FunctionContext,
  type Generator,
  lgamma,
  log1p,
  randn,
  type Shape,
  type Tensor,
  tensor,
  where,
} from '@gradgate/core';
import { betainc, betaincinv } from '@gradgate/core/more';
import { type ArgConstraints, positive, real, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { standardGamma } from './draws.js';

/** The density of the distribution around 0 with scale 1. */
function density(df: Tensor, z: Tensor): Tensor {
  const next = df.add(1).mul(0.5);
  const norm = lgamma(next)
    .sub(lgamma(df.mul(0.5)))
    .sub(df.mul(Math.PI).log().mul(0.5));
  return norm.sub(next.mul(log1p(z.square().div(df)))).exp();
}

/** What a function of `df` and of a number gives, and its derivative by that number. */
function ofStandard(
  name: string,
  compute: (df: Tensor, x: Tensor) => Tensor,
  slope: (df: Tensor, x: Tensor, out: Tensor) => Tensor,
) {
  return defineFunction({
    name,
    forward(ctx: FunctionContext, df: Tensor, x: Tensor) {
      if (ctx.needsInputGrad[0]) throw new AutogradError(name, 'there is no gradient for df; detach() it');
      const out = compute(df, x);
      ctx.saveForBackward(df, x, out);
      return out;
    },
    backward(ctx: FunctionContext, g: Tensor) {
      const [df, x, out] = ctx.savedTensors as [Tensor, Tensor, Tensor];
      return [null, g.mul(slope(df, x, out))];
    },
  });
}

/** Of one shape and dtype. */
const together = (df: Tensor, x: Tensor) => broadcastTensors([df, x.to(df.dtype)]) as [Tensor, Tensor];

const half = (like: Tensor): Tensor => tensor(0.5, { dtype: like.dtype, device: like.device });

/** The probability of at most z, by the smaller part where the other would lose its digits. */
const cdfOf = /* @__PURE__ */ ofStandard(
  'StudentT.cdf',
  (df, z) => {
    const square = z.square();
    const total = square.add(df);
    const tail = betainc(df.mul(0.5), half(z), df.div(total)).mul(0.5);
    const middle = betainc(half(z), df.mul(0.5), square.div(total)).mul(0.5);
    const above = where(square.gt(1), tail, middle.neg().add(0.5));
    return where(z.gt(0), above.neg().add(1), above);
  },
  (df, z) => density(df, z),
);

const icdfOf = /* @__PURE__ */ ofStandard(
  'StudentT.icdf',
  (df, p) => {
    const side = where(p.gt(0.5), p.neg().add(1), p);
    const far = betaincinv(df.mul(0.5), half(p), side.mul(2));
    const near = betaincinv(half(p), df.mul(0.5), side.mul(-2).add(1));
    const ratio = where(side.lt(0.25), far.neg().add(1).div(far), near.div(near.neg().add(1)));
    const size = ratio.mul(df).sqrt();
    return where(p.gt(0.5), size, size.neg());
  },
  (df, _, z) => density(df, z).reciprocal(),
);

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

  /** The probability of at most `value`; it has no gradient for `df`. */
  override cdf(value: TensorLike): Tensor {
    return cdfOf(...together(this.df, this.checkValue('cdf', value).sub(this.loc).div(this.scale)));
  }

  /** The value that a draw does not exceed with probability `p`; it has no gradient for `df`. */
  override icdf(p: TensorLike): Tensor {
    return icdfOf(...together(this.df, this.checkValue('icdf', p, unitInterval)))
      .mul(this.scale)
      .add(this.loc);
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
