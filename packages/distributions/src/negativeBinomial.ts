import { type Generator, lgamma, logSigmoid, poisson, type Shape, type Tensor, where, xlogy } from '@gradgate/core';
import { type ArgConstraints, count, nonNegative } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { standardGamma } from './draws.js';
import { type Chance, chanceConstraints, chanceOf } from './probabilities.js';

/**
 * How many successes there are, of probability `probs` or of log odds `logits`, until there have been `totalCount`
 * failures.
 *
 * ```ts
 * const tries = new NegativeBinomial(3, { probs: 0.25 });
 * tries.mean; // 1
 * tries.logProb(0); // -0.863
 * ```
 */
export class NegativeBinomial extends Distribution {
  static override readonly argConstraints: ArgConstraints<'totalCount' | 'probs' | 'logits'> = {
    totalCount: nonNegative,
    ...chanceConstraints,
  };
  /** The number of failures at which it stops, of the batch's shape. */
  readonly totalCount: Tensor;
  /** The probabilities, from 0 to 1, of the batch's shape. */
  readonly probs: Tensor;
  /** The probabilities as logits, `log(p / (1 - p))`. */
  readonly logits: Tensor;
  readonly support = count;

  constructor(totalCount: TensorLike, chance: Chance & DistributionOptions) {
    const beside = parametersOf('NegativeBinomial', { totalCount }, { totalCount: nonNegative }, chance).totalCount;
    const { probs, logits } = chanceOf('NegativeBinomial', chance, { totalCount: beside });
    super(probs.shape, [], { validateArgs: chance.validateArgs });
    this.probs = probs;
    this.logits = logits;
    this.totalCount = beside.to(probs.dtype).expand(probs.shape);
  }

  override get mean(): Tensor {
    return this.totalCount.mul(this.logits.exp());
  }
  override get mode(): Tensor {
    return this.totalCount.sub(1).mul(this.logits.exp()).floor().clamp(0);
  }
  override get variance(): Tensor {
    return this.mean.div(this.logits.neg().sigmoid());
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const rate = standardGamma(this.totalCount.detach().expand(shape), generator).mul(this.logits.detach().exp());
    return poisson(rate, { generator });
  }

  protected override logDensity(value: Tensor): Tensor {
    const { totalCount, logits } = this;
    const x = value.to(logits.dtype);
    const chance = totalCount.mul(logSigmoid(logits.neg())).add(x.mul(logSigmoid(logits)));
    const orders = lgamma(x.add(1))
      .add(lgamma(totalCount))
      .sub(lgamma(totalCount.add(x)));
    // Of no failures to wait for there is one order, without the poles of the gamma function.
    return chance.sub(where(totalCount.add(x).eq(0), xlogy(totalCount, 1), orders));
  }
}
