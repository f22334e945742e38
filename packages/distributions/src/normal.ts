import { erf, erfinv, type Generator, randn, type Shape, type Tensor } from '@gradgate/core';
import { unitInterval } from './constraints.js';
import type { TensorLike } from './distribution.js';
import { LocationScale } from './locationScale.js';

const halfLogTwoPi = 0.5 * Math.log(2 * Math.PI);

/**
 * The normal distribution with mean `loc` and standard deviation `scale`; numbers or tensors, which broadcast.
 *
 * ```ts
 * const gaussian = new Normal(tensor([0, 1]), 2);
 * gaussian.logProb(0); // [-1.612, -1.737]
 * gaussian.rsample([3]).shape; // [3, 2]
 * ```
 */
export class Normal extends LocationScale {
  override get mean(): Tensor {
    return this.loc;
  }
  override get variance(): Tensor {
    return this.scale.square();
  }
  override get stddev(): Tensor {
    return this.scale;
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.loc;
    return this.loc.add(randn(shape, { dtype, device, generator }).mul(this.scale));
  }

  protected override logDensity(value: Tensor): Tensor {
    const z = value.sub(this.loc).div(this.scale);
    return z.square().mul(-0.5).sub(this.scale.log()).sub(halfLogTwoPi);
  }

  override entropy(): Tensor {
    return this.scale.log().add(0.5 + halfLogTwoPi);
  }

  override cdf(value: TensorLike): Tensor {
    const z = this.checkValue('cdf', value).sub(this.loc).div(this.scale);
    return erf(z.mul(Math.SQRT1_2)).add(1).mul(0.5);
  }

  override icdf(p: TensorLike): Tensor {
    const z = erfinv(this.checkValue('icdf', p, unitInterval).mul(2).sub(1)).mul(Math.SQRT2);
    return this.loc.add(z.mul(this.scale));
  }
}
