import type { BinaryFunction } from '../backend/functions.js';
import * as loops from '../backend/host/loops.js';
import { checkOptions, show } from '../check.js';
import { DTypeError, named } from '../errors.js';
import { isFloat, toFloat } from '../memory/dtype.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, methods, Tensor } from '../tensor/tensor.js';
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
import { add, div, eq, ge, le, log, lt, mul, neg, sigmoid, sqrt, sub, where } from './elementwise.js';
import type * as self from './math.js';

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
 * `x²`.
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
 * `exp(x) - 1`, exact near 0.
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
 * `2^x`.
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
 * `log(1 + x)`, exact near 0.
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
 * The logarithm to base 2.
 *
 * ```ts
 * log2(tensor([1, 8])); // [0, 3]
 * ```
 */
export const log2 = unary('log2', { forward: Math.log2, backward: (g, x) => div(g, mul(x, Math.LN2)), saves: 'input' });
/**
 * The logarithm to base 10.
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
 * `1 / sqrt(x)`.
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
 * `1 / x`.
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
 * The sine, of radians.
 *
 * ```ts
 * sin(tensor([0, Math.PI / 2])); // [0, 1]
 * ```
 */
export const sin = unary('sin', { forward: Math.sin, backward: (g, x) => mul(g, cos(x)), saves: 'input' });
/**
 * The cosine, of radians.
 *
 * ```ts
 * cos(tensor([0, Math.PI])); // [1, -1]
 * ```
 */
export const cos = unary('cos', { forward: Math.cos, backward: (g, x) => neg(mul(g, sin(x))), saves: 'input' });
/**
 * The tangent, of radians.
 *
 * ```ts
 * tan(tensor([0, 1])); // [0, 1.557]
 * ```
 */
export const tan = unary('tan', {
  forward: Math.tan,
  backward: (g, _, y) => mul(g, add(square(y), 1)),
  saves: 'result',
});
/**
 * The inverse sine, in radians from -π/2 to π/2; NaN outside of [-1, 1].
 *
 * ```ts
 * asin(tensor([0, 1])); // [0, 1.571]
 * ```
 */
export const asin = unary('asin', {
  forward: Math.asin,
  backward: (g, x) => div(g, sqrt(sub(1, square(x)))),
  saves: 'input',
});
/**
 * The inverse cosine, in radians from 0 to π; NaN outside of [-1, 1].
 *
 * ```ts
 * acos(tensor([0, 1])); // [1.571, 0]
 * ```
 */
export const acos = unary('acos', {
  forward: Math.acos,
  backward: (g, x) => neg(div(g, sqrt(sub(1, square(x))))),
  saves: 'input',
});
/**
 * The inverse tangent, in radians from -π/2 to π/2.
 *
 * ```ts
 * atan(tensor([0, 1])); // [0, 0.7854]
 * ```
 */
export const atan = unary('atan', {
  forward: Math.atan,
  backward: (g, x) => div(g, add(square(x), 1)),
  saves: 'input',
});
/**
 * The hyperbolic sine.
 *
 * ```ts
 * sinh(tensor([0, 1])); // [0, 1.175]
 * ```
 */
export const sinh = unary('sinh', { forward: Math.sinh, backward: (g, x) => mul(g, cosh(x)), saves: 'input' });
/**
 * The hyperbolic cosine.
 *
 * ```ts
 * cosh(tensor([0, 1])); // [1, 1.543]
 * ```
 */
export const cosh = unary('cosh', { forward: Math.cosh, backward: (g, x) => mul(g, sinh(x)), saves: 'input' });
/**
 * The inverse hyperbolic sine.
 *
 * ```ts
 * asinh(tensor([0, 1])); // [0, 0.8814]
 * ```
 */
export const asinh = unary('asinh', {
  forward: Math.asinh,
  backward: (g, x) => div(g, sqrt(add(square(x), 1))),
  saves: 'input',
});
/**
 * The inverse hyperbolic cosine; NaN below 1.
 *
 * ```ts
 * acosh(tensor([1, 2])); // [0, 1.317]
 * ```
 */
