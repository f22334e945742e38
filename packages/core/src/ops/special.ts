import { check, checkOptions } from '../check.js';
import { DTypeError } from '../errors.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, type MethodsOf, methods } from '../tensor/methods.js';
import type { Tensor } from '../tensor/tensor.js';
import { applyUnary, unary, unaryOperator, withInPlace } from './define.js';
import { add, div, exp, mul, neg, sub } from './elementwise.js';
import { square } from './exponential.js';
import { logicalOr } from './logical.js';
import { gt, lt } from './relational.js';
import type * as self from './special.js';
import { where } from './where.js';

/** `exp(x²) erfc(x) sqrt(π)` for x from 2 up: a continued fraction (Abramowitz and Stegun, 7.1.14). */
export function erfcTail(x: number): number {
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction);
  return 1 / (x + fraction);
}

/** The error function, to float64's precision: its series (all terms positive), or 1 minus the tail. */
export function erfOf(x: number): number {
  const a = Math.abs(x);
  if (!(a < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  if (a >= 2.5) return Math.sign(x) * (1 - (Math.exp(-a * a) / Math.sqrt(Math.PI)) * erfcTail(a));
  // exp(-x²) Σ 2^n x^(2n+1) / (2n+1)!!
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17 && n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const erfcOf = (x: number): number =>
  x < 2.5 ? 1 - erfOf(x) : (Math.exp(-x * x) / Math.sqrt(Math.PI)) * erfcTail(x);

/** Winitzki's approximation (2008), then Halley's steps. */
function erfinvOf(y: number): number {
  const a = Math.abs(y);
  if (!(a < 1)) return a === 1 ? y * Number.POSITIVE_INFINITY : Number.NaN;
  const l = Math.log1p(-a * a);
  const t = 2 / (Math.PI * 0.147) + l / 2;
  let x = Math.sqrt(Math.sqrt(t * t - l / 0.147) - t);
  for (let i = 0; i < 3; i++) {
    const step = ((1 - a - erfcOf(x)) * Math.sqrt(Math.PI)) / (2 * Math.exp(-x * x));
    x -= step / (1 + x * step);
  }
  return Math.sign(y) * x;
}

/**
 * The error function of each element. The result has the shape of `x`.
 *
 * ```ts
 * erf(tensor([0, 1])); // [0, 0.8427]
 * ```
 */
export const erf = unary('erf', {
  forward: erfOf,
  backward: (g, x) => mul(g, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
  saves: 'input',
});

/**
 * `1 - erf(x)` of each element, accurate for large `x`. The result has the shape of `x`.
 *
 * ```ts
 * erfc(tensor([0, 1])); // [1, 0.1573]
 * ```
 */
export const erfc = unary('erfc', {
  forward: erfcOf,
  backward: (g, x) => mul(g, mul(exp(neg(square(x))), -2 / Math.sqrt(Math.PI))),
  saves: 'input',
});

/**
 * The inverse of `erf` of each element: infinite at -1 and 1, NaN outside of them. The result has the shape of `x`.
 *
 * ```ts
 * erfinv(tensor([0, 0.5])); // [0, 0.4769]
 * ```
 */
export const erfinv = unary('erfinv', {
  forward: erfinvOf,
  backward: (g, _, y) => mul(g, mul(exp(square(y)), Math.sqrt(Math.PI) / 2)),
  saves: 'result',
});

/** `log(|Γ(x)|)`: Stirling's series from 10 up, and below 10 the recurrence. */
export function lgammaOf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x) || (x <= 0 && Number.isInteger(x))) return Number.POSITIVE_INFINITY;
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * (x % 1)))) - lgammaOf(1 - x);
  if (x === 1 || x === 2) return 0;
  let z = x;
  let product = 1;
  while (z < 10) product *= z++;
  const r = 1 / (z * z);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r * (1 / 1188 - (r * 691) / 360360))))) / z;
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series - Math.log(product);
}

/** Bernoulli numbers B2, B4, ... over their factorials. */
const bernoulli = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000, 1 / 74724249600];

/** `Σ 1 / (x + k)^s` for s above 1, which must be whole where x is below 0 (Euler and Maclaurin). */
export function hurwitz(s: number, x: number): number {
  if (x <= 0) return hurwitzBelow(s, x);
  let sum = 0;
  let z = x;
  for (; z < 12; z++) sum += z ** -s;
  sum += z ** (1 - s) / (s - 1) + z ** -s / 2;
  let factor = s * z ** (-s - 1);
  for (let k = 0; k < bernoulli.length; k++) {
    sum += bernoulli[k]! * factor;
    factor *= ((s + 2 * k + 1) * (s + 2 * k + 2)) / (z * z);
  }
  return sum;
}

/**
 * The same for x up to 0, in a number of steps that does not depend on x: the sum over all integers k depends only on
 * the fraction of x, and consists of two sums of positive terms; a third one is subtracted.
 */
function hurwitzBelow(s: number, x: number): number {
  if (Number.isInteger(x)) return Number.POSITIVE_INFINITY;
  const fraction = x - Math.floor(x);
  const sign = s % 2 === 0 ? 1 : -1;
  return hurwitz(s, fraction) + sign * (hurwitz(s, 1 - fraction) - hurwitz(s, 1 - x));
}

