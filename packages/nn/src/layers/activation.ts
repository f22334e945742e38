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
import { check, is, options as known, show } from '@gradgate/core/internal';
import { rrelu, softmin, threshold } from '../functions/activation.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { checkLayer } from './checkLayer.js';
import { layerOf } from './layerOf.js';

/**
 * `max(x, 0)` of each element. Any shape; the output has the same.
 *
 * ```ts
 * new ReLU()(tensor([-1, 0, 2])); // [0, 0, 2]
 * ```
 */
export class ReLU extends layerOf(relu) {}

/**
 * `min(max(x, 0), 6)` of each element. Any shape; the output has the same.
 *
 * ```ts
 * new ReLU6()(tensor([-1, 3, 8])); // [0, 3, 6]
 * ```
 */
export class ReLU6 extends layerOf(relu6) {}

/**
 * `x` where it is positive, otherwise `negativeSlope * x`; `negativeSlope` is 0.01 by default. Any shape; the output
 * has the same.
 *
 * ```ts
 * new LeakyReLU(0.1)(tensor([-1, 2])); // [-0.1, 2]
 * ```
 */
export class LeakyReLU extends layerOf(leakyRelu, is.optional(is.number)) {}

/**
 * `x` where it is positive, otherwise `alpha * (exp(x) - 1)` (Clevert et al., 2015); alpha is 1 by default. Any shape;
 * the output has the same.
 *
 * ```ts
 * new ELU({ alpha: 2 })(tensor([-1, 2])); // [-1.264, 2]
 * ```
 */
export class ELU extends layerOf(elu, known.eluOptions) {}

/**
 * `max(0, x) + min(0, alpha (exp(x / alpha) - 1))` (Barron, 2017); alpha is 1 by default. Any shape; the output has the
 * same.
 *
 * ```ts
 * new CELU({ alpha: 2 })(tensor([-1, 2])); // [-0.7869, 2]
 * ```
 */
export class CELU extends layerOf(celu, known.celuOptions) {}

/**
 * ELU with the scale and alpha that keep mean 0 and variance 1 (Klambauer et al., 2017). Any shape; the output has the
 * same.
 *
 * ```ts
 * new SELU()(tensor([-1, 2])); // [-1.111, 2.101]
 * ```
 */
export class SELU extends layerOf(selu) {}

/**
 * `x * Φ(x)`, where Φ is the distribution function of the standard normal distribution (Hendrycks and Gimpel, 2016).
 * With `{ approximate: 'tanh' }` it is approximated by tanh, as in GPT-2. Any shape; the output has the same.
 *
 * ```ts
 * new GELU()(tensor([-1, 2])); // [-0.1587, 1.954]
 * ```
 */
export class GELU extends layerOf(gelu, known.geluOptions) {}

/**
 * `x sigmoid(x)`, also called swish. Any shape; the output has the same.
 *
 * ```ts
 * new SiLU()(tensor([-1, 2])); // [-0.2689, 1.762]
 * ```
 */
export class SiLU extends layerOf(silu) {}

/**
 * `x tanh(softplus(x))` (Misra, 2019). Any shape; the output has the same.
 *
 * ```ts
 * new Mish()(tensor([-1, 2])); // [-0.3034, 1.944]
 * ```
 */
export class Mish extends layerOf(mish) {}

/**
 * `a * sigmoid(b)`, where `a` and `b` are the halves of `x` along `dim`, the last dimension by default (Dauphin et al.,
 * 2016). The output has half the size there. Throws where that size is odd.
 *
 * ```ts
 * new GLU()(tensor([[1, 2, 0, 0]])); // [[0.5, 1]]
 * ```
 */
export class GLU extends layerOf(glu, is.optional(is.integer)) {}

/**
 * `1 / (1 + exp(-x))` of each element. Any shape; the output has the same.
 *
 * ```ts
 * new Sigmoid()(tensor([0, 2])); // [0.5, 0.8808]
 * ```
 */
export class Sigmoid extends layerOf(sigmoid) {}

/**
 * `log(sigmoid(x))`, computed without overflow. Any shape; the output has the same.
 *
 * ```ts
 * new LogSigmoid()(tensor([0, -100])); // [-0.6931, -100]
 * ```
 */
export class LogSigmoid extends layerOf(logSigmoid) {}

/**
 * `x / 6 + 1/2`, clamped to [0, 1]. Any shape; the output has the same.
 *
 * ```ts
 * new Hardsigmoid()(tensor([-4, 0, 4])); // [0, 0.5, 1]
 * ```
 */
export class Hardsigmoid extends layerOf(hardsigmoid) {}

/**
 * `x hardsigmoid(x)` (Howard et al., 2019). Any shape; the output has the same.
 *
 * ```ts
 * new Hardswish()(tensor([-4, 1, 4])); // [0, 0.6667, 4]
 * ```
 */
export class Hardswish extends layerOf(hardswish) {}

/**
 * `x` clamped to [`min`, `max`], which are -1 and 1 by default. Any shape; the output has the same.
 *
 * ```ts
 * new Hardtanh()(tensor([-3, 0.5, 3])); // [-1, 0.5, 1]
 * ```
 */
export class Hardtanh extends layerOf(hardtanh, known.hardtanhOptions) {}

