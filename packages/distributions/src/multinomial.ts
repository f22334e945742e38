import { arange, type Generator, lgamma, type Shape, type Tensor } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { Binomial } from './binomial.js';
import { CategoricalBase, type Weights } from './categorical.js';
import { type ArgConstraints, type Constraint, checkAll, count } from './constraints.js';
import type { DistributionOptions } from './distribution.js';

/**
 * The multinomial distribution: how often each class occurs in `totalCount` independent draws, by `probs` or `logits`
 * `[..., classes]`. Events are `[classes]`.
 *
 * ```ts
 * const votes = new Multinomial(10, { probs: tensor([1, 3]) });
 * votes.mean; // [2.5, 7.5]
 * votes.logProb(tensor([2, 8])); // -1.267
 * ```
 */
export class Multinomial extends CategoricalBase {
  static override readonly argConstraints: ArgConstraints<'totalCount' | 'probs' | 'logits'> = {
    totalCount: count,
    ...CategoricalBase.argConstraints,
  };
  /** The number of draws. */
  readonly totalCount: number;

  constructor(totalCount: number, weights: Weights & DistributionOptions) {
    check('Multinomial', 'totalCount', totalCount, is.size);
    super(weights, 1);
    this.totalCount = totalCount;
  }

  get support(): Constraint {
    const { totalCount } = this;
    const text = `a vector of whole numbers from 0 up with sum ${totalCount}`;
    return {
      text,
      check(op, name, value) {
        count.check(op, name, value);
        checkAll(op, value.detach().sum(-1).eq(totalCount), () => new RangeError(`${op}: ${name} is ${text}`));
      },
    };
  }
  override get mean(): Tensor {
    return this.probs.mul(this.totalCount);
  }
  override get variance(): Tensor {
    return this.mean.mul(this.probs.neg().add(1));
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const draws = this.drawClasses([this.totalCount, ...shape.slice(0, -1)], generator);
    return draws.oneHot(this.classes).sum(0).to(this.probs.dtype);
  }

  protected override logDensity(value: Tensor): Tensor {
    const x = value.to(this.logits.dtype);
    return lgamma(x.sum(-1).add(1))
      .sub(lgamma(x.add(1)).sum(-1))
      .add(x.mul(this.logits).sum(-1));
  }

  override entropy(): Tensor {
    const n = this.totalCount;
    const { dtype, device } = this.probs;
    const counts = arange(n + 1, { dtype, device }).reshape([n + 1, ...this.probs.shape.map(() => 1)]);
    const each = new Binomial(n, { probs: this.probs, validateArgs: false });
    const ways = each
      .logProb(counts)
      .exp()
      .mul(lgamma(counts.add(1)))
      .sum([0, -1]);
    return super
      .entropy()
      .mul(n)
      .sub(
        lgamma(
          this.probs
            .detach()
            .select(-1, 0)
            .mul(0)
            .add(n + 1),
        ),
      )
      .add(ways);
  }
}
