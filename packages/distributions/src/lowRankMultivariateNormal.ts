import {
  cholesky,
  eye,
  type Generator,
  matmul,
  randn,
  type Shape,
  ShapeError,
  solve,
  type Tensor,
} from '@gradgate/core';
import { checkTensors } from '@gradgate/core/internal';
import { type ArgConstraints, positive, real, realVector } from './constraints.js';
import { Distribution, type DistributionOptions } from './distribution.js';

/**
 * The normal distribution over vectors, of mean `loc` `[..., n]`, whose covariance is `covFactor covFactorᵀ` plus a
 * diagonal: of `covFactor` `[..., n, rank]` and `covDiag` `[..., n]`, above 0. For a rank far below `n` no matrix of
 * `n` times `n` is made.
 *
 * ```ts
 * const wide = new LowRankMultivariateNormal(zeros([3]), ones([3, 1]), ones([3]));
 * wide.variance; // [2, 2, 2]
 * wide.logProb(zeros([3])); // -3.45
 * ```
 */
export class LowRankMultivariateNormal extends Distribution {
  static override readonly argConstraints: ArgConstraints<'loc' | 'covFactor' | 'covDiag'> = {
    loc: realVector,
    covFactor: real,
    covDiag: positive,
  };
  /** The mean `[..., n]`. */
  readonly loc: Tensor;
  /** The factor of the covariance of low rank `[..., n, rank]`. */
  readonly covFactor: Tensor;
  /** What the diagonal of the covariance has beside it `[..., n]`. */
  readonly covDiag: Tensor;
  readonly support = realVector;

  constructor(loc: Tensor, covFactor: Tensor, covDiag: Tensor, options?: DistributionOptions) {
    const op = 'LowRankMultivariateNormal';
    checkTensors(op, loc, covFactor, covDiag);
    const n = loc.shape.at(-1);
    if (n === undefined || covFactor.ndim < 2 || covFactor.shape.at(-2) !== n || covDiag.shape.at(-1) !== n)
      throw new ShapeError(
        op,
        `loc must be [..., n], covFactor [..., n, rank] and covDiag [..., n], got ${[loc, covFactor, covDiag].map((t) => `[${t.shape.join(', ')}]`).join(', ')}`,
      );
    if (options?.validateArgs !== false) {
      realVector.check(op, 'loc', loc);
      real.check(op, 'covFactor', covFactor);
      positive.check(op, 'covDiag', covDiag);
    }
    const wide = loc.add(covDiag.detach().mul(0)).add(covFactor.select(-1, 0).detach().mul(0));
    super(wide.shape.slice(0, -1), [n], options);
    this.loc = wide;
    this.covFactor = covFactor.expand(...this.batchShape, n, covFactor.shape.at(-1)!);
    this.covDiag = covDiag.expand(wide.shape);
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.loc;
  }
  override get mode(): Tensor {
    return this.loc;
  }
  override get variance(): Tensor {
    return this.covFactor.square().sum(-1).add(this.covDiag);
  }
  /** `[..., n, n]`. */
  get covarianceMatrix(): Tensor {
    return matmul(this.covFactor, this.covFactor.transpose(-1, -2)).add(this.covDiag.diagEmbed());
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.loc;
    const rank = this.covFactor.shape.at(-1)!;
    const [z, e] = [[...shape.slice(0, -1), rank, 1], shape].map((of) => randn(of, { dtype, device, generator })) as [
      Tensor,
      Tensor,
    ];
    return this.loc.add(matmul(this.covFactor, z).squeeze(-1)).add(this.covDiag.sqrt().mul(e));
  }

  /** The lower triangular factor of `I + Wᵀ D⁻¹ W`, and `Wᵀ D⁻¹`. */
  private capacitance(): [Tensor, Tensor] {
    const scaled = this.covFactor.transpose(-1, -2).div(this.covDiag.unsqueeze(-2));
    const { dtype, device } = this.loc;
    return [cholesky(matmul(scaled, this.covFactor).add(eye(this.covFactor.shape.at(-1)!, { dtype, device }))), scaled];
  }

  /** By the lemmas of Woodbury and of determinants: what is solved is `[rank, rank]`. */
  protected override logDensity(value: Tensor): Tensor {
    const apart = value.sub(this.loc);
    const [factor, scaled] = this.capacitance();
    const inner = solve(factor, matmul(scaled, apart.unsqueeze(-1))).squeeze(-1);
    const distance = apart.square().div(this.covDiag).sum(-1).sub(inner.square().sum(-1));
    return distance
      .add(this.eventShape[0]! * Math.log(2 * Math.PI))
      .mul(-0.5)
      .sub(this.halfLogDet(factor));
  }

  /** Half the logarithm of the covariance's determinant. */
  private halfLogDet(factor: Tensor): Tensor {
    return factor.diagonal(0, -2, -1).log().sum(-1).add(this.covDiag.log().sum(-1).mul(0.5));
  }

  override entropy(): Tensor {
    const [factor] = this.capacitance();
    return this.halfLogDet(factor).add(0.5 * this.eventShape[0]! * (1 + Math.log(2 * Math.PI)));
  }
}