export const acosh = unary('acosh', {
  forward: Math.acosh,
  backward: (g, x) => div(g, sqrt(sub(square(x), 1))),
  saves: 'input',
});
/**
 * The inverse hyperbolic tangent; NaN outside of [-1, 1].
 *
 * ```ts
 * atanh(tensor([0, 0.5])); // [0, 0.5493]
 * ```
 */
export const atanh = unary('atanh', {
  forward: Math.atanh,
  backward: (g, x) => div(g, sub(1, square(x))),
  saves: 'input',
});

const rounding = { backward: zerosFor, keepsIntegers: true, exact: (x: bigint) => x };

/**
 * The largest whole number that is not above. Integers stay as they are; the gradient is 0.
 *
 * ```ts
 * floor(tensor([1.5, -1.5])); // [1, -2]
 * ```
 */
export const floor = unary('floor', { ...rounding, forward: Math.floor });
/**
 * The smallest whole number that is not below. Integers stay as they are; the gradient is 0.
 *
 * ```ts
 * ceil(tensor([1.5, -1.5])); // [2, -1]
 * ```
 */
export const ceil = unary('ceil', { ...rounding, forward: Math.ceil });
/**
 * The whole number towards 0. Integers stay as they are; the gradient is 0.
 *
 * ```ts
 * trunc(tensor([1.5, -1.5])); // [1, -1]
 * ```
 */
export const trunc = unary('trunc', { ...rounding, forward: Math.trunc });
/**
 * To the nearest whole number; halves to the even one.
 *
 * ```ts
 * round(tensor([0.5, 1.5, 2.4])); // [0, 2, 2]
 * ```
 */
export const round = unary('round', {
  ...rounding,
  forward: (x) => {
    const r = Math.round(x);
    return Math.abs(x - Math.trunc(x)) === 0.5 && r % 2 !== 0 ? r - 1 : r;
  },
});
/**
 * The part behind the point, with the sign of `x`.
 *
 * ```ts
 * frac(tensor([1.5, -1.5])); // [0.5, -0.5]
 * ```
 */
export const frac = unary('frac', { forward: (x) => x - Math.trunc(x), backward: (g) => g, keepsIntegers: true });

/**
 * The elements limited to `min` and `max`, either of which may be left out. The gradient outside is 0, and so it is at
 * NaN.
 *
 * ```ts
 * clamp(tensor([-3, 0.5, 3]), -1, 1); // [-1, 0.5, 1]
 * ```
 */
export const clamp = /* @__PURE__ */ named('clamp', (x: Tensor, min?: number | null, max?: number | null): Tensor => {
  for (const bound of [min, max])
    if (bound != null && typeof bound !== 'number')
      throw new TypeError(`clamp: min and max are numbers, got ${show(bound)}`);
  if (min == null && max == null) throw new TypeError('clamp: give min, max or both');
  checkTensors('clamp', x);
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  const isWhole = [min, max].every((v) => v == null || Number.isInteger(v));
  return applyUnary(clampOperator, isFloat(x.dtype) || isWhole ? x : x.float(), [low, high]);
});

const clampOperator = unaryOperator('clamp', {
  forward: (v, low, high) => (v < low ? Math.min(low, high) : v > high ? high : v),
  exact: (v, low, high) => (v < low ? BigInt(Math.min(low, high)) : v > high ? BigInt(high) : v),
  loop: loops.clamp,
  backward: (g, x, _, limits) => clampGradient(g, x, limits),
  saves: 'input',
  keepsIntegers: true,
  ofBool: 'int64',
});

const clampGradient = fusedGradient('clampGradient', {
  forward: (g, x, low, high) => (x >= low && x <= high ? g : 0),
  loop: loops.clampGradient,
  recorded: (g, x, [low, high]) => where(logicalAnd(ge(x, low!), le(x, high!)), g, 0),
});

