import { empty, linear, type Tensor } from '@gradgate/core';
import { is } from '@gradgate/core/internal';
import { uniform_ } from '../init.js';
import { readsFields } from '../members.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { checkLayer } from './checkLayer.js';

/** Options of `Linear` and `Bilinear`. */
export interface LinearOptions {
  /** Whether a learned bias is added; true by default. */
  bias?: boolean;
}
const linearOptions = { bias: is.boolean };

/**
 * A fully connected layer: `y = x @ weight.T + bias`, `[..., inFeatures]` to `[..., outFeatures]`. Parameters: `weight`
 * `[outFeatures, inFeatures]` and `bias` `[outFeatures]`, or null with `{ bias: false }`. Throws where the last
 * dimension of the input is not `inFeatures`.
 *
 * ```ts
 * const layer = new Linear(3, 2);
 * layer(randn([5, 3])).shape; // [5, 2]
 * ```
 */
export class Linear extends Module {
  /** The weight `[outFeatures, inFeatures]`. */
  weight: Parameter;
  /** The bias `[outFeatures]`; null without one. */
  bias: Parameter | null;

  constructor(
    /** The number of features of an input. */
    readonly inFeatures: number,
    /** The number of features of the result. */
    readonly outFeatures: number,
    options: LinearOptions = {},
  ) {
    super();
    const { bias = true } = checkLayer(new.target.name, { inFeatures, outFeatures }, options, linearOptions);
    this.weight = new Parameter(empty([outFeatures, inFeatures]));
    this.bias = bias ? new Parameter(empty([outFeatures])) : null;
    this.resetParameters();
  }

  /** Draws weight and bias from the uniform distribution within ±1 / √inFeatures, as PyTorch does. */
  resetParameters(): void {
    const bound = this.inFeatures > 0 ? 1 / Math.sqrt(this.inFeatures) : 0;
    uniform_(this.weight, -bound, bound);
    if (this.bias) uniform_(this.bias, -bound, bound);
  }

  /** @internal */
  override get [readsFields](): Module['forward'] {
    return Linear.prototype.forward;
  }

  override forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `inFeatures=${this.inFeatures}, outFeatures=${this.outFeatures}, bias=${this.bias !== null}`;
  }
}
