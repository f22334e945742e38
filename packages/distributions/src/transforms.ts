import { log1p, logSigmoid, type Shape, sigmoid, softplus, Tensor, tanh, tensor } from '@gradgate/core';
import { check, checkTensors, is, show } from '@gradgate/core/internal';
import { type Constraint, elementwise, positive, real, unitInterval } from './constraints.js';
import type { TensorLike } from './distribution.js';

/** An invertible function of each element, or of vectors and matrices. */
export interface Transform {
  /** The condition on the results. */
  readonly codomain: Constraint;
  /** Applies the function. */
  forward(x: Tensor): Tensor;
  /** Applies the inverse function. */
  inverse(y: Tensor): Tensor;
  /**
   * Returns the logarithm of the derivative's size at `x`, where `y` is `forward(x)`: for each element, or of the
   * determinant of the derivatives for each vector or matrix.
   */
  logAbsDetJacobian(x: Tensor, y: Tensor): Tensor;
  /**
   * Whether the function is increasing, as a bool tensor if that differs between elements. Of vectors and matrices it
   * says nothing.
   */
  readonly isIncreasing: boolean | Tensor;
  /** How many of the last dimensions of what it takes are one vector (1) or matrix (2); 0 by default, for elements. */
  readonly domainDims?: number;
  /** The same of its results. */
  readonly codomainDims?: number;
  /** The shape of the result for that of what it takes, where they differ. */
  forwardShape?(shape: Shape): Shape;
}

/** How many last dimensions a chain of transforms takes as one event, and how many its results are. */
export function eventDims(transforms: readonly Transform[]): { domainDims: number; codomainDims: number } {
  let before = transforms.at(-1)?.codomainDims ?? 0;
  for (const { domainDims = 0, codomainDims = 0 } of transforms.toReversed())
    before = Math.max(before + domainDims - codomainDims, domainDims);
  let after = transforms[0]?.domainDims ?? 0;
  for (const { domainDims = 0, codomainDims = 0 } of transforms)
    after = Math.max(after + codomainDims - domainDims, codomainDims);
  return { domainDims: before, codomainDims: after };
}

/** `x` summed over its last `dims` dimensions. */
export const sumLast = (x: Tensor, dims: number): Tensor =>
  dims === 0 ? x : x.sum(Array.from({ length: dims }, (_, i) => -1 - i));

/** `exp(x)`, from real to positive numbers. */
export class ExpTransform implements Transform {
  readonly codomain = positive;
  readonly isIncreasing = true;
  forward(x: Tensor): Tensor {
    checkTensors('ExpTransform.forward', x);
    return x.exp();
  }
  inverse(y: Tensor): Tensor {
    checkTensors('ExpTransform.inverse', y);
    return y.log();
  }
  logAbsDetJacobian(x: Tensor): Tensor {
    checkTensors('ExpTransform.logAbsDetJacobian', x);
    return x;
  }
}

