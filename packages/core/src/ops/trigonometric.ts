import { toFloat } from '../memory/dtype.js';
import { madeOf } from '../tensor/check.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import { binary, unary, withInPlace } from './define.js';
import { add, div, mul, neg, sqrt, sub } from './elementwise.js';
import { square } from './exponential.js';
import type * as self from './trigonometric.js';

/**
 * The sine of each element, in radians. The result has the shape of `x`.
 *
 * ```ts
 * sin(tensor([0, Math.PI / 2])); // [0, 1]
 * ```
 */
export const sin = unary('sin', { forward: Math.sin, backward: (g, x) => mul(g, cos(x)), saves: 'input' });

/**
 * The cosine of each element, in radians. The result has the shape of `x`.
 *
 * ```ts
 * cos(tensor([0, Math.PI])); // [1, -1]
 * ```
 */
export const cos = unary('cos', { forward: Math.cos, backward: (g, x) => neg(mul(g, sin(x))), saves: 'input' });

/**
 * The tangent of each element, in radians. The result has the shape of `x`.
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
 * The inverse cosine of each element, in radians from 0 to π; NaN outside of [-1, 1]. The result has the shape of `x`.
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
 * The inverse tangent of each element, in radians from -π/2 to π/2. The result has the shape of `x`.
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
 * The hyperbolic sine of each element. The result has the shape of `x`.
 *
 * ```ts
 * sinh(tensor([0, 1])); // [0, 1.175]
 * ```
 */
export const sinh = unary('sinh', { forward: Math.sinh, backward: (g, x) => mul(g, cosh(x)), saves: 'input' });

/**
 * The hyperbolic cosine of each element. The result has the shape of `x`.
 *
 * ```ts
 * cosh(tensor([0, 1])); // [1, 1.543]
 * ```
 */
export const cosh = unary('cosh', { forward: Math.cosh, backward: (g, x) => mul(g, sinh(x)), saves: 'input' });

/**
 * The inverse hyperbolic sine of each element. The result has the shape of `x`.
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
 * The inverse hyperbolic cosine of each element; NaN below 1. The result has the shape of `x`.
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
 * The inverse hyperbolic tangent of each element; infinite at -1 and 1, NaN outside of them. The result has the shape
 * of `x`.
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

/**
 * `sqrt(a² + b²)` without overflow; elementwise with broadcasting.
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
 * Converts each element from radians to degrees. The result has the shape of `x`.
 *
 * ```ts
 * rad2deg(tensor([Math.PI])); // [180]
 * ```
 */
export const rad2deg = /* @__PURE__ */ madeOf('rad2deg', (x) => mul(x, 180 / Math.PI));

/**
 * Converts each element from degrees to radians. The result has the shape of `x`.
 *
 * ```ts
 * deg2rad(tensor([180])); // [3.142]
 * ```
 */
export const deg2rad = /* @__PURE__ */ madeOf('deg2rad', (x) => mul(x, Math.PI / 180));

/**
 * The angle of the point (b, a) in radians, from -π to π; elementwise with broadcasting.
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

const withForms = {
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
  atan2,
  hypot,
  rad2deg,
  deg2rad,
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof withForms>, InPlaceOf<typeof withForms> {}
}
