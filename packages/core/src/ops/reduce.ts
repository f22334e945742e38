import { kernelsOf } from '../backend/backends.js';
import { check } from '../check.js';
import { isGradEnabled } from '../grad/index.js';
import { type Backward, record } from '../graph/node.js';
import { isComplex, toCount } from '../memory/dtype.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import { ones as newOnes, onesLike } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { inFloat32 } from './casting.js';
import { applyUnary, conjugate, floatOnly, floatOrComplex, unaryOperator } from './define.js';
import { div, mul, sub } from './elementwise.js';
import { amax, amin } from './extrema.js';
import { divOrZero } from './gradients.js';
import type * as self from './reduce.js';
import { type Dim, expandOver, type KeepDim, type Plan, plan, reduced, sum } from './sum.js';

export { type Dim, type KeepDim, sum, sumTo } from './sum.js';

/**
 * The mean over `dim`, by default over all elements. Floating point only. NaN for an empty tensor.
 *
 * ```ts
 * mean(tensor([[1, 2], [3, 4]]), 1, { keepdim: true }); // [[1.5], [3.5]]
 * ```
 */
export function mean(x: Tensor, dim?: Dim, options?: KeepDim): Tensor {
  checkTensors('mean', x);
  floatOrComplex('mean', x);
  const p = plan('mean', x, dim, options);
  return recordMean(x, p, reduced('mean', x, p, x.dtype));
}

function recordMean(x: Tensor, p: Plan, means: Tensor): Tensor {
  const { shape } = x;
  return record('mean', [x], means, (g) => [expandOver(div(g, p.count), p, shape)]);
}

/**
 * The product over `dim`, by default over all elements. With `keepdim` the dimension stays, with size 1. Integers give
 * int64.
 *
 * ```ts
 * prod(tensor([[1, 2], [3, 4]])); // 24
 * ```
 */
export const prod = /* @__PURE__ */ inFloat32('prod', (x: Tensor, dim?: Dim, options?: KeepDim): Tensor => {
  const p = plan('prod', x, dim, options);
  return record(
    'prod',
    [x],
    reduced('prod', x, p, toCount(x.dtype)),
    (g, ctx) => [mul(expandOver(g, p, ctx.saved[0]!.shape), productOfOthers(conjugate(ctx.saved[0]!), p.dims))],
    [x],
  );
});

/** For each element, the product of the others along `dims`; without division, as elements may be 0. */
function productOfOthers(x: Tensor, dims: readonly number[]): Tensor {
  // One dimension at a time: others = (others along this dim) * (product over the remaining dims).
  const [first, ...rest] = dims;
  if (first === undefined) return onesLike(x);
  const n = x.shape[first]!;
  const slices = Array.from({ length: n }, (_, i) => x.narrow(first, i, 1));
  const size = x.shape.map((n, d) => (d === first ? 1 : n));
  const ones = newOnes(size, { dtype: x.dtype, device: x.device });
  const before: Tensor[] = [];
  let acc = ones;
  for (let i = 0; i < n; i++) {
    before.push(acc);
    acc = mul(acc, slices[i]!);
  }
  const whole = acc;
  acc = ones;
  const along: Tensor[] = new Array(n);
  for (let i = n - 1; i >= 0; i--) {
    along[i] = mul(before[i]!, acc);
    acc = mul(acc, slices[i]!);
  }
  if (n === 0) return x;
  const others = n === 1 ? along[0]! : along[0]!.cat(along.slice(1), first);
  return rest.length === 0 ? others : mul(others, productOfOthers(whole, rest));
}

/** Options of `var`, `std`, `varMean` and `stdMean`. */
export interface VarOptions extends KeepDim {
  /** Subtracted from the count; 1 (Bessel's correction) by default. */
  correction?: number;
  /** The older form: true is a correction of 1, false one of 0. */
  unbiased?: boolean;
}

const varOptions = { keepdim: is.boolean, correction: is.number, unbiased: is.boolean };

