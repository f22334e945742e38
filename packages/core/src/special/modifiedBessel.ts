import { unary } from '../ops/define.js';
import { add, div, mul, neg, sign, sub } from '../ops/elementwise.js';
import { eq } from '../ops/relational.js';
import { where } from '../ops/where.js';
import type { Tensor } from '../tensor/tensor.js';
import { far, hankel } from './hankel.js';

/** `exp(-x)` times the modified Bessel function of the first kind of order 0 or 1, for x ≥ 0. */
export function scaledI(order: 0 | 1, x: number): number {
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (x > far) {
    const { even, odd } = hankel(order, x, 1);
    return (even - odd) / Math.sqrt(2 * Math.PI * x);
  }
  let term = order === 0 ? 1 : x / 2;
  let sum = term;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x * x) / (4 * k * (k + order));
    sum += term;
  }
  return sum * Math.exp(-x);
}

// `exp(x)` as two factors: it may overflow where the product does not.
const grown = (order: 0 | 1, x: number): number => {
  const half = Math.exp(x / 2);
  return x === Number.POSITIVE_INFINITY ? x : scaledI(order, x) * half * half;
};

/** `f(x) / x`, and 1/2 at 0, the slope of a function of order 1. */
export const overX = (f: Tensor, x: Tensor): Tensor => {
  const none = eq(x, 0);
  return where(none, 0.5, div(f, where(none, 1, x)));
};

/**
 * The modified Bessel function of the first kind of order 0, elementwise.
 *
 * ```ts
 * i0(tensor([0, 1])); // [1, 1.266]
 * ```
 */
export const i0 = unary('i0', {
  forward: (x) => grown(0, Math.abs(x)),
  backward: (g, x) => mul(g, i1(x)),
  saves: 'input',
});

/**
 * `exp(-|x|) i0(x)`, elementwise; it does not overflow for large `x`.
 *
 * ```ts
 * i0e(tensor([0, 1])); // [1, 0.4658]
 * ```
 */
export const i0e = unary('i0e', {
  forward: (x) => scaledI(0, Math.abs(x)),
  backward: (g, x) => mul(g, sub(i1e(x), mul(sign(x), i0e(x)))),
  saves: 'input',
});

/**
 * The modified Bessel function of the first kind of order 1, elementwise.
 *
 * ```ts
 * i1(tensor([0, 1])); // [0, 0.5652]
 * ```
 */
export const i1 = unary('i1', {
  forward: (x) => Math.sign(x) * grown(1, Math.abs(x)),
  backward: (g, x) => mul(g, sub(i0(x), overX(i1(x), x))),
  saves: 'input',
});

/**
 * `exp(-|x|) i1(x)`, elementwise; it does not overflow for large `x`.
 *
 * ```ts
 * i1e(tensor([0, 1])); // [0, 0.2079]
 * ```
 */
export const i1e = unary('i1e', {
  forward: (x) => Math.sign(x) * scaledI(1, Math.abs(x)),
  backward: (g, x) => mul(g, sub(sub(i0e(x), overX(i1e(x), x)), mul(sign(x), i1e(x)))),
  saves: 'input',
});

/**
 * `exp(x)` times the modified Bessel function of the second kind of any order up to 1, for x from 0.6 up: the integral
 * of `exp(-x (cosh t - 1)) cosh(order t)` over t from 0 up. The trapezoidal rule has all its digits at steps of 1/8, as
 * the integrand is even and falls off faster than exponentially.
 */
export function scaledK(order: number, x: number): number {
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (x > far) {
    const { even, odd } = hankel(order, x, 1);
    return Math.sqrt(Math.PI / (2 * x)) * (even + odd);
  }
  let sum = 0.5;
  for (let t = 1 / 8, term = 1; term > 1e-18; t += 1 / 8) {
    term = Math.exp(-x * (Math.cosh(t) - 1)) * Math.cosh(order * t);
    sum += term;
  }
  return sum / 8;
}

const euler = 0.5772156649015329;

/**
 * The modified Bessel function of the second kind of order 0 or 1 near 0, by its series (Abramowitz and Stegun,
 * 9.6.11).
 */
function nearK(order: 0 | 1, x: number): number {
  const log = Math.log(x / 2);
  let term = order === 0 ? 1 : x / 2;
  let [first, sum] = [0, 0];
  // The sum of the digamma functions of k + 1 and k + 1 + order.
  let psi = order - 2 * euler;
  for (let k = 0; k < 30; k++) {
    first += term;
    sum += (psi / 2) * term;
    psi += 1 / (k + 1) + 1 / (k + 1 + order);
    term *= (x * x) / (4 * (k + 1) * (k + 1 + order));
  }
  return order === 0 ? sum - log * first : 1 / x + log * first - sum;
}

function secondKind(order: 0 | 1, x: number, isScaled: boolean): number {
  if (!(x >= 0)) return Number.NaN;
  if (x === 0) return Number.POSITIVE_INFINITY;
  if (x <= 2) return nearK(order, x) * (isScaled ? Math.exp(x) : 1);
  return scaledK(order, x) * (isScaled ? 1 : Math.exp(-x));
}

/**
 * The modified Bessel function of the second kind of order 0, elementwise: infinite at 0, NaN below. It has a gradient,
 * which PyTorch's lacks.
 *
 * ```ts
 * modifiedBesselK0(tensor([1, 2])); // [0.421, 0.1139]
 * ```
 */
export const modifiedBesselK0 = unary('modifiedBesselK0', {
  forward: (x) => secondKind(0, x, false),
  backward: (g, x) => neg(mul(g, modifiedBesselK1(x))),
  saves: 'input',
});

/**
 * The modified Bessel function of the second kind of order 1, elementwise: infinite at 0, NaN below. It has a gradient,
 * which PyTorch's lacks.
 *
 * ```ts
 * modifiedBesselK1(tensor([1, 2])); // [0.6019, 0.1399]
 * ```
 */
export const modifiedBesselK1 = unary('modifiedBesselK1', {
  forward: (x) => secondKind(1, x, false),
  backward: (g, x) => neg(mul(g, add(modifiedBesselK0(x), div(modifiedBesselK1(x), x)))),
  saves: 'input',
});

/**
 * `exp(x) modifiedBesselK0(x)`, elementwise; it does not underflow for large `x`.
 *
 * ```ts
 * scaledModifiedBesselK0(tensor([1, 1000])); // [1.144, 0.03963]
 * ```
 */
export const scaledModifiedBesselK0 = unary('scaledModifiedBesselK0', {
  forward: (x) => secondKind(0, x, true),
  backward: (g, x) => mul(g, sub(scaledModifiedBesselK0(x), scaledModifiedBesselK1(x))),
  saves: 'input',
});

/**
 * `exp(x) modifiedBesselK1(x)`, elementwise; it does not underflow for large `x`.
 *
 * ```ts
 * scaledModifiedBesselK1(tensor([1, 1000])); // [1.636, 0.03965]
 * ```
 */
export const scaledModifiedBesselK1 = unary('scaledModifiedBesselK1', {
  forward: (x) => secondKind(1, x, true),
  backward: (g, x) => {
    const k1 = scaledModifiedBesselK1(x);
    return mul(g, sub(sub(k1, div(k1, x)), scaledModifiedBesselK0(x)));
  },
  saves: 'input',
});
