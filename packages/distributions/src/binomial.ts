import { arange, type Generator, lgamma, logSigmoid, type Shape, type Tensor, tensor, where } from '@gradgate/core';
import { elementsOf } from '@gradgate/core/internal';
import { betainc } from '@gradgate/core/more';
import { type ArgConstraints, count, wholeUpTo } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { binomialDraws } from './draws.js';
import { type Chance, chanceConstraints, chanceOf } from './probabilities.js';

/**
 * The binomial distribution: the number of successes in `totalCount` trials with probability `probs` (or log odds
 * `logits`) each.
 *
 * ```ts
 * const heads = new Binomial(10, { probs: 0.5 });
 * heads.mean; // 5
 * heads.logProb(5); // -1.402
 * ```
 */
export class Binomial extends Distribution {
  static override readonly argConstraints: ArgConstraints<'totalCount' | 'probs' | 'logits'> = {
    totalCount: count,
    ...chanceConstraints,
  };
  /** The number of trials, of the batch's shape. */
  readonly totalCount: Tensor;
  /** The probabilities, from 0 to 1, of the batch's shape. */
  readonly probs: Tensor;
  /** The probabilities as logits, `log(p / (1 - p))`. */
  readonly logits: Tensor;

  constructor(totalCount: TensorLike, chance: Chance & DistributionOptions) {
    const beside = parametersOf('Binomial', { totalCount }, { totalCount: count }, chance);
    const { probs, logits } = chanceOf('Binomial', chance, beside);
    super(probs.shape, [], { validateArgs: chance.validateArgs });
    const { dtype, device } = probs;
    // A number takes the device of the tensors; tensors on different devices are refused by the operators.
    const counts = typeof totalCount === 'number' ? tensor(totalCount, { dtype, device }) : beside.totalCount.to(dtype);
    this.totalCount = counts.expand(probs.shape);
    this.probs = probs;
    this.logits = logits;
  }

  get support() {
    return wholeUpTo(this.totalCount.detach());
  }
  override get mean(): Tensor {
    return this.totalCount.mul(this.probs);
  }
  override get mode(): Tensor {
    return this.totalCount.add(1).mul(this.probs).floor().minimum(this.totalCount);
  }
  override get variance(): Tensor {
    return this.mean.mul(this.probs.neg().add(1));
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    return binomialDraws(this.totalCount.detach(), this.probs.detach(), shape, generator);
  }

  protected override logDensity(value: Tensor): Tensor {
    const x = value.to(this.probs.dtype);
    const n = this.totalCount;
    const ways = lgamma(n.add(1))
      .sub(lgamma(x.add(1)))
      .sub(lgamma(n.sub(x).add(1)));
    // n * log(1 + exp(logits)), without overflow, and with its gradient at 0, where a maximum and a size have none.
    const norm = n.mul(logSigmoid(this.logits.neg()).neg());
    return ways.add(x.mul(this.logits)).sub(norm);
  }

  /** The probability of at most `value` successes. */
  override cdf(value: TensorLike): Tensor {
    const successes = this.checkValue('cdf', value).to(this.probs.dtype);
    const failures = this.totalCount.sub(successes);
    const isAll = failures.eq(0);
    return where(isAll, 1, betainc(where(isAll, 1, failures), successes.add(1), this.probs.neg().add(1)));
  }

  /** A sum over all counts, so time and memory grow with the largest `totalCount`. */
  override entropy(): Tensor {
    const largest = this.totalCount.numel === 0 ? 0 : elementsOf(this.totalCount.amax(), 'Binomial.entropy')[0]!;
    const { dtype, device } = this.probs;
    const counts = arange(largest + 1, { dtype, device }).reshape([largest + 1, ...this.batchShape.map(() => 1)]);
    const inside = counts.le(this.totalCount);
    const logs = this.logDensity(where(inside, counts, 0));
    return where(inside, logs.exp().mul(logs), 0).sum(0).neg();
  }

  /** Returns 0 to `totalCount`, which must be the same everywhere. */
  override enumerateSupport(): Tensor {
    const largest = elementsOf(this.totalCount.amax(), 'Binomial.enumerateSupport')[0]!;
    if (this.totalCount.amin().item() !== largest)
      throw new RangeError('Binomial.enumerateSupport: totalCount must be the same for all of the batch');
    const { dtype, device } = this.probs;
    const counts = arange(largest + 1, { dtype, device }).reshape([largest + 1, ...this.batchShape.map(() => 1)]);
    return counts.expand(largest + 1, ...this.batchShape);
  }
}
