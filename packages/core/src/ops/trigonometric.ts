import { toFloat } from '../memory/dtype.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/tensor.js';
import { binary, madeOf, unary, withInPlace } from './define.js';
import { add, div, mul, neg, sqrt, sub } from './elementwise.js';
import { square } from './exponential.js';
import type * as self from './trigonometric.js';

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
 * Converts radians to degrees.
 *
 * ```ts
 * rad2deg(tensor([Math.PI])); // [180]
 * ```
 */
export const rad2deg = /* @__PURE__ */ madeOf('rad2deg', (x) => mul(x, 180 / Math.PI));

/**
 * Converts degrees to radians.
 *
 * ```ts
 * deg2rad(tensor([180])); // [3.142]
 * ```
 */
export const deg2rad = /* @__PURE__ */ madeOf('deg2rad', (x) => mul(x, Math.PI / 180));

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
