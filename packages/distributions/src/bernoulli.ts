import {
  bernoulli,
  binaryCrossEntropyWithLogits,
  broadcastTensors,
  type Generator,
  type Shape,
  type Tensor,
  tensor,
  where,
} from '@gradgate/core';
import { type ArgConstraints, zeroOrOne } from './constraints.js';
import { Distribution, type DistributionOptions } from './distribution.js';
import { type Chance, chanceConstraints, chanceOf } from './probabilities.js';

/**
 * The Bernoulli distribution: 1 with probability `probs` (or with log odds `logits`), otherwise 0. Give one of the two,
 * a number or a tensor.
 *
 * ```ts
 * const coin = new Bernoulli({ probs: 0.25 });
 * coin.logProb(1); // -1.386
 * coin.variance; // 0.1875
 * ```
 */
export class Bernoulli extends Distribution {
  static override readonly argConstraints: ArgConstraints<'probs' | 'logits'> = chanceConstraints;
  /** The probabilities, from 0 to 1, of the batch's shape. */
  readonly probs: Tensor;
  /** The probabilities as logits, `log(p / (1 - p))`. */
  readonly logits: Tensor;
  readonly support = zeroOrOne;

  constructor(chance: Chance & DistributionOptions) {
    const { probs, logits } = chanceOf('Bernoulli', chance);
    super(probs.shape, [], { validateArgs: chance.validateArgs });
    this.probs = probs;
    this.logits = logits;
  }

  override get mean(): Tensor {
    return this.probs;
  }
  override get variance(): Tensor {
    return this.probs.mul(this.probs.neg().add(1));
  }
  /** NaN where both values are equally likely. */
  override get mode(): Tensor {
    return where(this.probs.eq(0.5), Number.NaN, this.probs.gt(0.5).to(this.probs.dtype));
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    return bernoulli(this.probs.detach().expand(shape), { generator });
  }

  protected override logDensity(value: Tensor): Tensor {
    const [logits, x] = broadcastTensors([this.logits, value.to(this.logits.dtype)]);
    return binaryCrossEntropyWithLogits(logits!, x!, { reduction: 'none' }).neg();
  }

  override entropy(): Tensor {
    return binaryCrossEntropyWithLogits(this.logits, this.probs, { reduction: 'none' });
  }

  override enumerateSupport(): Tensor {
    const { dtype, device } = this.probs;
    const values = tensor([0, 1], { dtype, device }).reshape([2, ...this.batchShape.map(() => 1)]);
    return values.expand(2, ...this.batchShape);
  }
}