/**
 * `a ** b`, with broadcasting. 1 to any power is 1, and -1 to an infinite one, as in C and unlike in JavaScript.
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
    (g, a, b) => mul(g, where(mul(eq(a, 0), ge(b, 0)).bool(), 0, mul(pow(a, b), log(a)))),
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

/** By squaring, so that products wrap as they do one by one. A negative power is 0, but of 1 and -1. */
function integerPower(a: number, b: number, times: (p: number, q: number) => number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
  let [result, square] = [1, a];
  for (let rest = b; rest > 0; rest = Math.floor(rest / 2), square = times(square, square))
    if (rest % 2 === 1) result = times(result, square);
  return result;
}

/** Integers have no infinity to divide to. */
function checkDivisor<T extends number | bigint>(op: string, b: T): T {
  // Not `===`: 0n is not 0.
  if (!b) throw new RangeError(`${op}: an integer is divided by 0; convert to floating point first, with float()`);
  return b;
}

/**
 * The remainder of `a / b` with the sign of `a`, as `%` in JavaScript.
 *
 * ```ts
 * fmod(tensor([5, -5]), 3); // [2, -2]
 * ```
 */
export const fmod = binary('fmod', {
  forward: (a, b) => a % b,
  integer: (a, b) => a % checkDivisor('fmod', b),
  exact: (a, b) => a % checkDivisor('fmod', b),
  backward: [(g) => g, (g, a, b) => neg(mul(g, trunc(div(a, b))))],
  saves: true,
});

/**
 * The remainder of `a / b` with the sign of `b`, as `%` in Python.
 *
 * ```ts
 * remainder(tensor([5, -5]), 3); // [2, 1]
 * ```
 */
export const remainder = binary('remainder', {
  forward: (a, b) => {
    const r = a % b;
    return r !== 0 && r < 0 !== b < 0 ? r + b : r;
  },
  integer: (a, b) => {
    const r = a % checkDivisor('remainder', b);
    return r !== 0 && r < 0 !== b < 0 ? r + b : r;
  },
  exact: (a, b) => {
    const r = a % checkDivisor('remainder', b);
    return r !== 0n && r < 0n !== b < 0n ? r + b : r;
  },
  backward: [(g) => g, (g, a, b) => neg(mul(g, floorDivide(a, b)))],
  saves: true,
});

/**
 * `log(exp(a) + exp(b))`, without overflow.
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
 * `sqrt(a² + b²)`, without overflow.
 *
 * ```ts
 * hypot(tensor([3]), tensor([4])); // [5]
 * ```
 */
export const hypot = binary('hypot', {
  forward: Math.hypot,
  backward: [(g, a, b) => mul(g, div(a, hypot(a, b))), (g, a, b) => mul(g, div(b, hypot(a, b)))],
  saves: true,
  dtype: toFloat,
});

/**
 * `a * log(b)`, and 0 where `a` is 0, unless `b` is NaN.
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

/**
 * The size of `a` with the sign of `b`.
 *
 * ```ts
 * copysign(tensor([1, 2]), tensor([-3, 4])); // [-1, 2]
 * ```
 */
export const copysign = binary('copysign', {
  forward: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
  backward: [(g, a, b) => mul(g, mul(copysign(1, b), a.sign())), zerosFor],
  saves: true,
  dtype: toFloat,
});

/**
 * 0 where `a < 0`, 1 where `a > 0`, and `b` where `a` is 0.
 *
 * ```ts
 * heaviside(tensor([-1, 0, 2]), tensor([0.5])); // [0, 0.5, 1]
 * ```
 */
export const heaviside = binary('heaviside', {
  forward: (a, b) => (a === 0 ? b : Number.isNaN(a) ? a : Number(a > 0)),
});

const numberOr = (choose: (a: number, b: number) => number) => (a: number, b: number) =>
  Number.isNaN(a) ? b : Number.isNaN(b) ? a : choose(a, b);

