import { dropout, type Tensor } from '@gradgate/core';
import { check, is } from '@gradgate/core/internal';
import { alphaDropout, dropout1d, dropout2d, dropout3d, featureAlphaDropout } from '../functions/dropout.js';
import { Module } from '../module.js';

type DropoutFunction = (x: Tensor, options: { p: number; training: boolean }) => Tensor;

/** The base of dropout layers: they drop with probability `p` in training and return their input in eval. */
class DropoutBase extends Module {
  /** The probability that an element, or a channel, is dropped in training. */
  readonly p: number;

  constructor(p = 0.5) {
    super();
    check(new.target.name, 'p', p, is.probability);
    this.p = p;
  }

  /** The function that drops. */
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
 * In training, sets elements to 0 with probability `p`, 0.5 by default, and scales the others by `1 / (1 - p)`; in
 * eval, returns its input (Srivastava et al., 2014). `evalMode` and `trainMode` of the flow take precedence over the
 * module's `training`. Any shape; the output has the same.
 *
 * ```ts
 * const drop = new Dropout(0.2);
 * evalMode.run(() => drop(tensor([1, 2]))); // [1, 2]
 * ```
 */
export class Dropout extends DropoutBase {}

/**
 * Drops whole channels of `[N, C, L]` or `[C, L]` in training, with probability `p`, 0.5 by default (Tompson et al.,
 * 2015).
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
 * Drops whole channels of `[N, C, H, W]` or `[C, H, W]` in training, with probability `p`, 0.5 by default (Tompson et
 * al., 2015).
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
 * Drops whole channels of `[N, C, D, H, W]` or `[C, D, H, W]` in training, with probability `p`, 0.5 by default
 * (Tompson et al., 2015).
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
 * Dropout for SELU, which keeps mean 0 and variance 1 (Klambauer et al., 2017): dropped elements become SELU's lowest
 * value rather than 0. `p` is 0.5 by default. Any shape; the output has the same.
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
 * `AlphaDropout` of whole channels of `[N, C, ...]`: dropped channels become SELU's lowest value. `p` is 0.5 by
 * default.
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
