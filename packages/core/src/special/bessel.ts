import { unary } from '../ops/define.js';
import { div, eq, mul, neg, sign, sub, where } from '../ops/elementwise.js';
import type { Tensor } from '../tensor/tensor.js';

/** From here on the asymptotic series are exact to all digits: their smallest term is about `exp(-2x)`. */
const far = 25;

/** `exp(-x)` times the modified Bessel function of the first kind of order 0 or 1, for x from 0 up. */
export function scaledI(order: 0 | 1, x: number): number {
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (x > far) {
    const mu = 4 * order;
    let term = 1;
    let sum = 1;
    for (let k = 1; k < 40 && Math.abs(term) > 1e-17; k++) {
      term *= ((2 * k - 1) ** 2 - mu) / (8 * k * x);
      sum += term;
    }
    return sum / Math.sqrt(2 * Math.PI * x);
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

/** `f(x) / x`, and half at 0, where it is the slope of a function of order 1. */
const overX = (f: Tensor, x: Tensor): Tensor => {
  const none = eq(x, 0);
  return where(none, 0.5, div(f, where(none, 1, x)));
};

/**
 * The modified Bessel function of the first kind, of order 0.
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
 * `exp(-|x|) i0(x)`.
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
 * The modified Bessel function of the first kind, of order 1.
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
 * `exp(-|x|) i1(x)`.
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

/** The same far from 0. */
function farFirstKind(order: 0 | 1, x: number): number {
  // Hankel's expansion (Abramowitz and Stegun, 9.2.5).
  const mu = 4 * order;
  let term = 1;
  let [p, q] = [1, 0];
  for (let k = 1; k < 40 && Math.abs(term) > 1e-17; k++) {
    term *= (mu - (2 * k - 1) ** 2) / (8 * k * x);
    if (k % 2 === 1) q += k % 4 === 1 ? term : -term;
    else p += k % 4 === 0 ? term : -term;
  }
  // cos(x - φ) and sin(x - φ), from those of x, so that x is not rounded.
  const [c, s] = [Math.cos(x) * Math.SQRT1_2, Math.sin(x) * Math.SQRT1_2];
  const [cos, sin] = order === 0 ? [c + s, s - c] : [s - c, -c - s];
  return Math.sqrt(2 / (Math.PI * x)) * (p * cos - q * sin);
}

/** The Bessel function of the first kind of order 0 or 1, for x from 0 up. */
function firstKind(order: 0 | 1, x: number): number {
  if (Number.isNaN(x)) return x;
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (x > far) return farFirstKind(order, x);
  // Miller's recurrence downwards, scaled by `J0 + 2 J2 + 2 J4 + ... = 1`.
  let [above, here, sum] = [0, Number.MIN_VALUE * 2 ** 100, 0];
  if (x < 1e-8) return order === 0 ? 1 : x / 2;
  const start = 2 * Math.ceil(x / 2 + 15);
  for (let k = start; k > 0; k--) {
    if (k % 2 === 0) sum += 2 * here;
    [above, here] = [here, ((2 * k) / x) * here - above];
    if (Math.abs(here) > 1e200) [above, here, sum] = [above * 1e-200, here * 1e-200, sum * 1e-200];
  }
  return (order === 0 ? here : above) / (sum + here);
}

/**
 * The Bessel function of the first kind, of order 0.
 *
 * ```ts
 * besselJ0(tensor([0, 1])); // [1, 0.7652]
 * ```
 */
export const besselJ0 = unary('besselJ0', {
  forward: (x) => firstKind(0, Math.abs(x)),
  backward: (g, x) => neg(mul(g, besselJ1(x))),
  saves: 'input',
});

/**
 * The Bessel function of the first kind, of order 1.
 *
 * ```ts
 * besselJ1(tensor([0, 1])); // [0, 0.4401]
 * ```
 */
export const besselJ1 = unary('besselJ1', {
  forward: (x) => Math.sign(x) * firstKind(1, Math.abs(x)),
  backward: (g, x) => mul(g, sub(besselJ0(x), overX(besselJ1(x), x))),
  saves: 'input',
});