/**
 * The larger of `a` and `b`; where one is NaN, the other.
 *
 * ```ts
 * fmax(tensor([1, NaN]), tensor([3, 2])); // [3, 2]
 * ```
 */
export const fmax = binary('fmax', {
  exact: (a, b) => (a > b ? a : b),
  forward: numberOr(Math.max),
  backward: [
    (g, a, b) => where(logicalOr(ge(a, b), isnan(b)), g, 0),
    (g, a, b) => where(logicalOr(ge(a, b), isnan(b)), 0, g),
  ],
  saves: true,
});

/**
 * The smaller of `a` and `b`; where one is NaN, the other.
 *
 * ```ts
 * fmin(tensor([1, NaN]), tensor([3, 2])); // [1, 2]
 * ```
 */
export const fmin = binary('fmin', {
  exact: (a, b) => (a < b ? a : b),
  forward: numberOr(Math.min),
  backward: [
    (g, a, b) => where(logicalOr(le(a, b), isnan(b)), g, 0),
    (g, a, b) => where(logicalOr(le(a, b), isnan(b)), 0, g),
  ],
  saves: true,
});

/**
 * From radians to degrees.
 *
 * ```ts
 * rad2deg(tensor([Math.PI])); // [180]
 * ```
 */
export const rad2deg = /* @__PURE__ */ named('rad2deg', (x: Tensor): Tensor => mul(x, 180 / Math.PI));

/**
 * From degrees to radians.
 *
 * ```ts
 * deg2rad(tensor([180])); // [3.142]
 * ```
 */
export const deg2rad = /* @__PURE__ */ named('deg2rad', (x: Tensor): Tensor => mul(x, Math.PI / 180));

/**
 * `a / b` rounded down, from the exact quotient, as `//` in Python: 9 for 1 and 0.1, which is a little more than a
 * tenth.
 *
 * ```ts
 * floorDivide(tensor([7, -7]), 2); // [3, -4]
 * ```
 */
export const floorDivide = binary('floorDivide', {
  forward: (a, b) => {
    if (b === 0) return a / b;
    const rest = a % b;
    const quotient = (a - rest) / b - Number(rest !== 0 && b < 0 !== rest < 0);
    if (quotient === 0) return a / b < 0 || Object.is(a / b, -0) ? -0 : 0;
    // The quotient is whole but for rounding.
    const whole = Math.floor(quotient);
    return quotient - whole > 0.5 ? whole + 1 : whole;
  },
  integer: (a, b) => Math.floor(a / checkDivisor('floorDivide', b)),
  exact: (a, b) => {
    const quotient = a / checkDivisor('floorDivide', b);
    return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
  },
});

/**
 * The angle of the point (b, a), from -π to π.
 *
 * ```ts
 * atan2(tensor([1]), tensor([1])); // [0.7854]
 * ```
 */
export const atan2 = binary('atan2', {
  forward: Math.atan2,
  backward: [
    (g, a, b) => mul(g, div(b, add(square(a), square(b)))),
    (g, a, b) => neg(mul(g, div(a, add(square(a), square(b))))),
  ],
  saves: true,
  dtype: toFloat,
});

/**
 * `start + weight * (end - start)`; exactly `end` for a weight of 1.
 *
 * ```ts
 * lerp(tensor([0]), tensor([10]), 0.3); // [3]
 * ```
 */
export const lerp = /* @__PURE__ */ named('lerp', (start: Tensor, end: Tensor, weight: TensorLike): Tensor => {
  checkTensors('lerp', start, end);
  const way = sub(end, start);
  const fromStart = () => add(start, mul(weight, way));
  const fromEnd = () => sub(end, mul(way, sub(1, weight)));
  if (!Tensor.is(weight)) return Math.abs(Number(weight)) < 0.5 ? fromStart() : fromEnd();
  return where(lt(weight.abs(), 0.5), fromStart(), fromEnd());
});

const addcOptions = { value: is.number };

