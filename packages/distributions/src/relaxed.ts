import { type Generator, log1p, logSoftmax, rand, type Shape, sigmoid, softplus, type Tensor } from '@gradgate/core';
import { broadcastShapes, lgammaOf } from '@gradgate/core/internal';
import { CategoricalBase, type Weights } from './categorical.js';
import { type ArgConstraints, positive, simplex, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';
import { type Chance, chanceConstraints, chanceOf, clampProbs } from './probabilities.js';

/**
 * A Bernoulli distribution relaxed to numbers between 0 and 1 (Maddison et al., 2017), so that draws carry gradients:
 * the lower the `temperature`, the nearer to 0 and 1 they are.
 *
 * ```ts
 * const gate = new RelaxedBernoulli(0.5, { probs: 0.25 });
 * gate.logProb(0.5); // -0.9808
 * gate.rsample([3]).shape; // [3]
 * ```
 */
export class RelaxedBernoulli extends Distribution {
  static override readonly argConstraints: ArgConstraints<'temperature' | 'probs' | 'logits'> = {
    temperature: positive,
    ...chanceConstraints,
  };
  /** How soft the draws are: above 0; near 0 they are nearly 0 or 1. */
  readonly temperature: Tensor;
  /** The probabilities, from 0 to 1, of the batch's shape. */
  readonly probs: Tensor;
  /** The probabilities as logits, `log(p / (1 - p))`. */
  readonly logits: Tensor;
  readonly support = unitInterval;

  constructor(temperature: TensorLike, chance: Chance & DistributionOptions) {
    const op = 'RelaxedBernoulli';
    const beside = parametersOf(op, { temperature }, { temperature: positive }, chance).temperature;
    const { probs, logits } = chanceOf(op, chance, { temperature: beside });
    super(probs.shape, [], { validateArgs: chance.validateArgs });
    this.probs = probs;
    this.logits = logits;
    this.temperature = beside.to(probs.dtype);
  }

  override get hasRsample(): boolean {
    return true;
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.logits;
    const u = clampProbs(rand(shape, { dtype, device, generator }));
    const noise = u.log().sub(log1p(u.neg()));
    return clampProbs(sigmoid(this.logits.add(noise).div(this.temperature)));
  }

  protected override logDensity(value: Tensor): Tensor {
    const [log, rest] = [value.log(), log1p(value.neg())];
    const apart = this.logits.sub(log.sub(rest).mul(this.temperature));
    return this.temperature.log().add(apart).sub(softplus(apart).mul(2)).sub(log).sub(rest);
  }
}

/**
 * A distribution over classes relaxed to vectors from 0 up with sum 1 (Jang et al., 2017: the Gumbel softmax), so that
 * draws carry gradients: the lower the `temperature`, the nearer to one class they are. Events are `[classes]`.
 *
 * ```ts
 * const choice = new RelaxedOneHotCategorical(0.5, { probs: tensor([1, 1, 2]) });
 * choice.rsample([5]).shape; // [5, 3]
 * ```
 */
export class RelaxedOneHotCategorical extends CategoricalBase {
  static override readonly argConstraints: ArgConstraints<'temperature' | 'probs' | 'logits'> = {
    temperature: positive,
    ...CategoricalBase.argConstraints,
  };
  /** How soft the draws are: above 0; near 0 they are nearly 0 or 1. */
  readonly temperature: Tensor;
  readonly support = simplex;

  constructor(temperature: TensorLike, weights: Weights & DistributionOptions) {
    super(weights, 1);
    const constraints = { temperature: positive };
    const given = parametersOf('RelaxedOneHotCategorical', { temperature }, constraints, weights).temperature;
    this.temperature = given.to(this.probs.dtype);
    broadcastShapes('RelaxedOneHotCategorical', given.shape, this.batchShape);
  }

  override get hasRsample(): boolean {
    return true;
  }

  /** The temperature beside events. */
  private beside(): Tensor {
    return this.temperature.ndim === 0 ? this.temperature : this.temperature.unsqueeze(-1);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.logits;
    const noise = clampProbs(rand(shape, { dtype, device, generator })).log().neg().log().neg();
    return logSoftmax(this.logits.add(noise).div(this.beside()), -1).exp();
  }

  protected override logDensity(value: Tensor): Tensor {
    const log = value.log();
    const scores = logSoftmax(this.logits.sub(log.mul(this.beside())), -1).sum(-1);
    return scores
      .sub(log.sum(-1))
      .add(this.temperature.log().mul(this.classes - 1))
      .add(lgammaOf(this.classes));
  }

  override entropy(): Tensor {
    return this.lacks('entropy()');
  }
}
