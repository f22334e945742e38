import {
  binaryCrossEntropyWithLogits,
  broadcastTensors,
  type Generator,
  log1p,
  rand,
  type Shape,
  type Tensor,
  where,
} from '@gradgate/core';
import { type ArgConstraints, checkAll, count } from './constraints.js';
import { Distribution, type DistributionOptions } from './distribution.js';
import { type Chance, chanceConstraints, chanceOf, clampProbs } from './probabilities.js';

/**
 * The geometric distribution: the number of failures before the first success, with probability `probs` (or log odds
 * `logits`).
 *
 * ```ts
 * const geometric = new Geometric({ probs: 0.5 });
 * geometric.mean; // 1
 * geometric.logProb(2); // -2.079
 * ```
 */
export class Geometric extends Distribution {
  static override readonly argConstraints: ArgConstraints<'probs' | 'logits'> = chanceConstraints;
  /** The probabilities, from 0 to 1, of the batch's shape. */
  readonly probs: Tensor;
  /** The probabilities as logits, `log(p / (1 - p))`. */
  readonly logits: Tensor;
  readonly support = count;

  constructor(chance: Chance & DistributionOptions) {
    const { probs, logits } = chanceOf('Geometric', chance);
    super(probs.shape, [], { validateArgs: chance.validateArgs });
    this.probs = probs;
    this.logits = logits;
    if (this.validateArgs) checkAll('Geometric', probs.gt(0), () => new RangeError('Geometric: probs must be above 0'));
  }

  override get mean(): Tensor {
    return this.probs.reciprocal().sub(1);
  }
  override get mode(): Tensor {
    return this.probs.mul(0);
  }
  override get variance(): Tensor {
    return this.mean.div(this.probs);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.probs;
    const logs = log1p(rand(shape, { dtype, device, generator }).neg());
    return logs.div(log1p(clampProbs(this.probs).neg())).floor();
  }

  protected override logDensity(value: Tensor): Tensor {
    const [x, p] = broadcastTensors([value.to(this.probs.dtype), this.probs]);
    // Where p is 1 and x is 0, the term is 0, but would be computed as 0 times the logarithm of 0.
    const inner = p!.eq(1).logicalAnd(x!.eq(0));
    return x!.mul(log1p(where(inner, 0, p!).neg())).add(this.probs.log());
  }

  override entropy(): Tensor {
    return binaryCrossEntropyWithLogits(this.logits, this.probs, { reduction: 'none' }).div(this.probs);
  }
}
