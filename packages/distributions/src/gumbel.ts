import { type Generator, rand, type Shape, type Tensor } from '@gradgate/core';
import { unitInterval } from './constraints.js';
import type { TensorLike } from './distribution.js';
import { LocationScale } from './locationScale.js';
import { clampProbs } from './probabilities.js';

/** Euler's constant. */
export const euler = 0.5772156649015329;

/**
 * The Gumbel distribution with location `loc` and this `scale`: of the largest of many draws.
 *
 * ```ts
 * const gumbel = new Gumbel(0, 1);
 * gumbel.mean; // 0.5772
 * gumbel.logProb(0); // -1
 * ```
 */
export class Gumbel extends LocationScale {
  override get mean(): Tensor {
    return this.loc.add(this.scale.mul(euler));
  }
  override get variance(): Tensor {
    return this.stddev.square();
  }
  override get stddev(): Tensor {
    return this.scale.mul(Math.PI / Math.sqrt(6));
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.loc;
    return this.quantile(clampProbs(rand(shape, { dtype, device, generator })));
  }

  private quantile(p: Tensor): Tensor {
    return this.loc.sub(this.scale.mul(p.log().neg().log()));
  }

  protected override logDensity(value: Tensor): Tensor {
    const z = value.sub(this.loc).div(this.scale);
    return z.add(z.neg().exp()).add(this.scale.log()).neg();
  }

  override entropy(): Tensor {
    return this.scale.log().add(1 + euler);
  }

  override cdf(value: TensorLike): Tensor {
    const z = this.checkValue('cdf', value).sub(this.loc).div(this.scale);
    return z.neg().exp().neg().exp();
  }

  override icdf(p: TensorLike): Tensor {
    return this.quantile(this.checkValue('icdf', p, unitInterval));
  }
}
