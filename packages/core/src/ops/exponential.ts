import * as loops from '../backend/host/loops.js';
import { isFloat, toFloat } from '../memory/dtype.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import {
  applyUnary,
  binary,
  fusedGradient,
  type TensorLike,
  type UnaryRule,
  unary,
  unaryOperator,
  withInPlace,
  zerosFor,
} from './define.js';
import { add, div, log, mul, neg, sigmoid, sub } from './elementwise.js';
import type * as self from './exponential.js';
import { logicalAnd } from './logical.js';
import { eq, le } from './relational.js';
import { where } from './where.js';

const squareRule: UnaryRule = {
  loop: loops.square,
  forward: (x) => x * x,
  integer: (x) => Math.imul(x, x),
  exact: (x) => x * x,
  ofBool: 'int64',
  backward: (g, x) => squareGradient(g, x),
  saves: 'input',
  keepsIntegers: true,
};

/**
 * `x²` of each element. The result has the shape of `x`.
 *
 * ```ts
 * square(tensor([2, -3])); // [4, 9]
 * ```
 */
export const square = unary('square', squareRule);

const squareGradient = fusedGradient('squareGradient', {
  forward: (g, x) => 2 * g * x,
  loop: loops.squareGradient,
  recorded: (g, x) => mul(g, mul(x, 2)),
});

/**
 * `exp(x) - 1` of each element, accurate near 0. The result has the shape of `x`.
 *
 * ```ts
 * expm1(tensor([0, 1])); // [0, 1.718]
 * ```
 */
export const expm1 = unary('expm1', {
  forward: Math.expm1,
  backward: (g, _, y) => mul(g, add(y, 1)),
  saves: 'result',
});

/**
 * `2 ** x` of each element. The result has the shape of `x`.
 *
 * ```ts
 * exp2(tensor([0, 3])); // [1, 8]
 * ```
 */
export const exp2 = unary('exp2', {
  forward: (x) => 2 ** x,
  backward: (g, _, y) => mul(g, mul(y, Math.LN2)),
  saves: 'result',
});

/**
 * `log(1 + x)` of each element, accurate near 0; -Infinity at -1, NaN below. The result has the shape of `x`.
 *
 * ```ts
 * log1p(tensor([0, 1])); // [0, 0.6931]
 * ```
 */
export const log1p = unary('log1p', {
  forward: Math.log1p,
  backward: (g, x) => div(g, add(x, 1)),
  saves: 'input',
});

/**
 * The logarithm to base 2 of each element: -Infinity at 0, NaN below. The result has the shape of `x`.
 *
 * ```ts
 * log2(tensor([1, 8])); // [0, 3]
 * ```
 */
export const log2 = unary('log2', { forward: Math.log2, backward: (g, x) => div(g, mul(x, Math.LN2)), saves: 'input' });

/**
 * The logarithm to base 10 of each element: -Infinity at 0, NaN below. The result has the shape of `x`.
 *
 * ```ts
 * log10(tensor([1, 100])); // [0, 2]
 * ```
 */
export const log10 = unary('log10', {
  forward: Math.log10,
  backward: (g, x) => div(g, mul(x, Math.LN10)),
  saves: 'input',
});

/**
 * `1 / sqrt(x)` of each element: Infinity at 0, NaN below. The result has the shape of `x`.
 *
 * ```ts
 * rsqrt(tensor([4, 25])); // [0.5, 0.2]
 * ```
 */
export const rsqrt = unary('rsqrt', {
  forward: (x) => 1 / Math.sqrt(x),
  backward: (g, _, y) => rsqrtGradient(g, y),
  saves: 'result',
});

const rsqrtGradient = fusedGradient('rsqrtGradient', {
  forward: (g, y) => -0.5 * g * y * y * y,
  loop: loops.rsqrtGradient,
  recorded: (g, y) => mul(g, mul(mul(y, mul(y, y)), -0.5)),
});

/**
 * `1 / x` of each element. The result has the shape of `x` and is floating point.
 *
 * ```ts
 * reciprocal(tensor([4, 5])); // [0.25, 0.2]
 * ```
 */
