import { dropout, type Tensor } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { alphaDropout, dropout1d, dropout2d, dropout3d, featureAlphaDropout } from '../functions/dropout.js';
import { Module } from '../module.js';

type DropoutFunction = (x: Tensor, options: { p: number; training: boolean }) => Tensor;

/** A module that drops with probability `p` in training and passes its input through in eval. */
class DropoutBase extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    check(new.target.name, 'p', p, is.probability);
    this.p = p;
  }

  protected drop(): DropoutFunction {
    return dropout;
  }

  override forward(x: Tensor): Tensor {
    return this.drop()(x, { p: this.p, training: this.training });
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/**
 * In training, sets elements to 0 with probability `p`, 0.5 by default, and scales the rest by `1 / (1 - p)`; in eval,
 * passes its input through (Srivastava et al., 2014). Which of both, `evalMode` and `trainMode` of the flow say first,
 * and then `training`. Any shape, kept.
 *
 * ```ts
 * const drop = new Dropout(0.2);
 * evalMode.run(() => drop(tensor([1, 2]))); // [1, 2]
 * ```
 */
export class Dropout extends DropoutBase {}

/**
 * Dropout of whole channels of `[N, C, L]` or `[C, L]`, with probability `p`, 0.5 by default (Tompson et al., 2015).
 *
 * ```ts
 * new Dropout1d().eval()(tensor([[[1, 2]]])); // [[[1, 2]]]
 * ```
 */
export class Dropout1d extends DropoutBase {
  protected override drop(): DropoutFunction {
    return dropout1d;
  }
}

/**
 * Dropout of whole channels of `[N, C, H, W]` or `[C, H, W]`, with probability `p`, 0.5 by default (Tompson et al.,
 * 2015).
 *
 * ```ts
 * new Dropout2d(0.1)(randn([4, 3, 8, 8])).shape; // [4, 3, 8, 8]
 * ```
 */
export class Dropout2d extends DropoutBase {
  protected override drop(): DropoutFunction {
    return dropout2d;
  }
}

/**
 * Dropout of whole channels of `[N, C, D, H, W]` or `[C, D, H, W]`, with probability `p`, 0.5 by default (Tompson et al.,
 * 2015).
 *
 * ```ts
 * new Dropout3d(0.1)(randn([2, 3, 4, 8, 8])).shape; // [2, 3, 4, 8, 8]
 * ```
 */
export class Dropout3d extends DropoutBase {
  protected override drop(): DropoutFunction {
    return dropout3d;
  }
}

/**
 * Dropout that keeps mean and variance of SELU's outputs: dropped elements get SELU's lowest value rather than 0
 * (Klambauer et al., 2017). `p` is 0.5 by default. Any shape, kept.
 *
 * ```ts
 * new Sequential(new SELU(), new AlphaDropout(0.1))(randn([4, 8])).shape; // [4, 8]
 * ```
 */
export class AlphaDropout extends DropoutBase {
  protected override drop(): DropoutFunction {
    return alphaDropout;
  }
}

/**
 * `AlphaDropout` of whole channels of `[N, C, ...]`: dropped ones get SELU's lowest value. `p` is 0.5 by default.
 *
 * ```ts
 * new FeatureAlphaDropout(0.1)(randn([4, 3, 8, 8])).shape; // [4, 3, 8, 8]
 * ```
 */
export class FeatureAlphaDropout extends DropoutBase {
  protected override drop(): DropoutFunction {
    return featureAlphaDropout;
  }
}
