import type { Tensor } from '@gradgate/core';
import { type ArgConstraints, positive, unitInterval } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

/** The base of distributions over numbers from 0 to 1 that a concentration on each side determines. */
export abstract class TwoConcentrations extends Distribution {
  static override readonly argConstraints: ArgConstraints<'concentration1' | 'concentration0'> = {
    concentration1: positive,
    concentration0: positive,
  };
  /** The exponent of x, plus 1: above 0, of the batch's shape. */
  readonly concentration1: Tensor;
  /** The exponent of the other side, plus 1: above 0, of the batch's shape. */
  readonly concentration0: Tensor;
  readonly support = unitInterval;

  constructor(concentration1: TensorLike, concentration0: TensorLike, options?: DistributionOptions) {
    const constraints = TwoConcentrations.argConstraints;
    const given = parametersOf(new.target.name, { concentration1, concentration0 }, constraints, options);
    super(given.concentration1.shape, [], options);
    this.concentration1 = given.concentration1;
    this.concentration0 = given.concentration0;
  }

  override get hasRsample(): boolean {
    return true;
  }
}
