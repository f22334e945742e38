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

/** `max(x, 0)` of each element. Any shape, kept. */
export class ReLU extends layerOf(relu) {}
/** `min(max(x, 0), 6)` of each element. Any shape, kept. */
export class ReLU6 extends layerOf(relu6) {}
/** `x` where positive, else `negativeSlope x`; 0.01 by default. Any shape, kept. */
export class LeakyReLU extends layerOf(leakyRelu, is.optional(is.number)) {}
/**
 * `x` where positive, else `alpha (exp(x) - 1)` (Clevert et al., 2015); alpha is 1 by default. Any shape, kept.
 */
export class ELU extends layerOf(elu, known.eluOptions) {}
/** `max(0, x) + min(0, alpha (exp(x / alpha) - 1))` (Barron, 2017); alpha is 1 by default. Any shape, kept. */
export class CELU extends layerOf(celu, known.celuOptions) {}
/** ELU with the scale and alpha that keep mean 0 and variance 1 (Klambauer et al., 2017). Any shape, kept. */
export class SELU extends layerOf(selu) {}
/**
 * `x` times the normal distribution function at x (Hendrycks and Gimpel, 2016): `new GELU({ approximate: 'tanh' })`
 * for the approximation. Any shape, kept.
 */
export class GELU extends layerOf(gelu, known.geluOptions) {}
/** `x sigmoid(x)`, also called swish. Any shape, kept. */
export class SiLU extends layerOf(silu) {}
/** `x tanh(softplus(x))` (Misra, 2019). Any shape, kept. */
export class Mish extends layerOf(mish) {}
/**
 * Halves `a` and `b` of dimension `dim` (the last one by default) to `a sigmoid(b)` (Dauphin et al., 2016): half the
 * size there.
 */
export class GLU extends layerOf(glu, is.optional(is.integer)) {}
/** `1 / (1 + exp(-x))` of each element. Any shape, kept. */
export class Sigmoid extends layerOf(sigmoid) {}
/** `log(sigmoid(x))`, computed without overflow. Any shape, kept. */
export class LogSigmoid extends layerOf(logSigmoid) {}
/** `x / 6 + 1/2` within 0 and 1. Any shape, kept. */
export class Hardsigmoid extends layerOf(hardsigmoid) {}
/** `x hardsigmoid(x)` (Howard et al., 2019). Any shape, kept. */
export class Hardswish extends layerOf(hardswish) {}
/** `x` within `minVal` and `maxVal`, which are -1 and 1 by default. Any shape, kept. */
export class Hardtanh extends layerOf(hardtanh, known.hardtanhOptions) {}
/** The hyperbolic tangent of each element. Any shape, kept. */
export class Tanh extends layerOf(tanh) {}
/** `x - tanh(x)` of each element. Any shape, kept. */
export class Tanhshrink extends layerOf(tanhshrink) {}
/**
 * `log(1 + exp(beta x)) / beta`; beta is 1 by default, and where `beta x` is above `threshold`, 20 by default, x
 * itself. Any shape, kept.
 */
export class Softplus extends layerOf(softplus, known.softplusOptions) {}
/** `x / (1 + |x|)` of each element. Any shape, kept. */
export class Softsign extends layerOf(softsign) {}
/** `x` moved towards 0 by `lambda`, 0.5 by default, and 0 within it. Any shape, kept. */
export class Softshrink extends layerOf(softshrink, is.optional(is.nonNegative)) {}
/** `x` where `|x|` is above `lambda`, 0.5 by default, else 0. Any shape, kept. */
export class Hardshrink extends layerOf(hardshrink, is.optional(is.nonNegative)) {}
/** `x` where it is above `threshold`, else `value`: `new Threshold(0.1, 20)`. Any shape, kept. */
export class Threshold extends layerOf(threshold, is.number, is.number) {}
/** Positive numbers whose sum along `dim` is 1: `exp(x) / sum(exp(x))`. Any shape, kept: `new Softmax(-1)`. */
export class Softmax extends layerOf(softmax, is.integer) {}
/** The logarithm of softmax along `dim`, computed without overflow. Any shape, kept: `new LogSoftmax(-1)`. */
export class LogSoftmax extends layerOf(logSoftmax, is.integer) {}
/** Softmax of `-x` along `dim`. Any shape, kept. */
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
