import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import { unary, withInPlace, zerosFor } from './define.js';
import type * as self from './rounding.js';

const rounding = { backward: zerosFor, keepsIntegers: true, ofBool: null, exact: (x: bigint) => x };

/**
 * Rounds each element down. Integers stay as they are; the gradient is 0. The result has the shape of `x`.
 *
 * ```ts
 * floor(tensor([1.5, -1.5])); // [1, -2]
 * ```
 */
export const floor = unary('floor', { ...rounding, forward: Math.floor });

/**
 * Rounds each element up. Integers stay as they are; the gradient is 0. The result has the shape of `x`.
 *
 * ```ts
 * ceil(tensor([1.5, -1.5])); // [2, -1]
 * ```
 */
export const ceil = unary('ceil', { ...rounding, forward: Math.ceil });

/**
 * Rounds each element towards 0. Integers stay as they are; the gradient is 0. The result has the shape of `x`.
 *
 * ```ts
 * trunc(tensor([1.5, -1.5])); // [1, -1]
 * ```
 */
export const trunc = unary('trunc', { ...rounding, forward: Math.trunc });

/**
 * Rounds to the nearest whole number; halves to the even one.
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
 * The fractional part of each element, with the sign of `x`. The result has the shape of `x`.
 *
 * ```ts
 * frac(tensor([1.5, -1.5])); // [0.5, -0.5]
 * ```
 */
export const frac = unary('frac', {
  forward: (x) => x - Math.trunc(x),
  backward: (g) => g,
  keepsIntegers: true,
  ofBool: null,
});

const withForms = {
  floor,
  ceil,
  trunc,
  round,
  frac,
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof withForms>, InPlaceOf<typeof withForms> {}
}
