import {
  celu,
  elu,
  full,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  logSoftmax,
  mish,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softshrink,
  softsign,
  type Tensor,
  tanh,
  tanhshrink,
} from '@gradgate/core';
import { is, options as known } from '@gradgate/core/internal';
import { rrelu, softmin, threshold } from '../functions/activation.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { layerOf } from './layerOf.js';

// Each takes the options of the function that it is named after.
export class ReLU extends layerOf(relu) {}
export class ReLU6 extends layerOf(relu6) {}
export class LeakyReLU extends layerOf(leakyRelu, is.optional(is.number)) {}
export class ELU extends layerOf(elu, known.eluOptions) {}
export class CELU extends layerOf(celu, known.celuOptions) {}
export class SELU extends layerOf(selu) {}
export class GELU extends layerOf(gelu, known.geluOptions) {}
export class SiLU extends layerOf(silu) {}
export class Mish extends layerOf(mish) {}
export class GLU extends layerOf(glu, is.optional(is.integer)) {}
export class Sigmoid extends layerOf(sigmoid) {}
export class LogSigmoid extends layerOf(logSigmoid) {}
export class Hardsigmoid extends layerOf(hardsigmoid) {}
export class Hardswish extends layerOf(hardswish) {}
export class Hardtanh extends layerOf(hardtanh, known.hardtanhOptions) {}
export class Tanh extends layerOf(tanh) {}
export class Tanhshrink extends layerOf(tanhshrink) {}
export class Softplus extends layerOf(softplus, known.softplusOptions) {}
export class Softsign extends layerOf(softsign) {}
export class Softshrink extends layerOf(softshrink, is.optional(is.nonNegative)) {}
export class Hardshrink extends layerOf(hardshrink, is.optional(is.nonNegative)) {}
export class Threshold extends layerOf(threshold, is.number, is.number) {}
export class Softmax extends layerOf(softmax, is.integer) {}
export class LogSoftmax extends layerOf(logSoftmax, is.integer) {}
export class Softmin extends layerOf(softmin, is.integer) {}

/** `x` where positive, else `weight x`, with one learned weight or one for each channel (dimension 1). */
export class PReLU extends Module {
  weight: Parameter;

  constructor(numParameters = 1, { init = 0.25 }: { init?: number } = {}) {
    super();
    this.weight = new Parameter(full([numParameters], init));
  }

  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  override extraRepr(): string {
    return `numParameters=${this.weight.numel}`;
  }
}

/** Leaky ReLU whose slope is drawn anew for each element in training, and the middle of its range in eval. */
export class RReLU extends Module {
  constructor(
    readonly lower = 1 / 8,
    readonly upper = 1 / 3,
  ) {
    super();
    if (!(lower <= upper)) throw new RangeError(`RReLU: lower must not exceed upper, got ${lower} and ${upper}`);
  }

  override forward(x: Tensor): Tensor {
    return rrelu(x, { lower: this.lower, upper: this.upper, training: this.training });
  }

  override extraRepr(): string {
    return `lower=${this.lower}, upper=${this.upper}`;
  }
}
