import {
  arange,
  cat,
  cumprod,
  type Generator,
  logSigmoid,
  type Shape,
  ShapeError,
  sigmoid,
  type Tensor,
} from '@gradgate/core';
import { checkTensors } from '@gradgate/core/internal';
import { type ArgConstraints, simplex } from './constraints.js';
import { Distribution, type DistributionOptions, type TensorLike } from './distribution.js';
import { smallestNormal } from './draws.js';
import { Normal } from './normal.js';

/**
 * The distribution of vectors from 0 up with sum 1 that are made of normal numbers, of mean `loc` `[..., n]` and
 * standard deviation `scale`: each breaks its share off what those before it left, and the last takes the rest. Events
 * are `[n + 1]`.
 *
 * ```ts
 * const shares = new LogisticNormal(zeros([2]), 1);
 * shares.rsample([5]).shape; // [5, 3]
 * shares.logProb(tensor([0.25, 0.25, 0.5])); // 1.305
 * ```
 */
export class LogisticNormal extends Distribution {
  static override readonly argConstraints: ArgConstraints<'loc' | 'scale'> = Normal.argConstraints;
  /** The means of the normal distribution `[..., n]`. */
  readonly loc: Tensor;
  /** Its standard deviations `[..., n]`. */
  readonly scale: Tensor;
  readonly support = simplex;
  private readonly base: Normal;

  constructor(loc: Tensor, scale: TensorLike, options?: DistributionOptions) {
    checkTensors('LogisticNormal', loc);
    const base = new Normal(loc, scale, options);
    const { shape } = base.loc;
    if (shape.length === 0) throw new ShapeError('LogisticNormal', 'loc must be [..., n], got []');
    super(shape.slice(0, -1), [shape.at(-1)! + 1], options);
    this.base = base;
    this.loc = base.loc;
    this.scale = base.scale;
  }

  override get hasRsample(): boolean {
    return true;
  }

  /** By these numbers all shares are equal where the normal ones are 0. */
  private offsets(): Tensor {
    const n = this.loc.shape.at(-1)!;
    const { dtype, device } = this.loc;
    return arange(n, 0, -1, { dtype }).log().to(device);
  }

  protected override expandParts(batchShape: Shape): Record<string, Distribution> {
    return { base: this.base.expand([...batchShape, this.base.batchShape.at(-1)!]) };
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const sample = shape.slice(0, shape.length - this.batchShape.length - 1);
    const share = sigmoid(this.base.rsample(sample, { generator }).sub(this.offsets()));
    const rest = cumprod(share.neg().add(1), -1);
    const one = share.narrow(-1, 0, 1).detach().mul(0).add(1);
    return cat([share, one], -1).mul(cat([one, rest], -1));
  }

  protected override logDensity(value: Tensor): Tensor {
    const n = this.loc.shape.at(-1)!;
    const shares = value.narrow(-1, 0, n);
    const rest = shares.cumsum(-1).neg().add(1).clamp(smallestNormal(shares.dtype));
    const z = shares.log().sub(rest.log());
    const size = logSigmoid(z).sub(z).add(shares.log()).sum(-1);
    return this.base.logProb(z.add(this.offsets())).sum(-1).sub(size);
  }
}