/** The derivative of `lgammaOf`: its asymptotic series from 10 up, and below 10 the recurrence. */
export function digammaOf(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  if (x < 0) return Number.isInteger(x) ? Number.NaN : digammaOf(1 - x) - Math.PI / Math.tan(Math.PI * (x % 1));
  let sum = 0;
  let z = x;
  for (; z < 10; z++) sum -= 1 / z;
  const r = 1 / (z * z);
  return sum + Math.log(z) - 0.5 / z - r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r / 132))));
}

/**
 * `log(|Γ(x)|)` of each element. The result has the shape of `x`.
 *
 * ```ts
 * lgamma(tensor([1, 4])); // [0, 1.792]
 * ```
 */
export const lgamma = unary('lgamma', { forward: lgammaOf, backward: (g, x) => mul(g, digamma(x)), saves: 'input' });

/**
 * The derivative of `lgamma` at each element. The result has the shape of `x`.
 *
 * ```ts
 * digamma(tensor([1])); // [-0.5772]
 * ```
 */
export const digamma = unary('digamma', {
  forward: digammaOf,
  backward: (g, x) => mul(g, polygamma(1, x)),
  saves: 'input',
});

/**
 * The derivative of order `n` of `digamma`; `n` is a whole number from 0 up.
 *
 * ```ts
 * polygamma(1, tensor([1])); // [1.645]
 * ```
 */
export function polygamma(n: number, x: Tensor): Tensor {
  checkTensors('polygamma', x);
  check('polygamma', 'n', n, is.size);
  if (n === 0) return digamma(x);
  let factorial = n % 2 === 0 ? -1 : 1;
  for (let i = 2; i <= n && Number.isFinite(factorial); i++) factorial *= i;
  return applyUnary(polygammaOperator, x, [n, factorial]);
}

const polygammaOperator = unaryOperator('polygamma', {
  forward: (v, n, factorial) => factorial * hurwitz(n + 1, v),
  backward: (g, x, _, [n]) => mul(g, polygamma(n! + 1, x)),
  saves: 'input',
});

/**
 * `sin(πx) / (πx)` of each element, and 1 at 0. The result has the shape of `x`.
 *
 * ```ts
 * sinc(tensor([0, 0.5])); // [1, 0.6366]
 * ```
 */
export const sinc = unary('sinc', {
  forward: (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)),
  backward: (g, x) => mul(g, sincSlope(1, x)),
  saves: 'input',
});

/** The derivative of order `n` of `sinc`. */
const sincSlope = (n: number, x: Tensor): Tensor => applyUnary(sincSlopeOperator, x, [n]);

const sincSlopeOperator = unaryOperator('sincSlope', {
  forward: sincSlopeOf,
  backward: (g, x, _, [n]) => mul(g, sincSlope(n! + 1, x)),
  saves: 'input',
});

/** Near 0 the series, as the closed form cancels. */
function sincSlopeOf(v: number, n: number): number {
  const z = Math.PI * v;
  const scale = Math.PI ** n;
  if (Math.abs(z) < n + 1) {
    // d^n/dz^n Σ (-1)^k z^2k / (2k+1)!
    let sum = 0;
    for (let k = Math.ceil(n / 2); k < 24; k++) {
      let term = (k % 2 === 0 ? 1 : -1) * z ** (2 * k - n);
      for (let i = 1; i <= 2 * k - n; i++) term /= i;
      sum += term / (2 * k + 1);
    }
    return scale * sum;
  }
  // From z f = sin z: z f^(n) + n f^(n-1) = sin^(n) z.
  let value = Math.sin(z) / z;
  for (let i = 1; i <= n; i++) value = (Math.sin(z + (i * Math.PI) / 2) - i * value) / z;
  return scale * value;
}

const logitOptions = { eps: is.number };

/**
 * `log(x / (1 - x))` of each element, the inverse of `sigmoid`. With `eps`, `x` is first limited to [eps, 1 - eps]. The
 * result has the shape of `x`.
 *
 * ```ts
 * logit(tensor([0.5, 0.9])); // [0, 2.197]
 * ```
 */
export function logit(x: Tensor, options?: { eps?: number }): Tensor {
  const { eps } = checkOptions('logit', options, logitOptions);
  checkTensors('logit', x);
  if (x.dtype === 'bool') throw new DTypeError('logit', 'takes numbers, got bool; use .float()');
  return applyUnary(logitOperator, x, [eps ?? Number.NaN]);
}

/** NaN for `eps` means no `eps`. */
const logitOperator = unaryOperator('logit', {
  forward: (v, eps) => {
    const p = v < eps ? eps : v > 1 - eps ? 1 - eps : v;
    return Math.log(p / (1 - p));
  },
  // As one fraction: the parts of a composed rule would be 0 and infinite at 1.
  backward: (g, x, _, [eps]) => {
    const [low, high, outside] = Number.isNaN(eps!) ? [0, 1, Number.NaN] : [eps!, 1 - eps!, 0];
    // Adding 0 turns -0 into 0, so that the gradient there is Infinity too, and not -Infinity.
    return where(logicalOr(lt(x, low), gt(x, high)), outside, div(g, mul(add(x, 0), sub(1, x))));
  },
  saves: 'input',
});

const plain = { logit };
methods(plain);

const withForms = { erf, erfc, erfinv, lgamma, digamma, sinc };
methods(withInPlace(withForms));

const own = {
  /** The `n`-th derivative of `digamma`. */
  polygamma: (x: Tensor, n: number): Tensor => polygamma(n, x),
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor
    extends MethodsFrom<typeof self, typeof plain & typeof withForms>,
      InPlaceOf<typeof withForms>,
      MethodsOf<typeof own> {}
}
