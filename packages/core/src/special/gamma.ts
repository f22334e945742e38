import { check } from '../check.js';
import { AutogradError } from '../errors.js';
import { toFloat } from '../memory/dtype.js';
import { binary } from '../ops/define.js';
import { add, exp, mul, neg, sub } from '../ops/elementwise.js';
import { xlogy } from '../ops/exponential.js';
import { eq, ge } from '../ops/relational.js';
import { erfcOf, hurwitz, lgamma, lgammaOf } from '../ops/special.js';
import { where } from '../ops/where.js';
import { madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

/** The largest number of terms in a sum: near x it needs about ten times the root of `a`, which is below `large`. */
const maxTerms = 200_000;
const large = 1e8;

/** `x^a e^-x / Γ(a)`. */
const weight = (a: number, x: number): number => Math.exp(a * Math.log(x) - x - lgammaOf(a));

/** The integral below x as a series, for x up to `a + 1`; all terms are positive. */
function lower(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < maxTerms && term > sum * 1e-17; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * weight(a, x);
}

/** The integral above x as a continued fraction, for x from `a + 1` up (Lentz). */
function upper(a: number, x: number): number {
  let b = x + 1 - a;
  let c = Number.POSITIVE_INFINITY;
  let d = 1 / b;
  let value = d;
  for (let n = 1; n < maxTerms; n++) {
    const an = -n * (n - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    const step = c * d;
    value *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return value * weight(a, x);
}

/** The integral below x at the edges of the domain; null inside it. */
function edge(a: number, x: number): number | null {
  if (!(a >= 0 && x >= 0) || (a === 0 && x === 0)) return Number.NaN;
  if (a === Number.POSITIVE_INFINITY) return x === Number.POSITIVE_INFINITY ? Number.NaN : 0;
  if (a === 0 || x === Number.POSITIVE_INFINITY) return 1;
  return x === 0 ? 0 : null;
}

/** `m - log(1 + m)`; the plain difference loses all digits for a small m. */
const excess = (m: number): number =>
  Math.abs(m) < 1e-3 ? m * m * (1 / 2 - m * (1 / 3 - m * (1 / 4 - m * (1 / 5 - m / 6)))) : m - Math.log1p(m);

/**
 * The integral above x, or with -1 below x, for a large `a`: close to that of a normal distribution, with the first
 * correction (Temme, 1979).
 */
function partOfLarge(a: number, x: number, side: 1 | -1): number {
  const m = (x - a) / a;
  const eta = Math.sign(m) * Math.sqrt(2 * excess(m));
  const correction = Math.abs(m) < 1e-5 ? -1 / 3 + m / 12 : 1 / m - 1 / eta;
  const density = Math.exp((-a * eta * eta) / 2) / Math.sqrt(2 * Math.PI * a);
  return erfcOf(side * eta * Math.sqrt(a / 2)) / 2 + side * density * correction;
}

function gammaincOf(a: number, x: number): number {
  const below = edge(a, x);
  if (below !== null) return below;
  if (a > large) return partOfLarge(a, x, -1);
  return x <= a + 1 ? lower(a, x) : 1 - upper(a, x);
}

function gammainccOf(a: number, x: number): number {
  const below = edge(a, x);
  if (below !== null) return 1 - below;
  if (a > large) return partOfLarge(a, x, 1);
  return x <= a + 1 ? 1 - lower(a, x) : upper(a, x);
}

function noGradient(op: string, which: string): never {
  throw new AutogradError(op, `there is no gradient for ${which}; detach() it`);
}

/**
 * `x^(a - 1) e^-x / Γ(a)`, the derivative of the integral below x; its logarithm at Infinity is a difference of
 * infinities.
 */
function slope(a: Tensor, x: Tensor): Tensor {
  const inside = exp(sub(sub(xlogy(sub(a, 1), x), x), lgamma(a)));
  return where(ge(x, 0), where(eq(x, Number.POSITIVE_INFINITY), 0, inside), Number.NaN);
}

/**
 * The regularized lower incomplete gamma function, `∫₀ˣ t^(a - 1) e^-t dt / Γ(a)`, elementwise with broadcasting. NaN
 * for negative arguments. It has a gradient for x and none for a. On PyTorch's tensors it is called `igamma`.
 *
 * ```ts
 * gammainc(tensor([1, 2]), tensor([1, 2])); // [0.6321, 0.594]
 * ```
 */
export const gammainc = binary('gammainc', {
  forward: gammaincOf,
  backward: [() => noGradient('gammainc', 'a'), (g, a, x) => mul(g, slope(a, x))],
  saves: true,
  dtype: toFloat,
});

/**
 * The regularized upper incomplete gamma function, `1 - gammainc(a, x)`, accurate where that is small. It has a
 * gradient for x and none for a. On PyTorch's tensors it is called `igammac`.
 *
 * ```ts
 * gammaincc(tensor([1, 2]), tensor([1, 2])); // [0.3679, 0.406]
 * ```
 */
export const gammaincc = binary('gammaincc', {
  forward: gammainccOf,
  backward: [() => noGradient('gammaincc', 'a'), (g, a, x) => neg(mul(g, slope(a, x)))],
  saves: true,
  dtype: toFloat,
});

function zetaOf(s: number, q: number): number {
  if (!(s >= 1) || Number.isNaN(q)) return Number.NaN;
  if (s === 1 || (q <= 0 && Number.isInteger(q))) return Number.POSITIVE_INFINITY;
  if (q < 0 && !Number.isInteger(s)) return Number.NaN;
  return s === Number.POSITIVE_INFINITY ? (q > 1 ? 0 : q === 1 ? 1 : Number.POSITIVE_INFINITY) : hurwitz(s, q);
}

/**
 * Hurwitz's zeta function, `Σ 1 / (q + k)^x` over k = 0, 1, 2, ..., elementwise with broadcasting; Riemann's for q = 1.
 * It has a gradient for q and none for x.
 *
 * ```ts
 * zeta(tensor([2, 4]), 1); // [1.645, 1.082]
 * ```
 */
export const zeta = binary('zeta', {
  forward: zetaOf,
  backward: [() => noGradient('zeta', 'x'), (g, x, q) => neg(mul(g, mul(x, zeta(add(x, 1), q))))],
  saves: true,
  dtype: toFloat,
});

/**
 * The logarithm of the `p`-dimensional gamma function, `log(π) p (p - 1) / 4 + Σ log Γ(x - j / 2)` over j = 0 ... p -
 * 1, elementwise; `x` must be above `(p - 1) / 2`.
 *
 * ```ts
 * multigammaln(tensor([2, 3]), 2); // [0.4516, 1.55]
 * ```
 */
export const multigammaln = /* @__PURE__ */ madeOf('multigammaln', (x: Tensor, p: number): Tensor => {
  check('multigammaln', 'p', p, is.count);
  // One term for each dimension: more would take minutes, and no matrix has so many rows.
  if (p > 2 ** 16) throw new RangeError(`multigammaln: p must be at most 65536, got ${p}`);
  let out = add(lgamma(x), (Math.log(Math.PI) * p * (p - 1)) / 4);
  for (let j = 1; j < p; j++) out = add(out, lgamma(sub(x, j / 2)));
  return out;
});
