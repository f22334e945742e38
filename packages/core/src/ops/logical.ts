import { madeOf } from '../tensor/check.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import { binary, withInPlace } from './define.js';
import type * as self from './logical.js';
import { eq } from './relational.js';

const logicalOf = (op: string, forward: (a: boolean, b: boolean) => boolean) =>
  binary(op, {
    forward: (a, b) => Number(forward(a !== 0, b !== 0)),
    exact: (a, b) => forward(a !== 0n, b !== 0n),
    dtype: () => 'bool',
  });

/**
 * Whether both elements are nonzero, with broadcasting: bool.
 *
 * ```ts
 * logicalAnd(tensor([true, true]), tensor([true, false])); // [true, false]
 * ```
 */
export const logicalAnd = logicalOf('logicalAnd', (a, b) => a && b);

/**
 * Whether at least one of two elements is nonzero, with broadcasting: bool.
 *
 * ```ts
 * logicalOr(tensor([true, false]), tensor([false, false])); // [true, false]
 * ```
 */
export const logicalOr = logicalOf('logicalOr', (a, b) => a || b);

/**
 * Whether exactly one of two elements is nonzero, with broadcasting: bool.
 *
 * ```ts
 * logicalXor(tensor([true, true]), tensor([true, false])); // [false, true]
 * ```
 */
export const logicalXor = logicalOf('logicalXor', (a, b) => a !== b);

/**
 * Whether each element is 0: bool, in the shape of `x`.
 *
 * ```ts
 * logicalNot(tensor([0, 2])); // [true, false]
 * ```
 */
export const logicalNot = /* @__PURE__ */ madeOf('logicalNot', (x) => eq(x, 0));

const withForms = {
  logicalAnd,
  logicalOr,
  logicalXor,
  logicalNot,
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof withForms>, InPlaceOf<typeof withForms> {}
}