export const reciprocal = unary('reciprocal', {
  forward: (x) => 1 / x,
  backward: (g, _, y) => reciprocalGradient(g, y),
  saves: 'result',
});

const reciprocalGradient = fusedGradient('reciprocalGradient', {
  forward: (g, y) => -g * y * y,
  loop: loops.reciprocalGradient,
  recorded: (g, y) => neg(mul(g, square(y))),
});

/**
 * `a ** b`, with broadcasting. 1 to any power is 1, and so is -1 to an infinite one: as in C, unlike in JavaScript.
 *
 * ```ts
 * pow(tensor([2, 3]), 2); // [4, 9]
 * ```
 */
export function pow(a: TensorLike, b: TensorLike): Tensor {
  const constant = typeof b === 'number' && Tensor.is(a) && isFloat(a.dtype);
  return constant ? powOf(a, b) : powOfTensors(a, b);
}

const power = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;

/** `x ** exponent`, where the exponent has no gradient. */
const powOf = (x: Tensor, exponent: number): Tensor =>
  exponent === 2 ? applyUnary(squareAsPower, x) : applyUnary(powerOperator, x, [exponent]);

const squareAsPower = unaryOperator('pow', { ...squareRule, name: 'square' });

const powerOperator = unaryOperator('pow', {
  forward: power,
  backward: (g, x, _, [exponent]) => (exponent === 0 ? zerosFor(g) : mul(g, mul(pow(x, exponent! - 1), exponent!))),
  saves: 'input',
});

const powOfTensors = binary('pow', {
  forward: power,
  backward: [
    (g, a, b) => mul(g, where(eq(b, 0), 0, mul(b, pow(a, sub(b, 1))))),
    (g, a, b) => {
      const p = pow(a, b);
      // 0 where `a` is 0 and its power is finite.
      return mul(g, where(eq(a, mul(p, 0)), 0, mul(p, log(a))));
    },
  ],
  saves: true,
  integer: (a, b) => integerPower(a, b, Math.imul),
  exact: (a, b) => {
    const wrapped = (p: bigint, q: bigint) => BigInt.asIntN(64, p * q);
    if (b < 0n) return a === 1n ? 1n : a === -1n ? (b % 2n === 0n ? 1n : -1n) : 0n;
    let [result, square] = [1n, a];
    for (let rest = b; rest > 0n; rest >>= 1n, square = wrapped(square, square))
      if (rest & 1n) result = wrapped(result, square);
    return result;
  },
});

/** By repeated squaring, whose products wrap like single ones. A negative power is 0, except for 1 and -1. */
function integerPower(a: number, b: number, times: (p: number, q: number) => number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
  let [result, square] = [1, a];
  for (let rest = b; rest > 0; rest = Math.floor(rest / 2), square = times(square, square))
    if (rest % 2 === 1) result = times(result, square);
  return result;
}

/**
 * `log(exp(a) + exp(b))` without overflow; elementwise with broadcasting.
 *
 * ```ts
 * logaddexp(tensor([0]), tensor([0])); // [0.6931]
 * ```
 */
export const logaddexp = binary('logaddexp', {
  forward: (a, b) => (a === b ? a + Math.LN2 : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))),
  backward: [(g, a, b) => mul(g, sigmoid(sub(a, b))), (g, a, b) => mul(g, sigmoid(sub(b, a)))],
  saves: true,
  dtype: toFloat,
});

/**
 * `a * log(b)`, and 0 where `a` is 0 unless `b` is NaN; elementwise with broadcasting.
 *
 * ```ts
 * xlogy(tensor([0, 2]), tensor([0, Math.E])); // [0, 2]
 * ```
 */
export const xlogy = binary('xlogy', {
  forward: (a, b) => (a === 0 && !Number.isNaN(b) ? 0 : a * Math.log(b)),
  backward: [(g, a, b) => where(logicalAnd(eq(a, 0), le(b, 0)), 0, xlogy(g, b)), (g, a, b) => mul(g, div(a, b))],
  saves: true,
  dtype: toFloat,
});

const plain = {
  logaddexp,
};
methods(plain);

const withForms = {
  square,
  expm1,
  exp2,
  log1p,
  log2,
  log10,
  rsqrt,
  reciprocal,
  pow,
  xlogy,
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
