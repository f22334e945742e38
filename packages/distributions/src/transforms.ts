import { log1p, logSigmoid, sigmoid, softplus, Tensor, tanh, tensor } from '@gradgate/core';
import { check, checkTensors, is, show } from '@gradgate/core/internal';
import { type Constraint, elementwise, positive, real, unitInterval } from './constraints.js';
import type { TensorLike } from './distribution.js';

/** An invertible, monotonic function of each element. */
export interface Transform {
  /** The condition on the results. */
  readonly codomain: Constraint;
  /** Applies the function. */
  forward(x: Tensor): Tensor;
  /** Applies the inverse function. */
  inverse(y: Tensor): Tensor;
  /** Returns the logarithm of the derivative's size at `x`, where `y` is `forward(x)`. */
  logAbsDerivative(x: Tensor, y: Tensor): Tensor;
  /** Whether the function is increasing, as a bool tensor if that differs between elements. */
  readonly rises: boolean | Tensor;
}

/** `exp(x)`, from real to positive numbers. */
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

/** `loc + scale * x`, for a scale other than 0. */
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
  if (typeof value !== 'number') throw new TypeError(`${op}: takes a Tensor or a number, got ${show(value)}`);
  return tensor(value);
}

/** `1 / (1 + exp(-x))`, from real numbers to numbers between 0 and 1. */
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

/** `tanh(x)`, from real numbers to numbers between -1 and 1, such as bounded actions. */
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
    // 2 * (log 2 - x - softplus(-2 * x)), which is accurate for large x, where 1 - tanh² is not.
    return x
      .add(softplus(x.mul(-2)))
      .sub(Math.LN2)
      .mul(-2);
  }
}

/** `log(1 + exp(x))`, from real to positive numbers. */
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

/** `x` to the power `exponent`, of numbers above 0. */
export class PowerTransform implements Transform {
  readonly codomain = positive;
  readonly exponent: Tensor;
  constructor(exponent: TensorLike) {
    this.exponent = asTensor('PowerTransform', exponent);
  }
  get rises(): Tensor {
    return this.exponent.detach().gt(0);
  }
  forward(x: Tensor): Tensor {
    checkTensors('PowerTransform.forward', x);
    return x.pow(this.exponent);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('PowerTransform.inverse', y);
    return y.pow(this.exponent.reciprocal());
  }
  logAbsDerivative(x: Tensor, y: Tensor): Tensor {
    checkTensors('PowerTransform.logAbsDerivative', x, y);
    return this.exponent.mul(y).div(x).abs().log();
  }
}

/** The transforms of a list, one after another, as one. */
export class ComposeTransform implements Transform {
  readonly parts: readonly Transform[];
  constructor(parts: readonly Transform[]) {
    check('ComposeTransform', 'parts', parts, is.arrayOf(transform));
    if (parts.length === 0) throw new TypeError('ComposeTransform: takes one transform at least, got none');
    this.parts = [...parts];
  }
  get codomain(): Constraint {
    return this.parts.at(-1)!.codomain;
  }
  get rises(): boolean | Tensor {
    return this.parts.map(({ rises }) => rises).reduce(together);
  }
  forward(x: Tensor): Tensor {
    return this.parts.reduce((y, t) => t.forward(y), x);
  }
  inverse(y: Tensor): Tensor {
    return this.parts.reduceRight((x, t) => t.inverse(x), y);
  }
  logAbsDerivative(x: Tensor): Tensor {
    checkTensors('ComposeTransform.logAbsDerivative', x);
    let at = x;
    return this.parts
      .map((t) => {
        const [from, to] = [at, t.forward(at)];
        at = to;
        return t.logAbsDerivative(from, to);
      })
      .reduce((a, b) => a.add(b));
  }
}

/** Two that rise, or two that fall, rise together. */
const together = (a: boolean | Tensor, b: boolean | Tensor): boolean | Tensor =>
  Tensor.is(a) ? a.eq(b) : Tensor.is(b) ? b.eq(a) : a === b;

/** What has the functions of a transform. */
export const transform = {
  text: 'a transform',
  is: (t: unknown) =>
    typeof (t as Transform | null)?.forward === 'function' && typeof (t as Transform).inverse === 'function',
};
