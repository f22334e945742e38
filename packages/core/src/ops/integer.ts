import type { BinaryFunction } from '../backend/functions.js';
import { show } from '../check.js';
import { DTypeError } from '../errors.js';
import { isFloat } from '../memory/dtype.js';
import { madeOf } from '../tensor/check.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import type { Tensor } from '../tensor/tensor.js';
import { binary, withInPlace } from './define.js';
import { sub } from './elementwise.js';
import type * as self from './integer.js';
import { logicalNot } from './logical.js';

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
 * The bits that are set in both; integers or bool, elementwise with broadcasting.
 *
 * ```ts
 * bitwiseAnd(tensor([6], { dtype: 'int32' }), 3); // [2]
 * ```
 */
export const bitwiseAnd = integers('bitwiseAnd', and, and as Exact);

/**
 * The bits that are set in at least one; integers or bool, elementwise with broadcasting.
 *
 * ```ts
 * bitwiseOr(tensor([6], { dtype: 'int32' }), 3); // [7]
 * ```
 */
export const bitwiseOr = integers('bitwiseOr', or, or as Exact);

/**
 * The bits that are set in exactly one; integers or bool, elementwise with broadcasting.
 *
 * ```ts
 * bitwiseXor(tensor([6], { dtype: 'int32' }), 3); // [5]
 * ```
 */
export const bitwiseXor = integers('bitwiseXor', xor, xor as Exact);

/**
 * The bits of `a` shifted left by `b`; integers, elementwise with broadcasting.
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
 * The bits of `a` shifted right by `b`, keeping the sign; integers, with broadcasting.
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
 * All bits of each element inverted; for bool the logical not. The result has the shape of `x`.
 *
 * ```ts
 * bitwiseNot(tensor([0, 5], { dtype: 'int32' })); // [-1, -6]
 * ```
 */
export const bitwiseNot = /* @__PURE__ */ madeOf('bitwiseNot', (x: Tensor): Tensor => {
  if (x.dtype === 'bool') return logicalNot(x);
  if (isFloat(x.dtype)) throw new DTypeError('bitwiseNot', `takes integer or bool tensors, got ${x.dtype}; use .int()`);
  return sub(-1, x);
});

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
 * The greatest common divisor; integers, elementwise with broadcasting.
 *
 * ```ts
 * gcd(tensor([12], { dtype: 'int32' }), tensor([18], { dtype: 'int32' })); // [6]
 * ```
 */
export const gcd = integers('gcd', divisor, exactDivisor);

/**
 * The least common multiple; integers, elementwise with broadcasting.
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

const withForms = {
  bitwiseAnd,
  bitwiseOr,
  bitwiseXor,
  bitwiseNot,
  bitwiseLeftShift,
  bitwiseRightShift,
  gcd,
  lcm,
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof withForms>, InPlaceOf<typeof withForms> {}
}
