import {
  binaryCrossEntropyWithLogits,
  broadcastTensors,
  type Generator,
  rand,
  type Shape,
  type Tensor,
  where,
} from '@gradgate/core';
import { type ArgConstraints, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, type TensorLike } from './distribution.js';
import { type Chance, chanceConstraints, chanceOf, clampProbs } from './probabilities.js';

const oneMinus = (x: Tensor): Tensor => x.neg().add(1);

/**
 * The continuous Bernoulli distribution over numbers from 0 to 1, with a density in proportion to
 * `probs^x (1 - probs)^(1 - x)` (Loaiza-Ganem and Cunningham, 2019): for decoders of pixels. Give `probs` or `logits`,
 * a number or a tensor.
 *
 * ```ts
 * const pixel = new ContinuousBernoulli({ probs: 0.25 });
 * pixel.mean; // 0.4102
 * pixel.logProb(0.5); // -0.04979
 * ```
 */
export class ContinuousBernoulli extends Distribution {
  static override readonly argConstraints: ArgConstraints<'probs' | 'logits'> = chanceConstraints;
  /** The probabilities, from 0 to 1, of the batch's shape. */
  readonly probs: Tensor;
  /** The probabilities as logits, `log(p / (1 - p))`. */
  readonly logits: Tensor;
  readonly support = unitInterval;
  /** Whether the formulas have digits there: near 1/2 they are 0 by 0, and Taylor's series stand in. */
  private readonly isApart: Tensor;
  /** The probabilities, away from 1/2. */
  private readonly apart: Tensor;

  constructor(chance: Chance & DistributionOptions) {
    const { probs, logits } = chanceOf('ContinuousBernoulli', chance);
    super(probs.shape, [], { validateArgs: chance.validateArgs });
    this.probs = clampProbs(probs);
    this.logits = logits;
    this.isApart = this.probs.sub(0.5).abs().gt(0.001);
    this.apart = where(this.isApart, this.probs, 0.499);
  }

  override get hasRsample(): boolean {
    return true;
  }
  override get mean(): Tensor {
    const far = this.apart.div(this.apart.mul(2).sub(1)).add(this.oddsBack().reciprocal());
    const x = this.probs.sub(0.5);
    const near = x
      .square()
      .mul(16 / 45)
      .add(1 / 3)
      .mul(x)
      .add(0.5);
    return where(this.isApart, far, near);
  }
  override get variance(): Tensor {
    const p = this.apart;
    const far = p.mul(p.sub(1)).div(p.mul(-2).add(1).square()).add(this.oddsBack().square().reciprocal());
    const x = this.probs.sub(0.5).square();
    const near = x
      .mul(128 / 945)
      .sub(1 / 15)
      .mul(x)
      .add(1 / 12);
    return where(this.isApart, far, near);
  }

  /** The logarithm of what makes the density's integral 1. */
  private logNorm(): Tensor {
    const far = this.oddsBack().abs().log().sub(this.apart.mul(2).sub(1).abs().log());
    const x = this.probs.sub(0.5).square();
    const near = x
      .mul(104 / 45)
      .add(4 / 3)
      .mul(x)
      .add(Math.LN2);
    return where(this.isApart, far, near);
  }

  /** `log((1 - p) / p)`. */
  private oddsBack(): Tensor {
    return this.apart.neg().log1p().sub(this.apart.log());
  }

  protected override draw(shape: Shape, generator: Generator | undefined): Tensor {
    const { dtype, device } = this.probs;
    return this.quantile(rand(shape, { dtype, device, generator }));
  }

  private quantile(p: Tensor): Tensor {
    const rest = this.apart.neg().log1p();
    const grown = p.mul(this.apart.mul(2).sub(1)).sub(this.apart).log1p();
    return where(this.isApart, grown.sub(rest).div(this.oddsBack().neg()), p);
  }

  protected override logDensity(value: Tensor): Tensor {
    const [logits, x] = broadcastTensors([this.logits, value.to(this.logits.dtype)]);
    return this.logNorm().sub(binaryCrossEntropyWithLogits(logits!, x!, { reduction: 'none' }));
  }

  override entropy(): Tensor {
    const rest = this.probs.neg().log1p();
    return this.mean.mul(rest.sub(this.probs.log())).sub(this.logNorm()).sub(rest);
  }

  override cdf(value: TensorLike): Tensor {
    const x = this.checkValue('cdf', value);
    const p = this.apart;
    const power = p.pow(x).mul(oneMinus(p).pow(oneMinus(x)));
    const within = where(this.isApart, power.add(p).sub(1).div(p.mul(2).sub(1)), x);
    return where(x.le(0), 0, where(x.ge(1), 1, within));
  }

  override icdf(p: TensorLike): Tensor {
    return this.quantile(this.checkValue('icdf', p, unitInterval));
  }
}
