import { dropout, type Tensor } from '@gradgate/core';
import { alphaDropout, dropout1d, dropout2d } from '../functions/dropout.js';
import { Module } from '../module.js';

type DropoutFunction = (x: Tensor, options: { p: number; training: boolean }) => Tensor;

/** A module that drops with probability `p` in training and passes its input through in eval. */
class DropoutBase extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new TypeError(`${new.target.name}: p is a probability from 0 to 1, got ${p}`);
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

/** In training, sets elements to 0 with probability `p` and scales the rest by 1 / (1 - p); in eval, passes through. */
export class Dropout extends DropoutBase {}

/** Dropout of whole channels of `[N, C, L]`. */
export class Dropout1d extends DropoutBase {
  protected override drop(): DropoutFunction {
    return dropout1d;
  }
}

/** Dropout of whole channels of `[N, C, H, W]`. */
export class Dropout2d extends DropoutBase {
  protected override drop(): DropoutFunction {
    return dropout2d;
  }
}

/** Dropout that keeps mean and variance of SELU's outputs. */
export class AlphaDropout extends DropoutBase {
  protected override drop(): DropoutFunction {
    return alphaDropout;
  }
}
