import { toFloat } from '../memory/dtype.js';
import { binary, unary } from '../ops/define.js';
import { add, div, exp, log, mul, neg, sub } from '../ops/elementwise.js';
import { square } from '../ops/exponential.js';
import { logicalAnd } from '../ops/logical.js';
import { eq, le } from '../ops/relational.js';
import { erfcOf, erfcTail } from '../ops/special.js';
import { where } from '../ops/where.js';

const root2 = Math.SQRT2;
const rootPi = Math.sqrt(Math.PI);

function erfcxOf(x: number): number {
  if (x === Number.POSITIVE_INFINITY) return 0;
  return x >= 2.5 ? erfcTail(x) / rootPi : Math.exp(x * x) * erfcOf(x);
}

/**
 * `exp(x²) erfc(x)`, elementwise, without overflow for large x.
 *
 * ```ts
 * erfcx(tensor([0, 10])); // [1, 0.05614]
 * ```
 */
export const erfcx = unary('erfcx', {
  forward: erfcxOf,
  backward: (g, x) => mul(g, sub(mul(mul(x, 2), erfcx(x)), 2 / rootPi)),
  saves: 'input',
});

const density = (x: Parameters<typeof erfcx>[0]) => mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));

/**
 * The distribution function of the standard normal distribution, elementwise.
 *
 * ```ts
 * ndtr(tensor([0, 1])); // [0.5, 0.8413]
 * ```
 */
export const ndtr = unary('ndtr', {
  forward: (x) => erfcOf(-x / root2) / 2,
  backward: (g, x) => mul(g, density(x)),
  saves: 'input',
});

const logNdtrOf = (x: number): number =>
  x < -1 ? Math.log(erfcxOf(-x / root2) / 2) - (x * x) / 2 : Math.log1p(-erfcOf(x / root2) / 2);

/**
 * The logarithm of `ndtr(x)`, elementwise, accurate far below 0.
 *
 * ```ts
 * logNdtr(tensor([0, -10])); // [-0.6931, -53.23]
 * ```
 */
export const logNdtr = unary('logNdtr', {
  forward: logNdtrOf,
  backward: (g, x) => mul(g, div(Math.sqrt(2 / Math.PI), erfcx(mul(x, -1 / root2)))),
  saves: 'input',
});

/** Newton's steps on the logarithm, which is concave, from an estimate of the tail. */
function ndtriOf(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p > 0.5) return -ndtriOf(1 - p);
  if (p === 0.5) return 0;
  const wanted = Math.log(p);
  if (p === 0) return Number.NEGATIVE_INFINITY;
  let x = -Math.sqrt(-2 * wanted);
  for (let i = 0; i < 30; i++) {
    const step = ((logNdtrOf(x) - wanted) * erfcxOf(-x / root2)) / Math.sqrt(2 / Math.PI);
    x -= step;
    if (Math.abs(step) <= 1e-16 * Math.abs(x)) break;
  }
  return x;
}

/**
 * The inverse of `ndtr`, elementwise: NaN outside [0, 1].
 *
 * ```ts
 * ndtri(tensor([0.5, 0.975])); // [0, 1.96]
 * ```
 */
export const ndtri = unary('ndtri', {
  forward: ndtriOf,
  backward: (g, _, y) => mul(g, mul(exp(mul(square(y), 0.5)), Math.sqrt(2 * Math.PI))),
  saves: 'result',
});

/**
 * `-x log(x)`, elementwise: 0 at 0 and -Infinity below.
 *
 * ```ts
 * entr(tensor([0, 0.5])); // [0, 0.3466]
 * ```
 */
export const entr = unary('entr', {
  forward: (x) => (x > 0 ? -x * Math.log(x) : x === 0 ? 0 : Number.isNaN(x) ? x : Number.NEGATIVE_INFINITY),
  backward: (g, x) => neg(mul(g, add(log(x), 1))),
  saves: 'input',
});

/**
 * `x log1p(y)`, elementwise with broadcasting: 0 where x is 0, unless y is NaN.
 *
 * ```ts
 * xlog1py(tensor([0, 2]), tensor([-1, 1])); // [0, 1.386]
 * ```
 */
export const xlog1py = binary('xlog1py', {
  forward: (x, y) => (x === 0 && !Number.isNaN(y) ? 0 : x * Math.log1p(y)),
  backward: [
    (g, x, y) => where(logicalAnd(eq(x, 0), le(y, -1)), 0, xlog1py(g, y)),
    (g, x, y) => mul(g, div(x, add(y, 1))),
  ],
  saves: true,
  dtype: toFloat,
});
