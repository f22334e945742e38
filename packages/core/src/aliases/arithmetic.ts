import { check, checkOptions } from '../check.js';
import { DTypeError, named, ShapeError } from '../errors.js';
import { isComplex, recordOf } from '../memory/dtype.js';
import { formatShape } from '../memory/shape.js';
import { type Bound, clamp } from '../ops/arithmetic.js';
import { tensordot } from '../ops/blas.js';
import { to } from '../ops/copy.js';
import { conjugate, type TensorLike } from '../ops/define.js';
import { triuIndices } from '../ops/diagonal.js';
import { dot } from '../ops/einsum.js';
import { mul, sub } from '../ops/elementwise.js';
import { exp2, logaddexp, pow } from '../ops/exponential.js';
import { indexSelect } from '../ops/indexing.js';
import { mH } from '../ops/linalg.js';
import { eq } from '../ops/relational.js';
import { flatten } from '../ops/shape.js';
import { sort } from '../ops/sorting.js';
import { cdist } from '../ops/statistics.js';
import { checkTensors } from '../tensor/check.js';
import { full, linspace, onesLike } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import type { RandomOptions, TensorOptions } from '../tensor/make.js';
import { randint } from '../tensor/randomTensors.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * `other - alpha * x`, with broadcasting; `alpha` is 1 by default.
 *
 * ```ts
 * rsub(tensor([1, 2]), 10); // [9, 8]
 * ```
 */
export const rsub = /* @__PURE__ */ named(
  'rsub',
  (x: Tensor, other: TensorLike, options?: { alpha?: number }): Tensor => {
    const { alpha = 1 } = checkOptions('rsub', options, { alpha: is.number });
    checkTensors('rsub', x);
    return sub(other, alpha === 1 ? x : mul(x, alpha));
  },
);

/**
 * The larger of each element and a bound, a number or a tensor that broadcasts.
 *
 * ```ts
 * clampMin(tensor([-1, 2]), 0); // [0, 2]
 * ```
 */
export const clampMin = /* @__PURE__ */ named(
  'clampMin',
  (x: Tensor, min: NonNullable<Bound>): Tensor => clamp(x, min),
);

/**
 * The smaller of each element and a bound, a number or a tensor that broadcasts.
 *
 * ```ts
 * clampMax(tensor([-1, 2]), 0); // [-1, 0]
 * ```
 */
export const clampMax = /* @__PURE__ */ named(
  'clampMax',
  (x: Tensor, max: NonNullable<Bound>): Tensor => clamp(x, undefined, max),
);

/**
 * The sums of products over the last dimensions, `[..., n]` and `[..., n]`; the product if one has no dimension.
 *
 * ```ts
 * inner(tensor([[1, 2], [3, 4]]), tensor([1, 1])); // [3, 7]
 * ```
 */
export const inner = /* @__PURE__ */ named('inner', (a: Tensor, b: Tensor): Tensor => {
  checkTensors('inner', a, b);
  if (a.ndim === 0 || b.ndim === 0) return mul(a, b);
  if (a.shape.at(-1) !== b.shape.at(-1))
    throw new ShapeError('inner', `${formatShape(a.shape)} and ${formatShape(b.shape)} have other last dimensions`);
  return tensordot(a, b, [[-1], [-1]]);
});

/**
 * The sum of products of two vectors, the first of which is conjugated if it is complex: `[n]`, `[n]` to `[]`.
 *
 * ```ts
 * vdot(tensor([1, 2]), tensor([3, 4])); // 11
 * ```
 */
export const vdot = /* @__PURE__ */ named('vdot', (a: Tensor, b: Tensor): Tensor => {
  checkTensors('vdot', a, b);
  return dot(conjugate(a), b);
});

/**
 * The transpose of matrices `[..., m, n]`, conjugated if they are complex: `[..., n, m]`.
 *
 * ```ts
 * adjoint(tensor([[1, 2]])); // [[1], [2]]
 * ```
 */
export const adjoint = /* @__PURE__ */ named('adjoint', (x: Tensor): Tensor => {
  checkTensors('adjoint', x);
  if (x.ndim < 2) throw new ShapeError('adjoint', `takes matrices, got ${formatShape(x.shape)}`);
  return mH(x);
});

/**
 * The tensor itself; bool is refused.
 *
 * ```ts
 * positive(tensor([-1])); // [-1]
 * ```
 */
export function positive(x: Tensor): Tensor {
  checkTensors('positive', x);
  if (x.dtype === 'bool') throw new DTypeError('positive', 'takes numbers, got bool; use .int()');
  return x;
}