/**
 * `x + value * a * b`.
 *
 * ```ts
 * addcmul(tensor([1]), tensor([2]), tensor([3]), { value: 2 }); // [13]
 * ```
 */
export const addcmul = /* @__PURE__ */ named(
  'addcmul',
  (x: Tensor, a: Tensor, b: Tensor, options?: { value?: number }): Tensor => {
    const { value = 1 } = checkOptions('addcmul', options, addcOptions);
    return add(x, mul(mul(a, b), value));
  },
);

/**
 * `x + value * a / b`.
 *
 * ```ts
 * addcdiv(tensor([1]), tensor([6]), tensor([3])); // [3]
 * ```
 */
export const addcdiv = /* @__PURE__ */ named(
  'addcdiv',
  (x: Tensor, a: Tensor, b: Tensor, options?: { value?: number }): Tensor => {
    const { value = 1 } = checkOptions('addcdiv', options, addcOptions);
    return add(x, mul(div(a, b), value));
  },
);

const truth = (op: string, forward: (a: boolean, b: boolean) => boolean) =>
  binary(op, {
    forward: (a, b) => Number(forward(a !== 0, b !== 0)),
    exact: (a, b) => forward(a !== 0n, b !== 0n),
    dtype: () => 'bool',
  });

/**
 * Whether both are not 0, with broadcasting; bool.
 *
 * ```ts
 * logicalAnd(tensor([true, true]), tensor([true, false])); // [true, false]
 * ```
 */
export const logicalAnd = truth('logicalAnd', (a, b) => a && b);
/**
 * Whether one is not 0, with broadcasting; bool.
 *
 * ```ts
 * logicalOr(tensor([true, false]), tensor([false, false])); // [true, false]
 * ```
 */
export const logicalOr = truth('logicalOr', (a, b) => a || b);
/**
 * Whether exactly one is not 0, with broadcasting; bool.
 *
 * ```ts
 * logicalXor(tensor([true, true]), tensor([true, false])); // [false, true]
 * ```
 */
export const logicalXor = truth('logicalXor', (a, b) => a !== b);
/**
 * Whether an element is 0; bool.
 *
 * ```ts
 * logicalNot(tensor([0, 2])); // [true, false]
 * ```
 */
export const logicalNot = /* @__PURE__ */ named('logicalNot', (x: Tensor): Tensor => eq(x, 0));

type Exact = NonNullable<BinaryFunction['exact']>;

const integers = (op: string, forward: (a: number, b: number) => number, exact: Exact) =>
  binary(op, {
    forward,
    exact,
    dtype: (p) => {
      if (isFloat(p)) throw new DTypeError(op, `takes integer or bool tensors, got ${show(p)}; use .int()`);
      return p;
    },
  });

const and = <T extends number | bigint>(a: T, b: T) => (a & b) as T;
const or = <T extends number | bigint>(a: T, b: T) => (a | b) as T;
const xor = <T extends number | bigint>(a: T, b: T) => (a ^ b) as T;

/**
 * Each bit that both have; integers or bool, with broadcasting.
 *
 * ```ts
 * bitwiseAnd(tensor([6], { dtype: 'int32' }), 3); // [2]
 * ```
 */
export const bitwiseAnd = integers('bitwiseAnd', and, and as Exact);
/**
 * Each bit that one has; integers or bool, with broadcasting.
 *
 * ```ts
 * bitwiseOr(tensor([6], { dtype: 'int32' }), 3); // [7]
 * ```
 */
export const bitwiseOr = integers('bitwiseOr', or, or as Exact);
/**
 * Each bit that exactly one has; integers or bool, with broadcasting.
 *
 * ```ts
 * bitwiseXor(tensor([6], { dtype: 'int32' }), 3); // [5]
 * ```
 */
export const bitwiseXor = integers('bitwiseXor', xor, xor as Exact);

/**
 * The bits of `a` moved up by `b` places; integers, with broadcasting.
 *
 * ```ts
 * bitwiseLeftShift(tensor([1, 3], { dtype: 'int32' }), 2); // [4, 12]
 * ```
 */
