import {
  currentGenerator,
  type DType,
  defineFunction,
  type Generator,
  type Shape,
  type Tensor,
  tensor,
} from '@gradgate/core';
import { digammaOf, lgammaOf } from '@gradgate/core/internal';

// Draws by rejection, which take an unknown number of random numbers for each element.

/** Draws once for each element of `parameter`. */
const drawEach = (
  parameter: Tensor,
  next: (value: number, g: Generator) => number,
  generator = currentGenerator(),
): Tensor => {
  const values = parameter.toTypedArray();
  for (let i = 0; i < values.length; i++) values[i] = next(values[i]!, generator);
  return tensor(values, { shape: parameter.shape, dtype: parameter.dtype, device: parameter.device });
};

/** Draws from the gamma distribution with shape `alpha` and scale 1 (Marsaglia and Tsang, 2000). */
function gammaDraw(alpha: number, g: Generator): number {
  // A shape below 1 is reduced to that plus 1.
  if (alpha < 1) return gammaDraw(alpha + 1, g) * (1 - g.uniform()) ** (1 / alpha);
  const d = alpha - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = g.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - g.uniform();
    if (u < 1 - 0.0331 * x ** 4 || Math.log(u) < 0.5 * x * x + d * (1 - v + Math.log(v))) return d * v;
  }
}

/** The smallest normal number, as a lower limit of draws and shares: 0 would have no logarithm. */
export const smallestNormal = (dtype: DType): number =>
  dtype === 'float64' ? 2.2250738585072014e-308 : 1.1754943508222875e-38;

/**
 * Draws from the gamma distribution with shape `concentration` and scale 1, for each element. The gradient is implicit:
 * how a draw moves when the value of the distribution function stays the same (Figurnov et al., 2018).
 */
export const standardGamma = defineFunction({
  name: 'standardGamma',
  forward(ctx, concentration: Tensor, generator?: Generator): Tensor {
    const floor = smallestNormal(concentration.dtype);
    const out = drawEach(concentration, (alpha, g) => Math.max(gammaDraw(alpha, g), floor), generator);
    ctx.saveForBackward(concentration, out);
    return out;
  },
  backward(ctx, g: Tensor) {
    const [concentration, out] = ctx.savedTensors as [Tensor, Tensor];
    const alphas = concentration.toTypedArray();
    const values = out.toTypedArray();
    for (let i = 0; i < values.length; i++) values[i] = gammaDrawGradient(alphas[i]!, values[i]!);
    return [g.mul(tensor(values, { shape: out.shape, dtype: out.dtype, device: out.device }))];
  },
});

/**
 * The derivative of a draw `x` by `alpha`: minus the derivative of the distribution function by alpha, divided by the
 * density. Below the mean it differentiates the power series of the incomplete gamma function, above it the continued
 * fraction.
 */
export function gammaDrawGradient(alpha: number, x: number): number {
  if (alpha > 1e4) return gammaDrawGradientOfLarge(alpha, x);
  return x < alpha + 1 ? bySeries(alpha, x) : byFraction(alpha, x);
}

const tolerance = 1e-16;

function bySeries(alpha: number, x: number): number {
  let [term, sum] = [1, 1];
  let [slopeOfTerm, slope] = [0, 0];
  for (let k = 1; k < 1e5; k++) {
    const factor = x / (alpha + k);
    slopeOfTerm = factor * slopeOfTerm - (factor * term) / (alpha + k);
    term *= factor;
    sum += term;
    slope += slopeOfTerm;
    if (term < tolerance * sum && Math.abs(slopeOfTerm) < tolerance * Math.abs(slope)) break;
  }
  return -(x / alpha) * (sum * (Math.log(x) - digammaOf(alpha + 1)) + slope);
}

function byFraction(alpha: number, x: number): number {
  // Lentz's method, with the derivative of each step in alpha.
  let b = x + 1 - alpha;
  let [c, cSlope] = [1e300, 0];
  let [d, dSlope] = [1 / b, 1 / b ** 2];
  let [h, hSlope] = [d, dSlope];
  for (let i = 1; i < 1e5; i++) {
    const a = -i * (i - alpha);
    b += 2;
    const denominator = a * d + b;
    dSlope = -(i * d + a * dSlope - 1) / denominator ** 2;
    d = 1 / denominator;
    cSlope = -1 + i / c - ((a / c) * cSlope) / c;
    c = b + a / c;
    const step = c * d;
    const stepSlope = cSlope * d + c * dSlope;
    hSlope = hSlope * step + h * stepSlope;
    h *= step;
    if (Math.abs(step - 1) < tolerance * 10 && Math.abs(stepSlope) < tolerance * 10) break;
  }
  return x * (h * (Math.log(x) - digammaOf(alpha)) + hSlope);
}

/** For large `alpha`, by Wilson and Hilferty's normal approximation of the cube root. */
function gammaDrawGradientOfLarge(alpha: number, x: number): number {
  const root = Math.cbrt(x / alpha);
  const z = 3 * Math.sqrt(alpha) * (root - 1 + 1 / (9 * alpha));
  return x / alpha + 3 * alpha * root * root * (1 / (9 * alpha * alpha) - z / (6 * alpha * Math.sqrt(alpha)));
}

/** Draws from binomial distributions of `n` trials with probability `p`. */
export function binomialDraws(n: Tensor, p: Tensor, shape: Shape, generator = currentGenerator()): Tensor {
  const counts = n.expand(shape).toTypedArray();
  const values = p.expand(shape).toTypedArray();
  for (let i = 0; i < values.length; i++) values[i] = binomialDraw(counts[i]!, values[i]!, generator);
  return tensor(values, { shape, dtype: p.dtype, device: p.device });
}

function binomialDraw(n: number, p: number, g: Generator): number {
  if (p > 0.5) return n - binomialDraw(n, 1 - p, g);
  if (n === 0 || p === 0) return 0;
  return n * p < 10 ? byGaps(n, p, g) : byRejection(n, p, g);
}

/** Goes from one success to the next; the gaps have a geometric distribution. */
function byGaps(n: number, p: number, g: Generator): number {
  const scale = Math.log1p(-p);
  let count = 0;
  for (let at = 0; ; count++) {
    at += Math.floor(Math.log(1 - g.uniform()) / scale) + 1;
    if (at > n) return count;
  }
}

/** Transformed rejection with a squeeze (Hörmann, 1993: BTRS). */
function byRejection(n: number, p: number, g: Generator): number {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const center = n * p + 0.5;
  const accepted = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * spread;
  const m = Math.floor((n + 1) * p);
  const odds = Math.log(p / (1 - p));
  const top = lgammaOf(m + 1) + lgammaOf(n - m + 1);
  for (;;) {
    const u = g.uniform() - 0.5;
    const v = 1 - g.uniform();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + center);
    if (us >= 0.07 && v <= accepted) return k;
    if (k < 0 || k > n) continue;
    const log = top - lgammaOf(k + 1) - lgammaOf(n - k + 1) + (k - m) * odds;
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= log) return k;
  }
}