/**
 * `x` to a power in float64, or complex128: integers, too, have fractions then.
 *
 * ```ts
 * floatPower(tensor([2], { dtype: 'int32' }), -1); // [0.5]
 * ```
 */
export const floatPower = /* @__PURE__ */ named('floatPower', (x: TensorLike, exponent: TensorLike): Tensor => {
  const all = [x, exponent];
  if (!all.some(Tensor.is)) throw new TypeError('floatPower: expected a Tensor, got two numbers');
  const isWide = all.some((t) => Tensor.is(t) && isComplex(t.dtype));
  const [a, b] = all.map((t) => (Tensor.is(t) ? to(t, isWide ? 'complex128' : 'float64') : t)) as [Tensor, Tensor];
  return pow(a, b);
});

/**
 * `log2(2^a + 2^b)` without overflow, with broadcasting.
 *
 * ```ts
 * logaddexp2(tensor([1]), tensor([1])); // [2]
 * ```
 */
export const logaddexp2 = /* @__PURE__ */ named('logaddexp2', (a: Tensor, b: Tensor): Tensor => {
  checkTensors('logaddexp2', a, b);
  return mul(logaddexp(mul(a, Math.LN2), mul(b, Math.LN2)), Math.LOG2E);
});

/**
 * Powers of `base`, 10 by default, with exponents from `start` to `end` at even distances: `[steps]`.
 *
 * ```ts
 * logspace(0, 2, 3); // [1, 10, 100]
 * ```
 */
export const logspace = /* @__PURE__ */ named(
  'logspace',
  (start: number, end: number, steps: number, options: TensorOptions & { base?: number } = {}): Tensor => {
    const { base = 10, ...rest } = options;
    check('logspace', 'base', base, is.number);
    const { dtype = 'float32', requiresGrad = false, ...place } = rest;
    const exponents = linspace(start, end, steps, { ...place, dtype: 'float64' });
    const powers = base === 2 ? exp2(exponents) : pow(full([], base, { dtype: 'float64' }), exponents);
    const out = to(powers, dtype);
    return requiresGrad ? out.requiresGrad_() : out;
  },
);

/**
 * Random whole numbers from `low` up to but without `high`, with the shape, dtype and device of `x`. Options as of `randint`.
 *
 * ```ts
 * randintLike(zeros([2, 3]), 0, 10).shape; // [2, 3]
 * ```
 */
export const randintLike = /* @__PURE__ */ named(
  'randintLike',
  (x: Tensor, low: number, high: number, options?: RandomOptions): Tensor => {
    checkTensors('randintLike', x);
    const { dtype, device } = x;
    const exact = recordOf(dtype).kind === 'integer' ? dtype : 'int32';
    const { dtype: wanted = dtype, ...rest } = { device, ...options };
    return to(randint(low, high, x.shape, { ...rest, dtype: exact }), wanted);
  },
);

/**
 * The distances of the rows of a matrix to each other, `[n, m]` to `[n (n - 1) / 2]`: those of the first to all after it, of
 * the second, and so on. `p` is 2 by default, as of `cdist`.
 *
 * ```ts
 * pdist(tensor([[0, 0], [3, 4]])); // [5]
 * ```
 */
export const pdist = /* @__PURE__ */ named('pdist', (x: Tensor, p = 2): Tensor => {
  checkTensors('pdist', x);
  if (x.ndim !== 2) throw new ShapeError('pdist', `takes a matrix, got ${formatShape(x.shape)}`);
  const n = x.shape[0]!;
  const [i, j] = triuIndices(n, n, 1).to(x.device).unbind() as [Tensor, Tensor];
  return cdistOfPairs(indexSelect(x, 0, i), indexSelect(x, 0, j), p);
});

/** The distances of rows with the same number. */
const cdistOfPairs = (a: Tensor, b: Tensor, p: number): Tensor => flatten(cdist(a.unsqueeze(1), b.unsqueeze(1), p));

/**
 * The elements in ascending order along the first dimension.
 *
 * ```ts
 * msort(tensor([3, 1, 2])); // [1, 2, 3]
 * ```
 */
export const msort = /* @__PURE__ */ named('msort', (x: Tensor): Tensor => sort(x, 0).values);

/**
 * Whether elements have no imaginary part: bool in the shape of `x`.
 *
 * ```ts
 * isreal(tensor([1, 2])); // [true, true]
 * ```
 */
export const isreal = /* @__PURE__ */ named('isreal', (x: Tensor): Tensor => {
  checkTensors('isreal', x);
  return isComplex(x.dtype) ? eq(x, conjugate(x)) : onesLike(x, { dtype: 'bool' });
});
