import { DTypeError, logicalAnd, ShapeError, type Tensor } from '@gradgate/core';
import { check, checkTensors, is, isFloat, kernelsOf } from '@gradgate/core/internal';

/** A condition on the elements of a parameter or a value. */
export interface Constraint {
  /** The condition in words, as in "scale is above 0". */
  readonly text: string;
  /** Throws an error that names the first element that violates it. */
  check(op: string, name: string, value: Tensor): void;
  /** The bounds, where it is about numbers between or beyond tensors. */
  readonly bounds?: { readonly low?: Tensor | number; readonly high?: Tensor | number };
}

/** The conditions on parameters, by their names. */
export type ArgConstraints<Names extends string = string> = Readonly<Record<Names, Constraint>>;

/**
 * Throws the error of `refuse` unless `ok` is true everywhere. Devices that are read asynchronously are not checked.
 */
export function checkAll(op: string, ok: Tensor, refuse: () => Error): void {
  kernelsOf(op, ok).checkRange(ok, 1, 1, refuse);
}

function checkValue(op: string, value: Tensor): void {
  check('constraint', 'op', op, is.string);
  checkTensors(op, value);
}

/** A constraint on each element, where `holds` returns bool. */
export function elementwise(text: string, holds: (x: Tensor) => Tensor, ofFloats = true): Constraint {
  return {
    text,
    check(op, name, value) {
      checkValue(op, value);
      if (ofFloats && !isFloat(value.dtype))
        throw new DTypeError(op, `${name} must be floating point, got ${value.dtype}; use .float()`);
      const ok = holds(value.detach());
      checkAll(op, ok, () => {
        const wrong = value.detach().expand(ok.shape).flatten().select(0, ok.flatten().int().argmin().item());
        return new RangeError(`${op}: ${name} must be ${text}, got ${wrong.item()}`);
      });
    },
  };
}

const isCount = (x: Tensor): Tensor => (x.dtype === 'bool' ? x.ge(0) : logicalAnd(x.ge(0), x.eq(x.floor())));

/** Numbers, which NaN is not. */
export const real = elementwise('a number', (x) => x.eq(x));
/** Numbers above 0. */
export const positive = elementwise('above 0', (x) => x.gt(0));
/** Numbers from 0 up. */
export const nonNegative = elementwise('from 0 up', (x) => x.ge(0));
/** Numbers from 0 to 1. */
export const unitInterval = elementwise('from 0 to 1', (x) => logicalAnd(x.ge(0), x.le(1)));
/** 0 and 1, or booleans. */
export const zeroOrOne = elementwise('0 or 1', (x) => x.eq(0).logicalOr(x.eq(1)), false);
/** Whole numbers from 0 up. */
export const count = elementwise('a whole number from 0 up', isCount, false);

/** Numbers between two numbers or tensors, inclusive. */
export const between = (low: Tensor | number, high: Tensor | number): Constraint => ({
  ...elementwise('within the bounds', (x) => logicalAnd(x.ge(low), x.le(high))),
  bounds: { low, high },
});

/** Numbers from a tensor up. */
export const atLeast = (low: Tensor | number): Constraint => ({
  ...elementwise('from the scale up', (x) => x.ge(low)),
  bounds: { low },
});

/** Numbers above a number or a tensor. */
export const greaterThan = (low: Tensor | number): Constraint => ({
  ...elementwise('above the bound', (x) => x.gt(low)),
  bounds: { low },
});

/** Numbers below a number or a tensor. */
export const lessThan = (high: Tensor | number): Constraint => ({
  ...elementwise('below the bound', (x) => x.lt(high)),
  bounds: { high },
});

/** Whole numbers from 0 to `high`, a number or a tensor, inclusive. */
export const wholeUpTo = (high: Tensor | number): Constraint =>
  elementwise(
    typeof high === 'number' ? `a whole number from 0 to ${high}` : 'a whole number from 0 to the count',
    (x) => logicalAnd(isCount(x), x.le(high)),
    false,
  );

/** Vectors of numbers (not NaN), along the last dimension. */
export const realVector: Constraint = {
  text: 'a vector of numbers',
  check(op, name, value) {
    checkVector(op, name, value);
    real.check(op, name, value);
  },
};

/** Nonnegative vectors that add up to 1, along the last dimension. */
export const simplex: Constraint = {
  text: 'a vector from 0 up with sum 1',
  check(op, name, value) {
    checkVector(op, name, value);
    nonNegative.check(op, name, value);
    const sums = value.detach().sum(-1);
    const tolerance = 1e-6 * Math.max(value.shape.at(-1)!, 1) + 1e-6;
    checkAll(op, sums.sub(1).abs().lt(tolerance), () => {
      const [least, most] = [sums.amin().item(), sums.amax().item()];
      return new RangeError(`${op}: ${name} must be ${this.text}, got sums from ${least} to ${most}`);
    });
  },
};

/** Lower triangular matrices with a positive diagonal. */
export const lowerCholesky: Constraint = {
  text: 'a lower triangular matrix with a diagonal above 0',
  check(op, name, value) {
    checkMatrix(op, name, value);
    const t = value.detach();
    const refuse = () => new RangeError(`${op}: ${name} is ${this.text}`);
    checkAll(op, t.tril().eq(t), refuse);
    checkAll(op, t.diagonal(0, -2, -1).gt(0), refuse);
  },
};

/** The same with rows of norm 1: factors of correlation matrices. */
export const corrCholesky: Constraint = {
  text: 'a lower triangular matrix with a diagonal above 0 and rows of norm 1',
  check(op, name, value) {
    lowerCholesky.check(op, name, value);
    const norms = value.detach().square().sum(-1);
    checkAll(op, norms.sub(1).abs().lt(1e-4), () => new RangeError(`${op}: ${name} is ${this.text}`));
  },
};

/** Symmetric matrices; whether they are positive definite is found when they are factorized. */
export const symmetric: Constraint = {
  text: 'a symmetric matrix',
  check(op, name, value) {
    checkMatrix(op, name, value);
    const t = value.detach();
    const ok = t.sub(t.transpose(-1, -2)).abs().le(t.abs().amax().mul(1e-5));
    checkAll(op, ok, () => new RangeError(`${op}: ${name} is ${this.text}`));
  },
};

function checkVector(op: string, name: string, value: Tensor): void {
  checkValue(op, value);
  if (value.ndim < 1) throw new ShapeError(op, `${name} must have at least one dimension, got []`);
}

function checkMatrix(op: string, name: string, value: Tensor): void {
  checkValue(op, value);
  const { ndim, shape } = value;
  if (ndim < 2 || shape.at(-1) !== shape.at(-2))
    throw new ShapeError(op, `${name} must be square matrices [..., n, n], got [${shape.join(', ')}]`);
}

/** One-hot vectors, along the last dimension. */
export const oneHot: Constraint = {
  text: 'a vector of which one element is 1 and the others 0',
  check(op, name, value) {
    checkVector(op, name, value);
    zeroOrOne.check(op, name, value);
    checkAll(op, value.detach().sum(-1).eq(1), () => new RangeError(`${op}: ${name} is ${this.text}`));
  },
};
