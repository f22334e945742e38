import { type Generator, logsumexp, type Shape, ShapeError, type Tensor } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { Categorical } from './categorical.js';
import { Distribution, type DistributionOptions, type TensorLike } from './distribution.js';

/**
 * A mixture of distributions of one class. `weights`, a Categorical over k classes, has the probabilities of the k
 * `components`, which are the last batch dimension, `[...batchShape, k]`.
 *
 * ```ts
 * const weights = new Categorical({ probs: tensor([0.5, 0.5]) });
 * const mixture = new MixtureSameFamily(weights, new Normal(tensor([-1, 1]), 1));
 * mixture.logProb(0); // -1.419
 * mixture.variance; // 2
 * ```
 */
export class MixtureSameFamily extends Distribution {
  constructor(
    /** How likely each component is. */
    readonly weights: Categorical,
    /** The components, as the last batch dimension. */
    readonly components: Distribution,
    options?: DistributionOptions,
  ) {
    const op = 'MixtureSameFamily';
    if (!(weights instanceof Categorical))
      throw new TypeError(`${op}: weights must be a Categorical, got ${show(weights)}`);
    if (!(components instanceof Distribution))
      throw new TypeError(`${op}: components must be a distribution, got ${show(components)}`);
    const { batchShape } = components;
    if (batchShape.at(-1) !== weights.classes)
      throw new ShapeError(
        op,
        `weights for ${weights.classes} components, but components of batch shape [${batchShape.join(', ')}]`,
      );
    const batch = batchShape.slice(0, -1);
    if (weights.batchShape.length > 0 && weights.batchShape.join() !== batch.join())
      throw new ShapeError(
        op,
        `weights of batch shape [${weights.batchShape.join(', ')}], components of [${batch.join(', ')}]`,
      );
    super(batch, components.eventShape, { validateArgs: components.validateArgs, ...options });
  }

  get support() {
    return this.components.support;
  }
  override get mean(): Tensor {
    return this.averaged(this.components.mean);
  }
  override get variance(): Tensor {
    const within = this.averaged(this.components.variance);
    const apart = this.components.mean.sub(this.withComponents(this.mean));
    return within.add(this.averaged(apart.square()));
  }

  protected override expandParts(batchShape: Shape): Record<string, Distribution> {
    const components = this.components.expand([...batchShape, this.weights.classes]);
    return { weights: this.weights.expand(batchShape), components };
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const events = this.eventShape.length;
    const sample = shape.slice(0, shape.length - events - this.batchShape.length);
    const which = this.weights.sample([...sample, ...(this.weights.batchShape.length === 0 ? this.batchShape : [])], {
      generator,
    });
    const all = this.components.sample(sample, { generator });
    const dim = all.ndim - events - 1;
    const index = which.reshape([...which.shape, 1, ...this.eventShape.map(() => 1)]);
    return all.gather(dim, index.expand(...which.shape, 1, ...this.eventShape)).squeeze(dim);
  }

  override logProb(value: TensorLike): Tensor {
    const x = this.checkValue('logProb', value);
    return logsumexp(this.components.logProb(this.withComponents(x)).add(this.weights.logits), -1);
  }

  protected override logDensity(value: Tensor): Tensor {
    return this.logProb(value);
  }

  override cdf(value: TensorLike): Tensor {
    const x = this.checkValue('cdf', value);
    return this.components.cdf(this.withComponents(x)).mul(this.weights.probs).sum(-1);
  }

  /** `x` with a dimension for the components, before those of the event. */
  private withComponents(x: Tensor): Tensor {
    return x.unsqueeze(x.ndim - this.eventShape.length);
  }

  /** The mean over the components. */
  private averaged(x: Tensor): Tensor {
    const events = this.eventShape.length;
    const { probs } = this.weights;
    return x.mul(probs.reshape([...probs.shape, ...this.eventShape.map(() => 1)])).sum(-1 - events);
  }
}