export const bitwiseLeftShift = integers(
  'bitwiseLeftShift',
  (a, b) => a << b,
  (a, b) => a << BigInt.asUintN(6, b),
);
/**
 * The bits of `a` moved down by `b` places, the sign kept; integers, with broadcasting.
 *
 * ```ts
 * bitwiseRightShift(tensor([8, -8], { dtype: 'int32' }), 2); // [2, -2]
 * ```
 */
export const bitwiseRightShift = integers(
  'bitwiseRightShift',
  (a, b) => a >> b,
  (a, b) => a >> BigInt.asUintN(6, b),
);

/**
 * Each bit turned; for bool the logical not.
 *
 * ```ts
 * bitwiseNot(tensor([0, 5], { dtype: 'int32' })); // [-1, -6]
 * ```
 */
export function bitwiseNot(x: Tensor): Tensor {
  checkTensors('bitwiseNot', x);
  if (x.dtype === 'bool') return logicalNot(x);
  if (isFloat(x.dtype)) throw new DTypeError('bitwiseNot', `takes integer or bool tensors, got ${x.dtype}; use .int()`);
  return sub(-1, x);
}

const divisor = (a: number, b: number): number => {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
};

const exactAbs = (x: bigint): bigint => (x < 0n ? -x : x);

const exactDivisor = (a: bigint, b: bigint): bigint => {
  let [x, y] = [exactAbs(a), exactAbs(b)];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
};

/**
 * The greatest common divisor.
 *
 * ```ts
 * gcd(tensor([12], { dtype: 'int32' }), tensor([18], { dtype: 'int32' })); // [6]
 * ```
 */
export const gcd = integers('gcd', divisor, exactDivisor);

/**
 * The least common multiple.
 *
 * ```ts
 * lcm(tensor([4], { dtype: 'int32' }), tensor([6], { dtype: 'int32' })); // [12]
 * ```
 */
export const lcm = integers(
  'lcm',
  (a, b) => (a === 0 || b === 0 ? 0 : Math.abs(a / divisor(a, b)) * Math.abs(b)),
  (a, b) => (a === 0n || b === 0n ? 0n : exactAbs((a / exactDivisor(a, b)) * b)),
);

/**
 * Whether an element is Infinity; bool.
 *
 * ```ts
 * isposinf(tensor([Infinity, 1])); // [true, false]
 * ```
 */
export const isposinf = /* @__PURE__ */ named('isposinf', (x: Tensor): Tensor => eq(x, Number.POSITIVE_INFINITY));
/**
 * Whether an element is -Infinity; bool.
 *
 * ```ts
 * isneginf(tensor([-Infinity, 1])); // [true, false]
 * ```
 */
export const isneginf = /* @__PURE__ */ named('isneginf', (x: Tensor): Tensor => eq(x, Number.NEGATIVE_INFINITY));
/**
 * Whether the sign is minus; also for -0.
 *
 * ```ts
 * signbit(tensor([-1, 2])); // [true, false]
 * ```
 */
export const signbit = /* @__PURE__ */ named('signbit', (x: Tensor): Tensor => lt(copysign(1, x), 0));

/**
 * Whether an element is NaN; bool.
 *
 * ```ts
 * isnan(tensor([NaN, 1])); // [true, false]
 * ```
 */
export const isnan = /* @__PURE__ */ named('isnan', (x: Tensor): Tensor => {
  checkTensors('isnan', x);
  return x.ne(x);
});
/**
 * Whether an element is Infinity or -Infinity; bool.
 *
 * ```ts
 * isinf(tensor([-Infinity, 1])); // [true, false]
 * ```
 */
export const isinf = /* @__PURE__ */ named('isinf', (x: Tensor): Tensor => {
  checkTensors('isinf', x);
  return eq(x.abs(), Number.POSITIVE_INFINITY);
});
/**
 * Whether an element is neither NaN nor infinite; bool.
 *
 * ```ts
 * isfinite(tensor([NaN, 1])); // [false, true]
 * ```
 */
