import { cos, currentGenerator, type Generator, type Shape, type Tensor, tensor } from '@gradgate/core';
import { i0e, i1e } from '@gradgate/core/special';
import { type ArgConstraints, positive, real } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

/**
 * The von Mises distribution over angles in radians, around `loc`: the larger the `concentration`, the nearer to it.
 * The variance is that of directions, from 0 to 1.
 *
 * ```ts
 * const wind = new VonMises(0, 2);
 * wind.logProb(0); // -0.6619
 * wind.variance; // 0.3022
 * ```
 */
export class VonMises extends Distribution {
  static override readonly argConstraints: ArgConstraints<'loc' | 'concentration'> = {
    loc: real,
    concentration: positive,
  };
  /** The angle of the mode, of the batch's shape. */
  readonly loc: Tensor;
  /** How narrow it is: above 0, of the batch's shape. */
  readonly concentration: Tensor;
  readonly support = real;

  constructor(loc: TensorLike, concentration: TensorLike, options?: DistributionOptions) {
    const given = parametersOf('VonMises', { loc, concentration }, VonMises.argConstraints, options);
    super(given.loc.shape, [], options);
    this.loc = given.loc;
    this.concentration = given.concentration;
  }

  override get mean(): Tensor {
    return this.loc;
  }
  override get mode(): Tensor {
    return this.loc;
  }
  override get variance(): Tensor {
    return i1e(this.concentration).div(i0e(this.concentration)).neg().add(1);
  }

  protected override draw(shape: Shape, generator: Generator = currentGenerator()): Tensor {
    const { dtype, device } = this.loc;
    const locs = this.loc.detach().expand(shape).toTypedArray();
    const concentrations = this.concentration.detach().expand(shape).toTypedArray();
    const values = Array.from(locs, (loc, i) => {
      const angle = loc + angleOf(concentrations[i]!, generator) + Math.PI;
      return angle - 2 * Math.PI * Math.floor(angle / (2 * Math.PI)) - Math.PI;
    });
    return tensor(values, { shape, dtype, device });
  }

  protected override logDensity(value: Tensor): Tensor {
    const { concentration } = this;
    // I0 by what it is without its exponential growth.
    return cos(value.sub(this.loc))
      .sub(1)
      .mul(concentration)
      .sub(i0e(concentration).log())
      .sub(Math.log(2 * Math.PI));
  }
}

/** An angle around 0, by rejection from a wrapped Cauchy distribution (Best and Fisher, 1979). */
function angleOf(concentration: number, g: Generator): number {
  // Below, the distribution is as good as even, and above as good as normal.
  if (concentration < 1e-5) return (2 * g.uniform() - 1) * Math.PI;
  if (concentration > 1e8) return g.normal() / Math.sqrt(concentration);
  const tau = 1 + Math.sqrt(1 + 4 * concentration * concentration);
  const rho = (tau - Math.sqrt(2 * tau)) / (2 * concentration);
  const r = (1 + rho * rho) / (2 * rho);
  for (;;) {
    const z = Math.cos(Math.PI * g.uniform());
    const f = (1 + r * z) / (r + z);
    const c = concentration * (r - f);
    const u = 1 - g.uniform();
    if (c * (2 - c) > u || Math.log(c / u) + 1 >= c)
      return (g.uniform() < 0.5 ? -1 : 1) * Math.acos(Math.max(-1, Math.min(1, f)));
  }
}
