import { type Generator, logicalAnd, rand, type Shape, type Tensor, where } from '@gradgate/core';
import { type ArgConstraints, between, checkAll, real, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

/**
 * The uniform distribution from `low` up to but not including `high`; numbers or tensors, which broadcast. Throws where
 * `low` is not below `high`.
 *
 * ```ts
 * const uniform = new Uniform(0, 4);
 * uniform.logProb(1); // -1.386
 * uniform.cdf(1); // 0.25
 * ```
 */
export class Uniform extends Distribution {
  static override readonly argConstraints: ArgConstraints<'low' | 'high'> = { low: real, high: real };
  /** The lower ends, of the batch's shape. */
  readonly low: Tensor;
  /** The upper ends, of the batch's shape. */
  readonly high: Tensor;

  constructor(low: TensorLike, high: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('Uniform', { low, high }, Uniform.argConstraints, options);
    super(given.low.shape, [], options);
    this.low = given.low;
    this.high = given.high;
    if (this.validateArgs)
      checkAll('Uniform', this.low.lt(this.high), () => new RangeError('Uniform: low must be below high everywhere'));
  }

  get support() {
    return between(this.low.detach(), this.high.detach());
  }
  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    return this.low.add(this.high).mul(0.5);
  }
  /** NaN: all values are equally likely. */
  override get mode(): Tensor {
    return this.low.mul(Number.NaN);
  }
  override get variance(): Tensor {
    return this.high.sub(this.low).square().div(12);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.low;
    return this.low.add(rand(shape, { dtype, device, generator }).mul(this.high.sub(this.low)));
  }

  protected override logDensity(value: Tensor): Tensor {
    const inside = logicalAnd(value.ge(this.low), value.lt(this.high));
    const density = this.high.sub(this.low).log().neg();
    return where(inside, density, Number.NEGATIVE_INFINITY);
  }

  override entropy(): Tensor {
    return this.high.sub(this.low).log();
  }

  override cdf(value: TensorLike): Tensor {
    const x = this.checkValue('cdf', value, real);
    return x.sub(this.low).div(this.high.sub(this.low)).clamp(0, 1);
  }

  override icdf(p: TensorLike): Tensor {
    return this.low.add(this.checkValue('icdf', p, unitInterval).mul(this.high.sub(this.low)));
  }
}
