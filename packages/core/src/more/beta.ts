import { kernelsOf } from '../backend/backends.js';
import type { MatrixRule } from '../backend/kernels.js';
import { AutogradError, DTypeError, named } from '../errors.js';
import { record } from '../graph/node.js';
import { computedIn, isComplex, toFloat } from '../memory/dtype.js';
import { broadcastShapes } from '../memory/shape.js';
import { to } from '../ops/copy.js';
import { div, exp, mul, neg, sub } from '../ops/elementwise.js';
import { log1p, xlogy } from '../ops/exponential.js';
import { expand, reshape } from '../ops/shape.js';
import { lgamma, lgammaOf } from '../ops/special.js';
import { checkTensors } from '../tensor/check.js';
import { Tensor } from '../tensor/tensor.js';

/** The largest number of steps of the fraction: it needs about the root of the larger parameter. */
const maxSteps = 100_000;

const logBeta = (a: number, b: number): number => lgammaOf(a) + lgammaOf(b) - lgammaOf(a + b);

/** The integral from 0 to x as a continued fraction (Lentz), which converges fast for x below `(a + 1) / (a + b + 2)`. */
function fraction(a: number, b: number, x: number): number {
  const tiny = 1e-300;
  const orTiny = (v: number) => (Math.abs(v) < tiny ? tiny : v);
  let c = 1;
  let d = 1 / orTiny(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m < maxSteps; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / orTiny(1 + even * d);
    c = orTiny(1 + even / c);
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / orTiny(1 + odd * d);
    c = orTiny(1 + odd / c);
    value *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return (value / a) * Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b));
}

/** Of one number; NaN outside of the domain. */
function betaincOf(a: number, b: number, x: number): number {
  if (!(a >= 0 && b >= 0 && x >= 0 && x <= 1) || (a === 0 && b === 0)) return Number.NaN;
  if (x === 0 || x === 1) return x;
  if (a === 0 || b === Number.POSITIVE_INFINITY) return 1;
  if (b === 0 || a === Number.POSITIVE_INFINITY) return 0;
  return x > (a + 1) / (a + b + 2) ? 1 - fraction(b, a, 1 - x) : fraction(a, b, x);
}

/** The x with `betainc(a, b, x) = p`, up to the mean of the distribution, by its logarithm: x may be very small. */
function below(a: number, b: number, p: number, mean: number): number {
  const norm = logBeta(a, b);
  let [low, high] = [-745, Math.log(mean)];
  // The first term of the series.
  let u = Math.min(high, Math.max(low, (Math.log(p) + Math.log(a) + norm) / a));
  for (let step = 0; step < 200 && high - low > 1e-16 * Math.abs(u); step++) {
    const x = Math.exp(u);
    const rest = betaincOf(a, b, x) - p;
    if (rest === 0) break;
    if (rest > 0) high = u;
    else low = u;
    // The density of the logarithm.
    const slope = Math.exp(a * u + (b - 1) * Math.log1p(-x) - norm);
    const next = u - rest / slope;
    const inside = next > low && next < high;
    if (inside && Math.abs(next - u) < 1e-16 * Math.abs(u)) break;
    u = inside ? next : (low + high) / 2;
  }
  return Math.exp(u);
}

function betaincinvOf(a: number, b: number, p: number): number {
  if (!(a > 0 && b > 0 && p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0 || p === 1) return p;
  const mean = a / (a + b);
  return p <= betaincOf(a, b, mean) ? below(a, b, p, mean) : 1 - below(b, a, 1 - p, b / (a + b));
}

/** A function of three numbers, for the elements of tensors of one shape. */
const rule = (name: string, fn: (a: number, b: number, x: number) => number): MatrixRule => ({
  name,
  loop: ([a, b, x], [out]) => {
    for (let i = 0; i < out!.length; i++) out![i] = fn(a![i]!, b![i]!, x![i]!);
  },
});
const rules = { betainc: rule('betainc', betaincOf), betaincinv: rule('betaincinv', betaincinvOf) };

/** `x^(a - 1) (1 - x)^(b - 1) / B(a, b)`, the derivative of the integral. */
function density(a: Tensor, b: Tensor, x: Tensor): Tensor {
  const norm = sub(lgamma(a).add(lgamma(b)), lgamma(a.add(b)));
  const right = b.sub(1);
  // Without the product where the other exponent is 0 at the end.
  return exp(sub(xlogy(sub(a, 1), x).add(mul(right, log1p(neg(x)))), norm));
}

function compute(op: keyof typeof rules, a: Tensor, b: Tensor, x: Tensor): Tensor {
  checkTensors(op, a, b, x);
  const all = [a, b, x];
  const complex = all.find((t) => isComplex(t.dtype));
  if (complex) throw new DTypeError(op, `takes real tensors, got ${complex.dtype}; use real(), imag() or abs()`);
  const dtype = toFloat(a.add(b.detach()).add(x.detach()).dtype);
  const shape = broadcastShapes(op, broadcastShapes(op, a.shape, b.shape), x.shape);
  const [p, q, r] = all.map((t) => expand(to(t, dtype), shape)) as [Tensor, Tensor, Tensor];
  const rows = [p, q, r].map((t) => reshape(to(t.detach(), computedIn(dtype)), [1, t.numel]));
  const out = Tensor.uninitialized(computedIn(dtype), rows[0]!.shape, x.storage.backend);
  kernelsOf(op, rows[0]!, rows[1], rows[2]).matrices(rules[op], rows, [out], [p.numel]);
  const result = reshape(to(out, dtype), shape);
  return record(
    op,
    [p, q, r],
    result,
    (g, ctx) => {
      if (ctx.needs(0) || ctx.needs(1)) throw new AutogradError(op, 'there is no gradient for a and b; detach() them');
      const [a, b, at] = ctx.saved as [Tensor, Tensor, Tensor];
      const slope = density(a, b, at);
      return [null, null, op === 'betainc' ? mul(g, slope) : div(g, slope)];
    },
    [p, q, op === 'betainc' ? r : result],
  );
}

/**
 * The regularized incomplete beta function, `∫₀ˣ t^(a - 1) (1 - t)^(b - 1) dt / B(a, b)`, elementwise with broadcasting: the
 * probability of at most x in the beta distribution. NaN for a or b below 0 and x outside of 0 to 1. It has a gradient for x
 * and none for a and b. PyTorch has none; SciPy's has this order.
 *
 * ```ts
 * betainc(tensor([1, 2]), tensor([1, 3]), tensor([0.25, 0.5])); // [0.25, 0.6875]
 * ```
 */
export const betainc = /* @__PURE__ */ named(
  'betainc',
  (a: Tensor, b: Tensor, x: Tensor): Tensor => compute('betainc', a, b, x),
);

/**
 * The x with `betainc(a, b, x) = p`, elementwise with broadcasting: the quantile of the beta distribution. NaN for a or b that
 * are not above 0 and p outside of 0 to 1. It has a gradient for p and none for a and b.
 *
 * ```ts
 * betaincinv(tensor([1, 2]), tensor([1, 3]), tensor([0.25, 0.6875])); // [0.25, 0.5]
 * ```
 */
export const betaincinv = /* @__PURE__ */ named(
  'betaincinv',
  (a: Tensor, b: Tensor, p: Tensor): Tensor => compute('betaincinv', a, b, p),
);
