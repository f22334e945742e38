import { type Generator, log1p, rand, type Shape, sign, type Tensor } from '@gradgate/core';
import { unitInterval } from './constraints.js';
import type { TensorLike } from './distribution.js';
import { LocationScale } from './locationScale.js';

/**
 * The Laplace distribution around `loc`: exponential with mean `scale` on both sides. Numbers or tensors, which
 * broadcast.
 *
 * ```ts
 * const laplace = new Laplace(0, 1);
 * laplace.logProb(2); // -2.693
 * laplace.variance; // 2
 * ```
 */
export class Laplace extends LocationScale {
  override get mean(): Tensor {
    return this.loc;
  }
  override get variance(): Tensor {
    return this.scale.square().mul(2);
  }
  override get stddev(): Tensor {
    return this.scale.mul(Math.SQRT2);
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.loc;
    return this.quantile(rand(shape, { dtype, device, generator }));
  }

  /** The quantile of probability `p`. */
  private quantile(p: Tensor): Tensor {
    const side = p.sub(0.5);
    return this.loc.sub(this.scale.mul(sign(side)).mul(log1p(side.abs().mul(-2))));
  }

  protected override logDensity(value: Tensor): Tensor {
    return value.sub(this.loc).abs().div(this.scale).add(this.scale.mul(2).log()).neg();
  }

  override entropy(): Tensor {
    return this.scale.mul(2).log().add(1);
  }

  override cdf(value: TensorLike): Tensor {
    const z = this.checkValue('cdf', value).sub(this.loc).div(this.scale);
    return sign(z).mul(z.abs().neg().expm1()).mul(-0.5).add(0.5);
  }

  override icdf(p: TensorLike): Tensor {
    return this.quantile(this.checkValue('icdf', p, unitInterval));
  }
}
