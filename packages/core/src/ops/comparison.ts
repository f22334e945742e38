import { checkOptions } from '../check.js';
import { named } from '../errors.js';
import { isFloat } from '../memory/dtype.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import type { Tensor } from '../tensor/tensor.js';
import { copysign } from './arithmetic.js';
import type * as self from './comparison.js';
import { binary, realOnly, withInPlace } from './define.js';
import { add, sub } from './elementwise.js';
import { logicalAnd, logicalOr } from './logical.js';
import { eq, ge, le, lt } from './relational.js';
import { where } from './where.js';

const numberOr = (choose: (a: number, b: number) => number) => (a: number, b: number) =>
  Number.isNaN(a) ? b : Number.isNaN(b) ? a : choose(a, b);

/**
 * The larger of `a` and `b`, and if one is NaN the other; elementwise with broadcasting.
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
 * The smaller of `a` and `b`, and if one is NaN the other; elementwise with broadcasting.
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
 * Whether each element is Infinity: bool, in the shape of `x`.
 *
 * ```ts
 * isposinf(tensor([Infinity, 1])); // [true, false]
 * ```
 */
export const isposinf = /* @__PURE__ */ madeOf('isposinf', (x) => eq(x, Number.POSITIVE_INFINITY));

/**
 * Whether each element is -Infinity: bool, in the shape of `x`.
 *
 * ```ts
 * isneginf(tensor([-Infinity, 1])); // [true, false]
 * ```
 */
export const isneginf = /* @__PURE__ */ madeOf('isneginf', (x) => eq(x, Number.NEGATIVE_INFINITY));

/**
 * Whether each element has a minus sign, -0 included: bool, in the shape of `x`.
 *
 * ```ts
 * signbit(tensor([-1, 2])); // [true, false]
 * ```
 */
export const signbit = /* @__PURE__ */ madeOf('signbit', (x) => lt(copysign(1, x), 0));

/**
 * Whether each element is NaN: bool, in the shape of `x`.
 *
 * ```ts
 * isnan(tensor([NaN, 1])); // [true, false]
 * ```
 */
export const isnan = /* @__PURE__ */ madeOf('isnan', (x: Tensor): Tensor => {
  return x.ne(x);
});

/**
 * Whether each element is Infinity or -Infinity: bool, in the shape of `x`.
 *
 * ```ts
 * isinf(tensor([-Infinity, 1])); // [true, false]
 * ```
 */
export const isinf = /* @__PURE__ */ madeOf('isinf', (x: Tensor): Tensor => {
  return eq(x.abs(), Number.POSITIVE_INFINITY);
});

/**
 * Whether each element is neither NaN nor infinite: bool, in the shape of `x`.
 *
 * ```ts
 * isfinite(tensor([NaN, 1])); // [false, true]
 * ```
 */
export const isfinite = /* @__PURE__ */ madeOf('isfinite', (x: Tensor): Tensor => {
  return lt(x.abs(), Number.POSITIVE_INFINITY);
});

const nanToNumOptions = { nan: is.number, posinf: is.number, neginf: is.number };

/**
 * Replaces NaN by `nan` and infinities by `posinf` and `neginf`: by default 0 and the largest values of the dtype.
 *
 * ```ts
 * nanToNum(tensor([NaN, 1])); // [0, 1]
 * ```
 */
export const nanToNum = /* @__PURE__ */ madeOf(
  'nanToNum',
  (x: Tensor, options?: { nan?: number; posinf?: number; neginf?: number }): Tensor => {
    const { nan = 0, posinf, neginf } = checkOptions('nanToNum', options, nanToNumOptions);
    realOnly('nanToNum', x);
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
    // Integers do not hold all of their differences.
    const difference = sub(isFloat(a.dtype) ? a : a.double(), b);
    const close = logicalOr(
      eq(a, b),
      logicalAnd(le(difference.abs(), add(b.mul(rtol).abs(), atol)), isfinite(difference)),
    );
    return equalNan ? logicalOr(close, logicalAnd(isnan(a), isnan(b))) : close;
  },
);

/**
 * Whether `|a - b| <= atol + rtol * |b|` for all elements, as a boolean. `rtol` is 1e-5 and `atol` 1e-8 by default; NaN
 * is close to NaN only with `equalNan`. Reads the values.
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
 * Whether two tensors have the same shape and equal elements, as a boolean. Reads the values.
 *
 * ```ts
 * equal(tensor([1, 2]), tensor([1, 2])); // true
 * ```
 */
export const equal = /* @__PURE__ */ named('equal', (a: Tensor, b: Tensor): boolean => {
  checkTensors('equal', a, b);
  return a.shape.join() === b.shape.join() && eq(a, b).all().item() === 1;
});

const plain = {
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
  nanToNum,
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