export const isfinite = /* @__PURE__ */ named('isfinite', (x: Tensor): Tensor => {
  checkTensors('isfinite', x);
  return lt(x.abs(), Number.POSITIVE_INFINITY);
});

const nanToNumOptions = { nan: is.number, posinf: is.number, neginf: is.number };

/**
 * NaN as `nan`, infinities as `posinf` and `neginf`: by default 0 and the largest values that the dtype holds.
 *
 * ```ts
 * nanToNum(tensor([NaN, 1])); // [0, 1]
 * ```
 */
export const nanToNum = /* @__PURE__ */ named(
  'nanToNum',
  (x: Tensor, options?: { nan?: number; posinf?: number; neginf?: number }): Tensor => {
    const { nan = 0, posinf, neginf } = checkOptions('nanToNum', options, nanToNumOptions);
    checkTensors('nanToNum', x);
    const largest = x.dtype === 'float64' ? Number.MAX_VALUE : 3.4028234663852886e38;
    if (!isFloat(x.dtype)) return x.clone();
    const finite = where(isnan(x), nan, x);
    return where(
      eq(finite, Number.POSITIVE_INFINITY),
      posinf ?? largest,
      where(eq(finite, Number.NEGATIVE_INFINITY), neginf ?? -largest, finite),
    );
  },
);

const iscloseOptions = { rtol: is.number, atol: is.number, equalNan: is.boolean };

/**
 * Whether `a` and `b` differ by at most `atol + rtol * |b|`, element by element.
 *
 * ```ts
 * isclose(tensor([1, 2]), tensor([1.000001, 3])); // [true, false]
 * ```
 */
export const isclose = /* @__PURE__ */ named(
  'isclose',
  (a: Tensor, b: Tensor, options?: { rtol?: number; atol?: number; equalNan?: boolean }): Tensor => {
    const { rtol = 1e-5, atol = 1e-8, equalNan = false } = checkOptions('isclose', options, iscloseOptions);
    checkTensors('isclose', a, b);
    const close = logicalOr(
      eq(a, b),
      logicalAnd(le(sub(a, b).abs(), add(b.abs().mul(rtol), atol)), isfinite(sub(a, b))),
    );
    return equalNan ? logicalOr(close, logicalAnd(isnan(a), isnan(b))) : close;
  },
);

/**
 * Whether all elements are close.
 *
 * ```ts
 * allclose(tensor([1]), tensor([1.000001])); // true
 * ```
 */
export const allclose = /* @__PURE__ */ named(
  'allclose',
  (a: Tensor, b: Tensor, options?: { rtol?: number; atol?: number; equalNan?: boolean }): boolean => {
    checkTensors('allclose', a, b);
    return isclose(a, b, options).all().item() === 1;
  },
);

/**
 * Whether shapes and all elements are equal.
 *
 * ```ts
 * equal(tensor([1, 2]), tensor([1, 2])); // true
 * ```
 */
export function equal(a: Tensor, b: Tensor): boolean {
  checkTensors('equal', a, b);
  return a.shape.join() === b.shape.join() && eq(a, b).all().item() === 1;
}

const plain = {
  logaddexp,
  heaviside,
  fmax,
  fmin,
  isposinf,
  isneginf,
  signbit,
  isnan,
  isinf,
  isfinite,
  isclose,
  allclose,
  equal,
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
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  floor,
  ceil,
  trunc,
  round,
  frac,
  clamp,
  pow,
  fmod,
  remainder,
  lerp,
  addcmul,
  addcdiv,
  nanToNum,
  floorDivide,
  atan2,
  copysign,
  hypot,
  xlogy,
  logicalAnd,
  logicalOr,
  logicalXor,
  logicalNot,
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  bitwiseNot,
  bitwiseLeftShift,
  bitwiseRightShift,
  gcd,
  lcm,
  rad2deg,
  deg2rad,
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