function correctionOf(name: string, { correction, unbiased }: VarOptions): number {
  if (unbiased === undefined) return correction ?? 1;
  if (correction !== undefined) throw new TypeError(`${name}: give correction or unbiased, not both`);
  return unbiased ? 1 : 0;
}

/**
 * The variance over `dim`, by default over all elements: `sum((x - mean)²) / (n - correction)`. `correction` is 1 by
 * default; with `keepdim` the dimension stays, with size 1. Floating point only.
 *
 * ```ts
 * tensor([1, 3]).var(); // 2
 * tensor([1, 3]).var(0, { correction: 0 }); // 1
 * ```
 */
function variance(x: Tensor, dim?: Dim, options: VarOptions = {}): Tensor {
  checkTensors('var', x);
  floatOnly('var', x);
  const p = plan('var', x, dim, options, varOptions);
  return recordVariance('var', x, p, options)[0];
}

/** Computes and records the variances or their roots; returns the means too. */
function recordVariance(name: 'var' | 'std', x: Tensor, p: Plan, options: VarOptions = {}): [Tensor, means: Tensor] {
  const correction = correctionOf(name, options);
  const root = name === 'std';
  const { backend } = x.storage;
  const out = Tensor.uninitialized(x.dtype, p.shape, backend);
  const means = Tensor.uninitialized(x.dtype, p.shape, backend);
  backend.kernels.variance(x, p.dims, correction, root, out, means);
  const divisor = Math.max(0, p.count - correction);
  const backward: Backward = (g, ctx) => {
    const [x, means, out] = ctx.saved as [Tensor, Tensor, Tensor];
    const scale = root ? divOrZero(g, mul(out, divisor)) : div(mul(g, 2), divisor);
    return [varianceGradient(x, p, means, scale)];
  };
  return [record(name, [x], out, backward, root ? [x, means, out] : [x, means]), means];
}

function varianceGradient(x: Tensor, p: Plan, means: Tensor, scale: Tensor): Tensor {
  if (isGradEnabled()) return mul(sub(x, mean(x, p.dims, { keepdim: true })), scale.reshape(p.keepShape));
  const out = Tensor.uninitialized(x.dtype, x.shape, x.storage.backend);
  kernelsOf('var', x, scale).varianceGradient(x, p.dims, means, scale, out);
  return out;
}

/**
 * The variance and the mean over `dim`, by default over all elements, as `[variance, mean]`. Options: `correction` 1
 * and `keepdim` false.
 *
 * ```ts
 * varMean(tensor([1, 3])); // [2, 2]
 * ```
 */
export const varMean = /* @__PURE__ */ withMean('varMean', 'var');

/**
 * The standard deviation and the mean over `dim`, by default over all elements, as `[deviation, mean]`. Options as for
 * `std`.
 *
 * ```ts
 * stdMean(tensor([1, 3]), 0, { correction: 0 }); // [1, 2]
 * ```
 */
export const stdMean = /* @__PURE__ */ withMean('stdMean', 'std');

function withMean(op: string, name: 'var' | 'std') {
  return madeOf(op, (x: Tensor, dim?: Dim, options?: VarOptions): [Tensor, Tensor] => {
    floatOnly(op, x);
    const p = plan(op, x, dim, options, varOptions);
    const [out, means] = recordVariance(name, x, p, options);
    // A copy, as the user may write to the result.
    return [out, recordMean(x, p, means.clone())];
  });
}

export {
  /**
   * The variance over `dim`, by default over all elements: `sum((x - mean)²) / (n - correction)`, where `correction` is
   * 1 by default.
   */
  variance as var,
};

/**
 * The standard deviation over `dim`, by default over all elements. `correction`, 1 by default, is subtracted from the
 * count; with `keepdim` the dimension stays, with size 1. The gradient is 0 where the result is 0.
 *
 * ```ts
 * std(tensor([1, 3])); // 1.414
 * ```
 */
export function std(x: Tensor, dim?: Dim, options?: VarOptions): Tensor {
  checkTensors('std', x);
  floatOnly('std', x);
  const p = plan('std', x, dim, options, varOptions);
  return recordVariance('std', x, p, options)[0];
}

