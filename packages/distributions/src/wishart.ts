import {
  diagEmbed,
  digamma,
  type Generator,
  inverse,
  matmul,
  randn,
  type Shape,
  ShapeError,
  slogdet,
  solve,
  Tensor,
  where,
} from '@gradgate/core';
import { checkOptions, show } from '@gradgate/core/internal';
import { multigammaln } from '@gradgate/core/special';
import { type ArgConstraints, checkAll, lowerCholesky, positive, symmetric } from './constraints.js';
import { Distribution, type DistributionOptions, type TensorLike } from './distribution.js';
import { standardGamma } from './draws.js';
import { type Covariance, covarianceOptions, factorOf, matrixOf } from './multivariateNormal.js';

/**
 * The Wishart distribution over symmetric positive definite matrices `[n, n]`: of the sums of the products `x xᵀ` of
 * `df` normal vectors with mean 0 and a covariance, of which one matrix `[..., n, n]` is given. `df` is above `n - 1`,
 * and need not be whole.
 *
 * ```ts
 * const scatters = new Wishart(3, { covarianceMatrix: eye(2) });
 * scatters.mean; // [[3, 0], [0, 3]]
 * scatters.logProb(eye(2)); // -3.531
 * ```
 */
export class Wishart extends Distribution {
  static override readonly argConstraints: ArgConstraints<'df' | 'covarianceMatrix' | 'precisionMatrix' | 'scaleTril'> =
    {
      df: positive,
      covarianceMatrix: symmetric,
      precisionMatrix: symmetric,
      scaleTril: lowerCholesky,
    };
  /** The degrees of freedom: above n - 1, of the batch's shape. */
  readonly df: Tensor;
  /** The lower triangular factor of the covariance, `[..., n, n]`. */
  readonly scaleTril: Tensor;
  readonly support = symmetric;

  constructor(df: TensorLike, covariance: Covariance & DistributionOptions) {
    const op = 'Wishart';
    const { validateArgs, ...given } = checkOptions(op, covariance, covarianceOptions);
    if (!Tensor.is(df) && typeof df !== 'number')
      throw new TypeError(`${op}: df must be a Tensor or a number, got ${show(df)}`);
    const [name, matrix] = matrixOf(op, given);
    const n = matrix.shape.at(-1);
    if (n === undefined || matrix.ndim < 2 || n < 1 || matrix.shape.at(-2) !== n)
      throw new ShapeError(op, `${name} must be [..., n, n], got [${matrix.shape.join(', ')}]`);
    const factor = factorOf(op, name, matrix, validateArgs !== false);
    const wide = factor.select(-1, 0).select(-1, 0).detach().mul(0).add(df);
    if (validateArgs !== false) {
      positive.check(op, 'df', wide);
      checkAll(
        op,
        wide.detach().gt(n - 1),
        () => new RangeError(`${op}: df must be above n - 1 = ${n - 1}, got ${wide}`),
      );
    }
    super(wide.shape, [n, n], { validateArgs });
    this.df = wide;
    this.scaleTril = factor.expand(...wide.shape, n, n);
  }

  override get hasRsample(): boolean {
    return true;
  }
  /** The covariance `[..., n, n]`. */
  get covarianceMatrix(): Tensor {
    return matmul(this.scaleTril, this.scaleTril.mT);
  }
  /** The inverse of the covariance, `[..., n, n]`. */
  get precisionMatrix(): Tensor {
    return inverse(this.covarianceMatrix);
  }
  override get mean(): Tensor {
    return this.forMatrices(this.df).mul(this.covarianceMatrix);
  }
  override get variance(): Tensor {
    const v = this.covarianceMatrix;
    const d = v.diagonal(0, -2, -1);
    return this.forMatrices(this.df).mul(v.square().add(d.unsqueeze(-1).mul(d.unsqueeze(-2))));
  }
  /** NaN where `df` is at most `n + 1`. */
  override get mode(): Tensor {
    const factor = this.df.sub(this.size + 1);
    return this.forMatrices(where(factor.gt(0), factor, Number.NaN)).mul(this.covarianceMatrix);
  }

  private get size(): number {
    return this.eventShape[0]!;
  }
  private forMatrices(x: Tensor): Tensor {
    return x.unsqueeze(-1).unsqueeze(-1);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    // Bartlett's factor: normal below the diagonal, and roots of chi-squared numbers on it.
    const { dtype, device } = this.scaleTril;
    const normal = randn(shape, { dtype, device, generator }).tril(-1);
    const freedoms = this.df.unsqueeze(-1).sub(this.steps());
    const roots = standardGamma(freedoms.div(2).expand(shape.slice(0, -1)), generator)
      .mul(2)
      .sqrt();
    const factor = matmul(this.scaleTril, normal.add(diagEmbed(roots)));
    return matmul(factor, factor.mT);
  }

  /** From 0 up to n - 1. */
  private steps(): Tensor {
    return this.scaleTril.detach().reshape([-1]).narrow(0, 0, this.size).mul(0).add(1).cumsum(0).sub(1);
  }

  protected override logDensity(value: Tensor): Tensor {
    const [nu, n] = [this.df, this.size];
    const inner = solve(this.scaleTril.mT, solve(this.scaleTril, value));
    return slogdet(value)
      .logabsdet.mul(nu.sub(n + 1).div(2))
      .sub(inner.diagonal(0, -2, -1).sum(-1).div(2))
      .sub(nu.mul(this.halfLogDet().add((n * Math.LN2) / 2)))
      .sub(multigammaln(nu.div(2), n));
  }

  /** Half the logarithm of the covariance's determinant. */
  halfLogDet(): Tensor {
    return this.scaleTril.diagonal(0, -2, -1).log().sum(-1);
  }

  /** The slope of `multigammaln` at `df / 2`. */
  multidigamma(): Tensor {
    return digamma(this.df.unsqueeze(-1).sub(this.steps()).div(2)).sum(-1);
  }

  override entropy(): Tensor {
    const [nu, n] = [this.df, this.size];
    return this.halfLogDet()
      .add((n * Math.LN2) / 2)
      .mul(n + 1)
      .add(multigammaln(nu.div(2), n))
      .sub(
        nu
          .sub(n + 1)
          .div(2)
          .mul(this.multidigamma()),
      )
      .add(nu.mul(n / 2));
  }
}
