import type { Tensor } from '@gradgate/core';
import * as core from '@gradgate/core';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';

/** A module class around an elementwise function without options. */
function elementwise(name: string, fn: (x: Tensor) => Tensor) {
  const type = class extends Module {
    override forward(x: Tensor): Tensor {
      return fn(x);
    }
  };
  Object.defineProperty(type, 'name', { value: name });
  return type;
}

/** `max(x, 0)`. */
export class ReLU extends elementwise('ReLU', core.relu) {}
export class ReLU6 extends elementwise('ReLU6', core.relu6) {}
export class Sigmoid extends elementwise('Sigmoid', core.sigmoid) {}
export class Tanh extends elementwise('Tanh', core.tanh) {}
/** `x * sigmoid(x)`. */
export class SiLU extends elementwise('SiLU', core.silu) {}
export class Mish extends elementwise('Mish', core.mish) {}
export class SELU extends elementwise('SELU', core.selu) {}
export class Hardswish extends elementwise('Hardswish', core.hardswish) {}
export class Hardsigmoid extends elementwise('Hardsigmoid', core.hardsigmoid) {}
export class Softsign extends elementwise('Softsign', core.softsign) {}
export class Tanhshrink extends elementwise('Tanhshrink', core.tanhshrink) {}
export class LogSigmoid extends elementwise('LogSigmoid', core.logSigmoid) {}

export class GELU extends Module {
  constructor(readonly options: { approximate?: 'none' | 'tanh' } = {}) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return core.gelu(x, this.options);
  }
}

export class LeakyReLU extends Module {
  constructor(readonly negativeSlope = 0.01) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return core.leakyRelu(x, this.negativeSlope);
  }
}

/** `LeakyReLU` whose slope is learned: one for all channels, or one for each. */
export class PReLU extends Module {
  readonly weight: Parameter;
  constructor(channels = 1, init = 0.25) {
    super();
    this.weight = new Parameter(core.full([channels], init));
  }
  override forward(x: Tensor): Tensor {
    return core.prelu(x, this.weight);
  }
}

export class ELU extends Module {
  constructor(readonly alpha = 1) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return core.elu(x, { alpha: this.alpha });
  }
}

export class Softplus extends Module {
  constructor(readonly options: { beta?: number; threshold?: number } = {}) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return core.softplus(x, this.options);
  }
}

export class Hardtanh extends Module {
  constructor(readonly options: { min?: number; max?: number } = {}) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return core.hardtanh(x, this.options);
  }
}

export class Softmax extends Module {
  constructor(readonly dim: number) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return core.softmax(x, this.dim);
  }
}

export class LogSoftmax extends Module {
  constructor(readonly dim: number) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return core.logSoftmax(x, this.dim);
  }
}

export class GLU extends Module {
  constructor(readonly dim = -1) {
    super();
  }
  override forward(x: Tensor): Tensor {
    return core.glu(x, this.dim);
  }
}