/**
 * The hyperbolic tangent of each element. Any shape; the output has the same.
 *
 * ```ts
 * new Tanh()(tensor([0, 1])); // [0, 0.7616]
 * ```
 */
export class Tanh extends layerOf(tanh) {}

/**
 * `x - tanh(x)` of each element. Any shape; the output has the same.
 *
 * ```ts
 * new Tanhshrink()(tensor([0, 1])); // [0, 0.2384]
 * ```
 */
export class Tanhshrink extends layerOf(tanhshrink) {}

/**
 * `log(1 + exp(beta * x)) / beta`; `beta` is 1 by default. Where `beta * x` is above `threshold`, 20 by default, it is
 * `x`. Any shape; the output has the same.
 *
 * ```ts
 * new Softplus()(tensor([0, 30])); // [0.6931, 30]
 * ```
 */
export class Softplus extends layerOf(softplus, known.softplusOptions) {}

/**
 * `x / (1 + |x|)` of each element. Any shape; the output has the same.
 *
 * ```ts
 * new Softsign()(tensor([-1, 3])); // [-0.5, 0.75]
 * ```
 */
export class Softsign extends layerOf(softsign) {}

/**
 * Moves `x` towards 0 by `lambda`, 0.5 by default, and gives 0 where `|x|` is at most that. Any shape; the output has
 * the same.
 *
 * ```ts
 * new Softshrink()(tensor([-2, 0.3, 2])); // [-1.5, 0, 1.5]
 * ```
 */
export class Softshrink extends layerOf(softshrink, is.optional(is.nonNegative)) {}

/**
 * `x` where `|x|` is above `lambda`, 0.5 by default, otherwise 0. Any shape; the output has the same.
 *
 * ```ts
 * new Hardshrink()(tensor([-2, 0.3, 2])); // [-2, 0, 2]
 * ```
 */
export class Hardshrink extends layerOf(hardshrink, is.optional(is.nonNegative)) {}

/**
 * `x` where it is above `threshold`, otherwise `value`. Any shape; the output has the same.
 *
 * ```ts
 * new Threshold(0.1, 20)(tensor([0, 1])); // [20, 1]
 * ```
 */
export class Threshold extends layerOf(threshold, is.number, is.number) {}

/**
 * The softmax along `dim`, `exp(x) / sum(exp(x))`: positive numbers that add up to 1. Any shape; the output has the
 * same.
 *
 * ```ts
 * new Softmax(-1)(tensor([[0, 0]])); // [[0.5, 0.5]]
 * ```
 */
export class Softmax extends layerOf(softmax, is.integer) {}

/**
 * The logarithm of the softmax along `dim`, computed without overflow. Any shape; the output has the same.
 *
 * ```ts
 * new LogSoftmax(-1)(tensor([[0, 0]])); // [[-0.6931, -0.6931]]
 * ```
 */
export class LogSoftmax extends layerOf(logSoftmax, is.integer) {}

/**
 * The softmax of `-x` along `dim`: smaller numbers get more weight. Any shape; the output has the same.
 *
 * ```ts
 * new Softmin(-1)(tensor([[0, 1]])); // [[0.7311, 0.2689]]
 * ```
 */
export class Softmin extends layerOf(softmin, is.integer) {}

const preluOptions = { init: is.number };

/**
 * `x` where it is positive, otherwise `weight * x` (He et al., 2015). Parameter: `weight` `[numParameters]`, one slope
 * (the default) or one for each channel (dimension 1); it starts at `init`, 0.25 by default. Any shape; the output has
 * the same.
 *
 * ```ts
 * new PReLU()(tensor([[-4, 4]])); // [[-1, 4]]
 * ```
 */
export class PReLU extends Module {
  /** The slope below 0: one for all channels, or one for each. */
  weight: Parameter;

  constructor(numParameters = 1, options?: { init?: number }) {
    super();
    const { init = 0.25 } = checkLayer('PReLU', { numParameters }, options, preluOptions, is.count);
    this.weight = new Parameter(full([numParameters], init));
  }

  override forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }

  override extraRepr(): string {
    return `numParameters=${this.weight.numel}`;
  }
}

/**
 * Leaky ReLU with random slopes (Xu et al., 2015): in training each element gets its own, uniform in [`lower`,
 * `upper`), 1/8 and 1/3 by default; in eval the slope is the mean of the two. Any shape; the output has the same.
 *
 * ```ts
 * new RReLU(0.1, 0.3).eval()(tensor([-1, 2])); // [-0.2, 2]
 * ```
 */
export class RReLU extends Module {
  constructor(
    /** The least slope below 0. */
    readonly lower = 1 / 8,
    /** The largest slope below 0. */
    readonly upper = 1 / 3,
  ) {
    super();
    check('RReLU', 'lower', lower, is.number);
    check('RReLU', 'upper', upper, is.number);
    if (!(lower <= upper))
      throw new RangeError(`RReLU: lower must not exceed upper, got ${show(lower)} and ${show(upper)}`);
  }

  override forward(x: Tensor): Tensor {
    return rrelu(x, { lower: this.lower, upper: this.upper, training: this.training });
  }

  override extraRepr(): string {
    return `lower=${this.lower}, upper=${this.upper}`;
  }
}
