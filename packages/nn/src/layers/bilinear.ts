import { empty, type Tensor } from '@gradgate/core';
import { is } from '@gradgate/core/internal';
import { bilinear } from '../functions/bilinear.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { checkLayer } from './checkLayer.js';
import type { LinearOptions } from './linear.js';

const bilinearOptions = { bias: is.boolean };

/**
 * A bilinear layer: `x1ᵀ W[o] x2 + bias[o]` for each output `o`. `[..., in1Features]` and `[..., in2Features]` to
 * `[..., outFeatures]`. Parameters: `weight` `[outFeatures, in1Features, in2Features]` and `bias` `[outFeatures]`, or
 * null with `{ bias: false }`.
 *
 * ```ts
 * new Bilinear(3, 4, 2)(randn([5, 3]), randn([5, 4])).shape; // [5, 2]
 * ```
 */
export class Bilinear extends Module {
  /** The weight `[outFeatures, in1Features, in2Features]`. */
  weight: Parameter;
  /** The bias `[outFeatures]`; null without one. */
  bias: Parameter | null;

  constructor(
    /** The number of features of the first input. */
    readonly in1Features: number,
    /** The number of features of the second input. */
    readonly in2Features: number,
    /** The number of features of the result. */
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super();
    const sizes = { in1Features, in2Features, outFeatures };
    const { bias = true } = checkLayer(new.target.name, sizes, options, bilinearOptions);
    const bound = in1Features > 0 ? 1 / Math.sqrt(in1Features) : 0;
    this.weight = new Parameter(uniform_(empty([outFeatures, in1Features, in2Features]), -bound, bound));
    this.bias = bias ? new Parameter(uniform_(empty([outFeatures]), -bound, bound)) : null;
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    return bilinear(a, b, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `${this.in1Features}, ${this.in2Features}, ${this.outFeatures}, bias=${this.bias !== null}`;
  }
}
