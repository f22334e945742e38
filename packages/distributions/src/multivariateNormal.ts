import {
  cholesky,
  type Generator,
  inverse,
  matmul,
  randn,
  type Shape,
  ShapeError,
  solve,
  type Tensor,
} from '@gradgate/core';
import { checkOptions, checkTensors, is } from '@gradgate/core/internal';
import { type ArgConstraints, type Constraint, lowerCholesky, realVector, symmetric } from './constraints.js';
import { Distribution, type DistributionOptions } from './distribution.js';

/** The covariance, by one of three matrices. */
export interface Covariance {
  /** The covariance `[..., n, n]`, symmetric and positive definite. */
  covarianceMatrix?: Tensor;
  /** The inverse of the covariance, `[..., n, n]`. */
  precisionMatrix?: Tensor;
  /**
   * The Cholesky factor `L` of the covariance `L Lᵀ`, `[..., n, n]`: lower triangular, with a positive diagonal. Needs
   * no factorization.
   */
  scaleTril?: Tensor;
}

/** The checks of options with a covariance. */
export const covarianceOptions = {
  covarianceMatrix: is.tensor,
  precisionMatrix: is.tensor,
  scaleTril: is.tensor,
  validateArgs: is.boolean,
};
const constraints: Record<keyof Covariance, Constraint> = {
  covarianceMatrix: symmetric,
  precisionMatrix: symmetric,
  scaleTril: lowerCholesky,
};

/** The one matrix that is given, and its name. */
export function matrixOf(op: string, covariance: Covariance): [name: keyof Covariance, matrix: Tensor] {
  const names = (Object.keys(constraints) as (keyof Covariance)[]).filter((name) => covariance[name] !== undefined);
  const [name] = names;
  if (name === undefined || names.length > 1)
    throw new TypeError(`${op}: give one of ${Object.keys(constraints).join(', ')}, got ${names.join(', ') || 'none'}`);
  return [name, covariance[name]!];
}

/** The lower triangular factor of the covariance. */
export function factorOf(op: string, name: keyof Covariance, matrix: Tensor, isChecked: boolean): Tensor {
  if (isChecked) constraints[name].check(op, name, matrix);
  if (name === 'scaleTril') return matrix;
  return cholesky(name === 'precisionMatrix' ? inverse(matrix) : matrix);
}

/**
 * The normal distribution over vectors with mean `loc` `[..., n]` and a covariance. Throws if the covariance is not
 * positive definite.
 *
 * ```ts
 * const gaussian = new MultivariateNormal(zeros([2]), { covarianceMatrix: eye(2) });
 * gaussian.logProb(tensor([1, 1])); // -2.838
 * gaussian.rsample([5]).shape; // [5, 2]
 * ```
 */
export class MultivariateNormal extends Distribution {
  static override readonly argConstraints: ArgConstraints<'loc' | keyof Covariance> = {
    loc: realVector,
    ...constraints,
  };
  /** The mean `[..., n]`. */
  readonly loc: Tensor;
  /** The lower triangular factor of the covariance, `[..., n, n]`. */
  readonly scaleTril: Tensor;
  readonly support = realVector;

  constructor(loc: Tensor, covariance: Covariance & DistributionOptions) {
    const op = 'MultivariateNormal';
    checkTensors(op, loc);
    const { validateArgs, ...given } = checkOptions(op, covariance, covarianceOptions);
    const [name, matrix] = matrixOf(op, given);
    const n = loc.shape.at(-1);
    if (n === undefined || matrix.ndim < 2 || matrix.shape.at(-1) !== n || matrix.shape.at(-2) !== n)
      throw new ShapeError(
        op,
        `loc must be [..., n] and ${name} [..., n, n], got [${loc.shape.join(', ')}] and [${matrix.shape.join(', ')}]`,
      );
    if (validateArgs !== false) realVector.check(op, 'loc', loc);
    const factor = factorOf(op, name, matrix, validateArgs !== false);
    const wide = loc.add(matrix.select(-1, 0).mul(0));
    super(wide.shape.slice(0, -1), [n], { validateArgs });
    this.loc = wide;
    this.scaleTril = factor.expand(...this.batchShape, n, n);
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
  /** The covariance `[..., n, n]`. */
  get covarianceMatrix(): Tensor {
    return matmul(this.scaleTril, this.scaleTril.transpose(-1, -2));
  }
  /** The inverse of the covariance, `[..., n, n]`. */
  get precisionMatrix(): Tensor {
    return inverse(this.covarianceMatrix);
  }
  override get variance(): Tensor {
    return this.scaleTril.square().sum(-1);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.loc;
    const z = randn(shape, { dtype, device, generator });
    return this.loc.add(matmul(this.scaleTril, z.unsqueeze(-1)).squeeze(-1));
  }

  protected override logDensity(value: Tensor): Tensor {
    const z = solve(this.scaleTril, value.sub(this.loc).unsqueeze(-1)).squeeze(-1);
    const n = this.eventShape[0]!;
    return z
      .square()
      .sum(-1)
      .add(n * Math.log(2 * Math.PI))
      .mul(-0.5)
      .sub(this.halfLogDet());
  }

  /** Half the logarithm of the covariance's determinant. */
  halfLogDet(): Tensor {
    return this.scaleTril.diagonal(0, -2, -1).log().sum(-1);
  }

  override entropy(): Tensor {
    return this.halfLogDet().add(0.5 * this.eventShape[0]! * (1 + Math.log(2 * Math.PI)));
  }
}
