import type { Tensor } from '@gradgate/core';
import { dropout } from '@gradgate/core';
import { Module } from '../module.js';

/** In training, sets elements to 0 with probability `p` and scales the rest by 1 / (1 - p); in eval, passes through. */
export class Dropout extends Module {
  constructor(readonly p = 0.5) {
    super();
    if (!(p >= 0 && p <= 1)) throw new TypeError(`Dropout: p is a probability from 0 to 1, got ${p}`);
  }

  override forward(x: Tensor): Tensor {
    return dropout(x, { p: this.p, training: this.training });
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}