/** `loc + scale * x`, for a scale other than 0. */
export class AffineTransform implements Transform {
  readonly codomain = real;
  /** What is added. */
  readonly loc: Tensor;
  /** What is multiplied by. */
  readonly scale: Tensor;
  // As given: numbers are exact beside any dtype.
  readonly #loc: TensorLike;
  readonly #scale: TensorLike;
  constructor(loc: TensorLike, scale: TensorLike) {
    this.loc = asTensor('AffineTransform', loc);
    this.scale = asTensor('AffineTransform', scale);
    this.#loc = loc;
    this.#scale = scale;
  }
  get isIncreasing(): Tensor {
    return this.scale.detach().gt(0);
  }
  forward(x: Tensor): Tensor {
    checkTensors('AffineTransform.forward', x);
    return x.mul(this.#scale).add(this.#loc);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('AffineTransform.inverse', y);
    return y.sub(this.#loc).div(this.#scale);
  }
  logAbsDetJacobian(x: Tensor): Tensor {
    checkTensors('AffineTransform.logAbsDetJacobian', x);
    const scale = this.#scale;
    return x
      .detach()
      .mul(0)
      .add(typeof scale === 'number' ? Math.log(Math.abs(scale)) : scale.abs().log());
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
  readonly isIncreasing = true;
  forward(x: Tensor): Tensor {
    checkTensors('SigmoidTransform.forward', x);
    return sigmoid(x);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('SigmoidTransform.inverse', y);
    return y.log().sub(log1p(y.neg()));
  }
  logAbsDetJacobian(x: Tensor): Tensor {
    checkTensors('SigmoidTransform.logAbsDetJacobian', x);
    return logSigmoid(x).add(logSigmoid(x.neg()));
  }
}

/** `tanh(x)`, from real numbers to numbers between -1 and 1, such as bounded actions. */
export class TanhTransform implements Transform {
  readonly codomain = elementwise('from -1 to 1', (x) => x.abs().le(1));
  readonly isIncreasing = true;
  forward(x: Tensor): Tensor {
    checkTensors('TanhTransform.forward', x);
    return tanh(x);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('TanhTransform.inverse', y);
    return y.atanh();
  }
  logAbsDetJacobian(x: Tensor): Tensor {
    checkTensors('TanhTransform.logAbsDetJacobian', x);
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
  readonly isIncreasing = true;
  forward(x: Tensor): Tensor {
    checkTensors('SoftplusTransform.forward', x);
    return softplus(x);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('SoftplusTransform.inverse', y);
    return y.neg().expm1().neg().log().add(y);
  }
  logAbsDetJacobian(x: Tensor): Tensor {
    checkTensors('SoftplusTransform.logAbsDetJacobian', x);
    return logSigmoid(x);
  }
}

/** `x` to the power `exponent`, of numbers above 0. */
export class PowerTransform implements Transform {
  readonly codomain = positive;
  /** The exponent. */
  readonly exponent: Tensor;
  // As given: a number is exact beside any dtype.
  readonly #exponent: TensorLike;
  constructor(exponent: TensorLike) {
    this.exponent = asTensor('PowerTransform', exponent);
    this.#exponent = exponent;
  }
  get isIncreasing(): Tensor {
    return this.exponent.detach().gt(0);
  }
  forward(x: Tensor): Tensor {
    checkTensors('PowerTransform.forward', x);
    return x.pow(this.#exponent);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('PowerTransform.inverse', y);
    const exponent = this.#exponent;
    return y.pow(typeof exponent === 'number' ? 1 / exponent : exponent.reciprocal());
  }
  logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    checkTensors('PowerTransform.logAbsDetJacobian', x, y);
    return y.mul(this.#exponent).div(x).abs().log();
  }
}

/** The transforms of a list, one after another, as one. */
export class ComposeTransform implements Transform {
  /** The transforms, in the order in which they are applied. */
  readonly parts: readonly Transform[];
  constructor(parts: readonly Transform[]) {
    check('ComposeTransform', 'parts', parts, is.arrayOf(transform));
    if (parts.length === 0) throw new TypeError('ComposeTransform: takes one transform at least, got none');
    this.parts = [...parts];
  }
  get codomain(): Constraint {
    return this.parts.at(-1)!.codomain;
  }
  get isIncreasing(): boolean | Tensor {
    return this.parts.map(({ isIncreasing }) => isIncreasing).reduce(together);
  }
  get domainDims(): number {
    return eventDims(this.parts).domainDims;
  }
  get codomainDims(): number {
    return eventDims(this.parts).codomainDims;
  }
  forwardShape(shape: Shape): Shape {
    return this.parts.reduce((s, t) => t.forwardShape?.(s) ?? s, shape);
  }
  forward(x: Tensor): Tensor {
    return this.parts.reduce((y, t) => t.forward(y), x);
  }
  inverse(y: Tensor): Tensor {
    return this.parts.reduceRight((x, t) => t.inverse(x), y);
  }
  logAbsDetJacobian(x: Tensor): Tensor {
    checkTensors('ComposeTransform.logAbsDetJacobian', x);
    let [at, dims] = [x, this.domainDims];
    return this.parts
      .map((t) => {
        const [from, to] = [at, t.forward(at)];
        const { domainDims = 0, codomainDims = 0 } = t;
        const log = sumLast(t.logAbsDetJacobian(from, to), dims - domainDims);
        [at, dims] = [to, dims + codomainDims - domainDims];
        return log;
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