/**
 * Whether any element over `dim`, by default over all, is nonzero: bool. With `keepdim` the dimension stays, with
 * size 1.
 *
 * ```ts
 * any(tensor([[0, 1], [0, 0]]), 1); // [true, false]
 * ```
 */
export function any(x: Tensor, dim?: Dim, options?: KeepDim): Tensor {
  const p = plan('any', x, dim, options);
  return reduced('any', x, p, 'bool');
}

/**
 * Whether all elements over `dim`, by default all of the tensor, are nonzero: bool. With `keepdim` the dimension stays,
 * with size 1.
 *
 * ```ts
 * all(tensor([1, 2])); // true
 * ```
 */
export function all(x: Tensor, dim?: Dim, options?: KeepDim): Tensor {
  const p = plan('all', x, dim, options);
  return reduced('all', x, p, 'bool');
}

/**
 * The `p`-norm over `dim`: `(Σ|x|^p)^(1/p)`; for Infinity the largest absolute value, for 0 the number of nonzero
 * elements. The gradient is 0 where the norm is 0, and at elements that are 0 where the derivative there is not finite.
 *
 * ```ts
 * norm(tensor([3, 4])); // 5
 * ```
 */
export const norm = /* @__PURE__ */ madeOf('norm', (x: Tensor, p = 2, dim?: Dim, options?: KeepDim): Tensor => {
  if (isComplex(x.dtype)) x = x.abs();
  floatOrComplex('norm', x);
  check('norm', 'p', p, is.number);
  if (1 / p === 0) return (p > 0 ? amax : amin)(x.abs(), dim, options);
  if (p === 1) return sum(x.abs(), dim, options);
  const r = plan('norm', x, dim, options);
  if (p === 0) {
    const { dtype, shape, storage } = x;
    const counts = sum(x.detach().ne(0).to(dtype), dim, options);
    return record('norm', [x], counts, () => [Tensor.zeros(dtype, shape, storage.backend)]);
  }
  if (p !== 2) return powerNorm(x, p, r);
  const out = reduced('norm', x, r, x.dtype);
  return record(
    'norm',
    [x],
    out,
    (g, ctx) => {
      const [x, y] = ctx.saved as [Tensor, Tensor];
      const length = y.reshape(r.keepShape);
      // The gradient at length 0 is defined as 0.
      return [mul(g.reshape(r.keepShape), divOrZero(x, length))];
    },
    [x, out],
  );
});

/** The `p`-norm for `p` other than 0, 1, 2 and infinities: its gradient is `sign(x) |x|^(p - 1) norm^(1 - p)`. */
function powerNorm(x: Tensor, p: number, r: Plan): Tensor {
  const out = reduced('norm', x, r, x.dtype, p);
  return record(
    'norm',
    [x],
    out,
    (g, ctx) => {
      const [x, y] = ctx.saved as [Tensor, Tensor];
      return [mul(signedPower(x, p - 1), mul(g, absPower(y, 1 - p)).reshape(r.keepShape))];
    },
    [x, out],
  );
}

/**
 * `sign(x) |x|^q` and `|x|^q`, 0 at 0 for any `q`. The derivative of each is `q` times the other, to the power `q - 1`.
 */
const signedPowerOperator = unaryOperator('signedPower', {
  forward: (v, q) => (v === 0 ? 0 : Math.sign(v) * Math.abs(v) ** q),
  backward: (g, x, _, [q]) => mul(g, mul(absPower(x, q! - 1), q!)),
  saves: 'input',
});
const absPowerOperator = unaryOperator('absPower', {
  forward: (v, q) => (v === 0 ? 0 : Math.abs(v) ** q),
  backward: (g, x, _, [q]) => mul(g, mul(signedPower(x, q! - 1), q!)),
  saves: 'input',
});
const signedPower = (x: Tensor, q: number): Tensor => applyUnary(signedPowerOperator, x, [q]);
const absPower = (x: Tensor, q: number): Tensor => applyUnary(absPowerOperator, x, [q]);

const plain = { norm, mean, prod, std, any, all, var: variance };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
