import { unary } from '../ops/define.js';
import { div, mul, neg, sub } from '../ops/elementwise.js';
import { eq } from '../ops/relational.js';
import { where } from '../ops/where.js';
import { far, hankel } from './hankel.js';
import { overX } from './modifiedBessel.js';

/** The Bessel functions of orders 0 and 1, of the first kind and of the second, at x. */
interface Kinds {
  readonly j: readonly [number, number];
  readonly y: readonly [number, number];
}

/** Far from 0, by Hankel's expansion (Abramowitz and Stegun, 9.2.5). */
function farFrom0(order: 0 | 1, x: number): { j: number; y: number } {
  const { even, odd } = hankel(order, x, -1);
  // cos(x - φ) and sin(x - φ), from those of x, so that x is not rounded.
  const [c, s] = [Math.cos(x) * Math.SQRT1_2, Math.sin(x) * Math.SQRT1_2];
  const [cos, sin] = order === 0 ? [c + s, s - c] : [s - c, -c - s];
  const size = Math.sqrt(2 / (Math.PI * x));
  return { j: size * (even * cos - odd * sin), y: size * (even * sin + odd * cos) };
}

const euler = 0.5772156649015329;

/**
 * Near 0, by Miller's recurrence downwards, scaled by `J0 + 2 J2 + 2 J4 + ... = 1`. Those of the second kind are sums
 * of the others (Neumann's series; Abramowitz and Stegun, 9.1.88).
 */
function near0(x: number): Kinds {
  let [above, here] = [0, Number.MIN_VALUE * 2 ** 100];
  let [sum, evens, odds] = [0, 0, 0];
  for (let k = 2 * Math.ceil(x / 2 + 15); k > 0; k--) {
    const half = k >> 1;
    const sign = half % 2 === 0 ? 1 : -1;
    if (k % 2 === 1) {
      if (k > 1) odds += (sign * k * here) / (half * (half + 1));
    } else {
      sum += 2 * here;
      evens += (sign * here) / half;
    }
    [above, here] = [here, ((2 * k) / x) * here - above];
    if (Math.abs(here) > 1e200) {
      [above, here] = [above * 1e-200, here * 1e-200];
      [sum, evens, odds] = [sum * 1e-200, evens * 1e-200, odds * 1e-200];
    }
  }
  const all = sum + here;
  const j = [here / all, above / all] as const;
  return { j, y: ofSecondKind(j, evens / all, odds / all, x) };
}

function ofSecondKind(j: readonly [number, number], evens: number, odds: number, x: number): [number, number] {
  const log = Math.log(x / 2) + euler;
  return [(2 * log * j[0] - 4 * evens) / Math.PI, (2 * ((log - 1) * j[1] - j[0] / x) - 2 * odds) / Math.PI];
}

/** The Bessel function of the first kind of order 0 or 1, for x from 0 up. */
function firstKind(order: 0 | 1, x: number): number {
  if (Number.isNaN(x)) return x;
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (x > far) return farFrom0(order, x).j;
  return x < 1e-8 ? (order === 0 ? 1 : x / 2) : near0(x).j[order];
}

/** That of the second kind. */
function secondKind(order: 0 | 1, x: number): number {
  if (!(x >= 0)) return Number.NaN;
  if (x === 0) return Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (x > far) return farFrom0(order, x).y;
  return x < 1e-8 ? ofSecondKind([1, x / 2], 0, 0, x)[order] : near0(x).y[order];
}

/**
 * The Bessel function of the first kind of order 0, elementwise.
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
 * The Bessel function of the first kind of order 1, elementwise.
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

/**
 * The Bessel function of the second kind of order 0, elementwise: -Infinity at 0, NaN below. It has a gradient, which
 * PyTorch's lacks.
 *
 * ```ts
 * besselY0(tensor([1, 2])); // [0.08826, 0.5104]
 * ```
 */
export const besselY0 = unary('besselY0', {
  forward: (x) => secondKind(0, x),
  backward: (g, x) => neg(mul(g, besselY1(x))),
  saves: 'input',
});

/**
 * The Bessel function of the second kind of order 1, elementwise: -Infinity at 0, NaN below. It has a gradient, which
 * PyTorch's lacks.
 *
 * ```ts
 * besselY1(tensor([1, 2])); // [-0.7812, -0.107]
 * ```
 */
export const besselY1 = unary('besselY1', {
  forward: (x) => secondKind(1, x),
  backward: (g, x) => mul(g, sub(besselY0(x), div(besselY1(x), x))),
  saves: 'input',
});

/**
 * The spherical Bessel function of the first kind of order 0, elementwise: `sin(x) / x`, and 1 at 0. It has a gradient,
 * which PyTorch's lacks.
 *
 * ```ts
 * sphericalBesselJ0(tensor([0, 1])); // [1, 0.8415]
 * ```
 */
export const sphericalBesselJ0 = unary('sphericalBesselJ0', {
  forward: (x) => (x === 0 ? 1 : Number.isFinite(x) ? Math.sin(x) / x : Math.abs(1 / x)),
  backward: (g, x) => neg(mul(g, sphericalBesselJ1(x))),
  saves: 'input',
});

/** Minus the derivative of `sphericalBesselJ0`, as a series near 0, where the terms of the formula cancel. */
function sphericalJ1(x: number): number {
  if (Math.abs(x) > 1) return Number.isFinite(x) ? (Math.sin(x) / x - Math.cos(x)) / x : 1 / x;
  let term = x / 3;
  let sum = term;
  for (let k = 1; k < 12; k++) {
    term *= (-x * x) / (2 * k * (2 * k + 3));
    sum += term;
  }
  return sum;
}

const sphericalBesselJ1 = unary('sphericalBesselJ1', {
  forward: sphericalJ1,
  backward: (g, x) => {
    const none = eq(x, 0);
    const share = where(none, 1 / 3, div(sphericalBesselJ1(x), where(none, 1, x)));
    return mul(g, sub(sphericalBesselJ0(x), mul(share, 2)));
  },
  saves: 'input',
});
