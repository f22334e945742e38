import * as loops from '../backend/host/loops.js';
import { check, checkOptions } from '../check.js';
import { named } from '../errors.js';
import { isFloat, toFloat } from '../memory/dtype.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import type * as self from './arithmetic.js';
import { applyUnary, binary, fusedGradient, type TensorLike, unaryOperator, withInPlace, zerosFor } from './define.js';
import { add, div, mul, neg, sub } from './elementwise.js';
import { logicalAnd, logicalOr } from './logical.js';
import { ge, gt, le, lt, ne } from './relational.js';
import { trunc } from './rounding.js';
import { where } from './where.js';

/** A limit of `clamp`: one for all elements, or one for each, which broadcasts. */
export type Bound = number | Tensor | null;

const bounds = /* @__PURE__ */ is.nullable(/* @__PURE__ */ is.either(is.tensor, is.number));

/**
 * Limits elements to `min` and `max`, numbers or tensors that broadcast; either may be left out. The gradient outside
 * is 0, or goes to the limit; it is 0 at NaN.
 *
 * ```ts
 * clamp(tensor([-3, 0.5, 3]), -1, 1); // [-1, 0.5, 1]
 * clamp(tensor([1, 5]), null, tensor([3, 4])); // [1, 4]
 * ```
 */
export const clamp = /* @__PURE__ */ madeOf('clamp', (x: Tensor, min?: Bound, max?: Bound): Tensor => {
  for (const bound of [min, max]) check('clamp', 'min and max', bound ?? null, bounds);
  if (min == null && max == null) throw new TypeError('clamp: give min, max or both');
  if (Tensor.is(min) || Tensor.is(max)) return clampBetween(x, min, max);
  // Between limits of which one is NaN there is nothing.
  if (Number.isNaN(min) || Number.isNaN(max)) return add(mul(x, 0), Number.NaN);
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  const isWhole = [min, max].every((v) => v == null || Number.isInteger(v));
  return applyUnary(clampOperator, isFloat(x.dtype) || isWhole ? x : x.float(), [low, high]);
});

/** With tensors as limits: where a limit is NaN, so is the result. */
function clampBetween(x: Tensor, min: Bound | undefined, max: Bound | undefined): Tensor {
  const beyond = (outside: Tensor, bound: TensorLike) =>
    Tensor.is(bound) ? logicalOr(outside, ne(bound, bound)) : outside;
  const kept = where(ne(x, x), x.detach(), x);
  const raised = min == null ? kept : where(beyond(lt(x, min), min), min, kept);
  return max == null ? raised : where(beyond(gt(raised, max), max), max, raised);
}

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

/** Integers cannot be divided by 0, as they have no infinity. */
function checkDivisor<T extends number | bigint>(op: string, b: T): T {
  // Not `===`: 0n is not 0.
  if (!b) throw new RangeError(`${op}: an integer is divided by 0; convert to floating point first, with float()`);
  return b;
}

/**
 * The remainder of `a / b` with the sign of `a`, as `%` in JavaScript; elementwise with broadcasting.
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
 * The remainder of `a / b` with the sign of `b`, as `%` in Python; elementwise with broadcasting.
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
 * The absolute value of `a` with the sign of `b`; elementwise with broadcasting.
 *
 * ```ts
 * copysign(tensor([1, 2]), tensor([-3, 4])); // [-1, 2]
 * ```
 */
export const copysign = binary('copysign', {
  forward: (a, b) => (b < 0 || Object.is(b, -0) ? -Math.abs(a) : Math.abs(a)),
  // The sign of NaN is 0, but its gradient is NaN.
  backward: [(g, a, b) => mul(g, mul(copysign(1, b), where(ne(a, a), a, a.sign()))), zerosFor],
  saves: true,
  dtype: toFloat,
});

/**
 * 0 where `a < 0` or `a` is NaN, 1 where `a > 0`, and `b` where `a` is 0.
 *
 * ```ts
 * heaviside(tensor([-1, 0, 2]), tensor([0.5])); // [0, 0.5, 1]
 * ```
 */
export const heaviside = binary('heaviside', {
  forward: (a, b) => (a === 0 ? b : Number(a > 0)),
});

/**
 * `a / b` rounded down, from the exact quotient, as `//` in Python: 9 for 1 and 0.1, as this 0.1 is a little more than
 * a tenth.
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
 * `start + weight * (end - start)`, exactly `end` for a weight of 1; elementwise with broadcasting. `weight` is a
 * number or a tensor.
 *
 * ```ts
 * lerp(tensor([0]), tensor([10]), 0.3); // [3]
 * ```
 */
export const lerp = /* @__PURE__ */ named('lerp', (start: Tensor, end: Tensor, weight: TensorLike): Tensor => {
  checkTensors('lerp', start, end);
  check('lerp', 'weight', weight, is.either(is.tensor, is.number, is.boolean));
  const way = sub(end, start);
  if (!Tensor.is(weight)) {
    const w = Number(weight);
    return Math.abs(w) < 0.5 ? add(start, mul(w, way)) : sub(end, mul(way, 1 - w));
  }
  // One of two is taken before it is multiplied: a gradient of 0 times an infinite way would be NaN.
  const near = lt(weight.abs(), 0.5);
  return add(where(near, start, end), mul(where(near, weight, sub(weight, 1)), way));
});

const addcOptions = { value: is.number };

/**
 * `x + value * a * b`; elementwise with broadcasting. `value` is 1 by default.
 *
 * ```ts
 * addcmul(tensor([1]), tensor([2]), tensor([3]), { value: 2 }); // [13]
 * ```
 */
export const addcmul = /* @__PURE__ */ named(
  'addcmul',
  (x: Tensor, a: Tensor, b: Tensor, options?: { value?: number }): Tensor => {
    checkTensors('addcmul', x, a, b);
    const { value = 1 } = checkOptions('addcmul', options, addcOptions);
    return add(x, mul(mul(a, b), value));
  },
);

/**
 * `x + value * a / b`; elementwise with broadcasting. `value` is 1 by default.
 *
 * ```ts
 * addcdiv(tensor([1]), tensor([6]), tensor([3])); // [3]
 * ```
 */
export const addcdiv = /* @__PURE__ */ named(
  'addcdiv',
  (x: Tensor, a: Tensor, b: Tensor, options?: { value?: number }): Tensor => {
    checkTensors('addcdiv', x, a, b);
    const { value = 1 } = checkOptions('addcdiv', options, addcOptions);
    return add(x, mul(div(a, b), value));
  },
);

/**
 * `clamp` under NumPy's name: each element limited to [min, max].
 *
 * ```ts
 * clip(tensor([-3, 3]), -1, 1); // [-1, 1]
 * ```
 */
export const clip = /* @__PURE__ */ named('clip', (x: Tensor, min?: Bound, max?: Bound): Tensor => clamp(x, min, max));

const plain = {
  heaviside,
};
methods(plain);

const withForms = {
  clamp,
  clip,
  fmod,
  remainder,
  lerp,
  addcmul,
  addcdiv,
  floorDivide,
  copysign,
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
