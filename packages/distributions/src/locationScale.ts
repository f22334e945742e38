import type { Tensor } from '@gradgate/core';
import { type ArgConstraints, positive, real } from './constraints.js';
import { Distribution, type DistributionOptions, parametersOf, type TensorLike } from './distribution.js';

/** The base of distributions over all numbers that a location and a scale determine. */
export abstract class LocationScale extends Distribution {
  static override readonly argConstraints: ArgConstraints<'loc' | 'scale'> = { loc: real, scale: positive };
  /** Where the mode lies, of the batch's shape. */
  readonly loc: Tensor;
  /** How wide it is: above 0, of the batch's shape. */
  readonly scale: Tensor;
  readonly support = real;

  constructor(loc: TensorLike, scale: TensorLike, options?: DistributionOptions) {
    const given = parametersOf(new.target.name, { loc, scale }, LocationScale.argConstraints, options);
    super(given.loc.shape, [], options);
    this.loc = given.loc;
    this.scale = given.scale;
  }

  override get hasRsample(): boolean {
    return true;
  }

  override get mode(): Tensor {
    return this.loc;
  }
}
