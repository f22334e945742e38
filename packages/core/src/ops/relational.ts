import type { BinaryLoop } from '../backend/functions.js';
import * as loops from '../backend/host/loops.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import type { Tensor } from '../tensor/tensor.js';
import { binary } from './define.js';
import { mul } from './elementwise.js';
import type * as self from './relational.js';
import { where } from './where.js';

const larger = (a: number, b: number): number => (a > b || Number.isNaN(a) ? a : b);
const smaller = (a: number, b: number): number => (a < b || Number.isNaN(a) ? a : b);

/**
 * The share of the gradient that `a` gets: none where `lost` is true, half where both are equal; at NaN both get all of
 * it.
 */
const share = (g: Tensor, a: Tensor, b: Tensor, lost: (a: Tensor, b: Tensor) => Tensor): Tensor =>
  where(lost(a, b), 0, where(eq(a, b), mul(g, 0.5), g));

/**
 * The larger of `a` and `b`, NaN if either is; elementwise with broadcasting.
 *
 * ```ts
 * maximum(tensor([1, 5]), tensor([3, 2])); // [3, 5]
 * ```
 */
export const maximum = binary('maximum', {
  forward: larger,
  exact: (a, b) => (a > b ? a : b),
  backward: [(g, a, b) => share(g, a, b, lt), (g, a, b) => share(g, b, a, lt)],
  saves: true,
});

/**
 * The smaller of `a` and `b`, NaN if either is; elementwise with broadcasting.
 *
 * ```ts
 * minimum(tensor([1, 5]), 3); // [1, 3]
 * ```
 */
export const minimum = binary('minimum', {
  forward: smaller,
  exact: (a, b) => (a < b ? a : b),
  backward: [(g, a, b) => share(g, a, b, gt), (g, a, b) => share(g, b, a, gt)],
  saves: true,
});

/** Comparisons give bool tensors, which carry no gradient. */
const comparison = (name: string, forward: <T extends number | bigint>(a: T, b: T) => boolean, loop?: BinaryLoop) =>
  binary(name, { forward: forward as never, exact: forward, dtype: () => 'bool', loop });

/**
 * Whether `a` equals `b`, elementwise with broadcasting: bool. NaN equals nothing.
 *
 * ```ts
 * eq(tensor([1, 2]), 2); // [false, true]
 * ```
 */
export const eq = comparison('eq', (a, b) => a === b, loops.eq);

/**
 * Whether `a` differs from `b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * ne(tensor([1, 2]), 2); // [true, false]
 * ```
 */
export const ne = comparison('ne', (a, b) => a !== b, loops.ne);

/**
 * Whether `a < b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * lt(tensor([1, 2]), 2); // [true, false]
 * ```
 */
export const lt = comparison('lt', (a, b) => a < b, loops.lt);

/**
 * Whether `a <= b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * le(tensor([1, 2]), 2); // [true, true]
 * ```
 */
export const le = comparison('le', (a, b) => a <= b, loops.le);

/**
 * Whether `a > b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * gt(tensor([1, 2]), 1); // [false, true]
 * ```
 */
export const gt = comparison('gt', (a, b) => a > b, loops.gt);

/**
 * Whether `a >= b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * ge(tensor([1, 2]), 2); // [false, true]
 * ```
 */
export const ge = comparison('ge', (a, b) => a >= b, loops.ge);

const plain = { maximum, minimum, eq, ne, lt, le, gt, ge };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
