import { log1p, logSigmoid, sigmoid, softplus, Tensor, tanh, tensor } from '@gradgate/core';
import { checkTensors, show } from '@gradgate/core/internal';
import { type Constraint, elementwise, positive, real, unitInterval } from './constraints.js';
import type { TensorLike } from './distribution.js';

/** A function with a reverse, element by element, rising or falling throughout. */
export interface Transform {
  /** What the results are. */
  readonly codomain: Constraint;
  forward(x: Tensor): Tensor;
  /** The `x` that `forward` made `y` of. */
  inverse(y: Tensor): Tensor;
  /** The logarithm of the size of the derivative at `x`, where `y` is `forward(x)`. */
  logAbsDerivative(x: Tensor, y: Tensor): Tensor;
  /** Whether it rises: a tensor of bool where that differs. */
  readonly rises: boolean | Tensor;
}

/** `exp(x)`: makes of any number one above 0. */
export class ExpTransform implements Transform {
  readonly codomain = positive;
  readonly rises = true;
  forward(x: Tensor): Tensor {
    checkTensors('ExpTransform.forward', x);
    return x.exp();
  }
  inverse(y: Tensor): Tensor {
    checkTensors('ExpTransform.inverse', y);
    return y.log();
  }
  logAbsDerivative(x: Tensor): Tensor {
    checkTensors('ExpTransform.logAbsDerivative', x);
    return x;
  }
}

/** `loc + scale x`, for a scale that is not 0. */
export class AffineTransform implements Transform {
  readonly codomain = real;
  readonly loc: Tensor;
  readonly scale: Tensor;
  constructor(loc: TensorLike, scale: TensorLike) {
    this.loc = asTensor('AffineTransform', loc);
    this.scale = asTensor('AffineTransform', scale);
  }
  get rises(): Tensor {
    return this.scale.detach().gt(0);
  }
  forward(x: Tensor): Tensor {
    checkTensors('AffineTransform.forward', x);
    return this.loc.add(this.scale.mul(x));
  }
  inverse(y: Tensor): Tensor {
    checkTensors('AffineTransform.inverse', y);
    return y.sub(this.loc).div(this.scale);
  }
  logAbsDerivative(x: Tensor): Tensor {
    checkTensors('AffineTransform.logAbsDerivative', x);
    return this.scale.abs().log().add(x.detach().mul(0));
  }
}

function asTensor(op: string, value: TensorLike): Tensor {
  if (Tensor.is(value)) return value;
  if (typeof value !== 'number') throw new TypeError(`${op}: expected a Tensor or a number, got ${show(value)}`);
  return tensor(value);
}

/** `1 / (1 + exp(-x))`: makes of any number one between 0 and 1. */
export class SigmoidTransform implements Transform {
  readonly codomain = unitInterval;
  readonly rises = true;
  forward(x: Tensor): Tensor {
    checkTensors('SigmoidTransform.forward', x);
    return sigmoid(x);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('SigmoidTransform.inverse', y);
    return y.log().sub(log1p(y.neg()));
  }
  logAbsDerivative(x: Tensor): Tensor {
    checkTensors('SigmoidTransform.logAbsDerivative', x);
    return logSigmoid(x).add(logSigmoid(x.neg()));
  }
}

/** `tanh(x)`: makes of any number one between -1 and 1, as for bounded actions. */
export class TanhTransform implements Transform {
  readonly codomain = elementwise('from -1 to 1', (x) => x.abs().le(1));
  readonly rises = true;
  forward(x: Tensor): Tensor {
    checkTensors('TanhTransform.forward', x);
    return tanh(x);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('TanhTransform.inverse', y);
    return y.atanh();
  }
  logAbsDerivative(x: Tensor): Tensor {
    checkTensors('TanhTransform.logAbsDerivative', x);
    // 2 (log 2 - x - softplus(-2 x)): exact for large x, where 1 - tanh² is not.
    return x
      .add(softplus(x.mul(-2)))
      .sub(Math.LN2)
      .mul(-2);
  }
}

/** `log(1 + exp(x))`: makes of any number one above 0. */
export class SoftplusTransform implements Transform {
  readonly codomain = positive;
  readonly rises = true;
  forward(x: Tensor): Tensor {
    checkTensors('SoftplusTransform.forward', x);
    return softplus(x);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('SoftplusTransform.inverse', y);
    return y.neg().expm1().neg().log().add(y);
  }
  logAbsDerivative(x: Tensor): Tensor {
    checkTensors('SoftplusTransform.logAbsDerivative', x);
    return logSigmoid(x);
  }
}
