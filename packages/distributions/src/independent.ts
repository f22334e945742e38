import type { Generator, Shape, Tensor } from '@gradgate/core';
import { check, is, show } from '@gradgate/core/internal';
import { Distribution, type DistributionOptions, type TensorLike } from './distribution.js';

/**
 * Moves the last `dims` batch dimensions of a distribution into its events: `logProb` and `entropy` are summed over
 * them.
 *
 * ```ts
 * const vectors = new Independent(new Normal(zeros([5, 3]), 1), 1);
 * vectors.batchShape; // [5]
 * vectors.logProb(zeros([3])).shape; // [5]
 * ```
 */
export class Independent extends Distribution {
  constructor(
    /** The distribution whose dimensions are taken together. */
    readonly base: Distribution,
    /** How many of its batch dimensions are one event. */
    readonly dims: number,
    options?: DistributionOptions,
  ) {
    if (!(base instanceof Distribution)) throw new TypeError(`Independent: takes a distribution, got ${show(base)}`);
    check('Independent', 'dims', dims, is.size);
    if (dims > base.batchShape.length)
      throw new RangeError(
        `Independent: dims must be at most ${base.batchShape.length}, the number of batch dimensions, got ${dims}`,
      );
    const at = base.batchShape.length - dims;
    super(base.batchShape.slice(0, at), [...base.batchShape.slice(at), ...base.eventShape], {
      validateArgs: base.validateArgs,
      ...options,
    });
  }

  get support() {
    return this.base.support;
  }
  override get hasRsample(): boolean {
    return this.base.hasRsample;
  }
  override get mean(): Tensor {
    return this.base.mean;
  }
  override get variance(): Tensor {
    return this.base.variance;
  }
  override get mode(): Tensor {
    return this.base.mode;
  }

  protected override expandParts(batchShape: Shape): Record<string, Distribution> {
    const inner = this.base.batchShape.slice(this.base.batchShape.length - this.dims);
    return { base: this.base.expand([...batchShape, ...inner]) };
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const sample = shape.slice(0, shape.length - this.batchShape.length - this.eventShape.length);
    return this.hasRsample ? this.base.rsample(sample, { generator }) : this.base.sample(sample, { generator });
  }

  override logProb(value: TensorLike): Tensor {
    return this.summed(this.base.logProb(this.checkValue('logProb', value)));
  }

  protected override logDensity(value: Tensor): Tensor {
    return this.logProb(value);
  }

  override entropy(): Tensor {
    return this.summed(this.base.entropy());
  }

  private summed(x: Tensor): Tensor {
    return this.dims === 0 ? x : x.sum(Array.from({ length: this.dims }, (_, i) => -1 - i));
  }
}
