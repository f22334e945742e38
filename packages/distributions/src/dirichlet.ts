import { digamma, type Generator, lgamma, type Shape, ShapeError, type Tensor, where, xlogy } from '@gradgate/core';
import { checkTensors } from '@gradgate/core/internal';
import { type ArgConstraints, positive, simplex } from './constraints.js';
import { Distribution, type DistributionOptions } from './distribution.js';
import { standardGamma } from './draws.js';

/**
 * The Dirichlet distribution over nonnegative vectors that add up to 1, with positive `concentration` `[...batchShape,
 * k]`.
 *
 * ```ts
 * const dirichlet = new Dirichlet(tensor([1, 3]));
 * dirichlet.mean; // [0.25, 0.75]
 * dirichlet.logProb(tensor([0.5, 0.5])); // -0.2877
 * ```
 */
export class Dirichlet extends Distribution {
  static override readonly argConstraints: ArgConstraints<'concentration'> = { concentration: positive };
  readonly support = simplex;

  constructor(
    /** The weights of the categories `[..., k]`, above 0. */
    readonly concentration: Tensor,
    options?: DistributionOptions,
  ) {
    checkTensors('Dirichlet', concentration);
    if (concentration.ndim < 1) throw new ShapeError('Dirichlet', 'concentration must be [..., k], got []');
    if (options?.validateArgs !== false) positive.check('Dirichlet', 'concentration', concentration);
    super(concentration.shape.slice(0, -1), concentration.shape.slice(-1), options);
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.concentration.div(this.concentration.sum(-1, { keepdim: true }));
  }
  /** Where no concentration is above 1, the corner with the largest one. */
  override get mode(): Tensor {
    const above = this.concentration.sub(1).clamp(0);
    const total = above.sum(-1, { keepdim: true });
    const corner = this.concentration.argmax(-1).oneHot(this.eventShape[0]!).to(above.dtype);
    return where(total.gt(0), above.div(where(total.gt(0), total, 1)), corner);
  }
  override get variance(): Tensor {
    const total = this.concentration.sum(-1, { keepdim: true });
    const mean = this.mean;
    return mean.mul(mean.neg().add(1)).div(total.add(1));
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const parts = standardGamma(this.concentration.expand(shape), generator);
    return parts.div(parts.sum(-1, { keepdim: true }));
  }

  protected override logDensity(value: Tensor): Tensor {
    const { concentration } = this;
    return xlogy(concentration.sub(1), value)
      .sum(-1)
      .add(lgamma(concentration.sum(-1)))
      .sub(lgamma(concentration).sum(-1));
  }

  override entropy(): Tensor {
    const { concentration } = this;
    const k = concentration.shape.at(-1)!;
    const total = concentration.sum(-1);
    return lgamma(concentration)
      .sum(-1)
      .sub(lgamma(total))
      .sub(digamma(total).mul(total.neg().add(k)))
      .sub(concentration.sub(1).mul(digamma(concentration)).sum(-1));
  }
}
