import { unary } from '../ops/define.js';
import { mul } from '../ops/elementwise.js';
import { hankel } from './hankel.js';
import { scaledK } from './modifiedBessel.js';

/** Airy's function and its derivative. */
type Airy = readonly [value: number, slope: number];

const at0: Airy = [0.3550280538878172, -0.2588194037928068];

/** From 0 to x in steps of Taylor's series, whose coefficients follow from the equation `y'' = x y`. */
function fromZero(x: number): Airy {
  const steps = Math.max(1, Math.ceil(2 * Math.abs(x)));
  const h = x / steps;
  let [value, slope] = at0;
  for (let i = 0; i < steps; i++) {
    const at = i * h;
    // The terms of `h^(n - 1)`, `h^n` and `h^(n + 1)`.
    let [before, a, b] = [0, value, slope * h];
    value += b;
    for (let n = 0; n < 24; n++) {
      const next = (at * h * h * a + h * h * h * before) / ((n + 1) * (n + 2));
      value += next;
      slope += ((n + 2) * next) / h;
      [before, a, b] = [a, b, next];
    }
  }
  return [value, slope];
}

/** For x from 1 up: modified Bessel functions of the second kind of orders 1/3 and 2/3. */
function decaying(x: number): Airy {
  const zeta = (2 / 3) * x * Math.sqrt(x);
  const size = Math.exp(-zeta) / Math.PI;
  const k = (order: number) => (size === 0 ? 0 : size * scaledK(order, zeta));
  return [Math.sqrt(x / 3) * k(1 / 3), (-x / Math.sqrt(3)) * k(2 / 3) || 0];
}

/** Far below 0, where it oscillates: Bessel functions of orders 1/3 and 2/3. */
function oscillating(x: number): Airy {
  const root = Math.sqrt(x);
  const zeta = (2 / 3) * x * root;
  const [cos, sin] = [Math.cos(zeta - Math.PI / 4), Math.sin(zeta - Math.PI / 4)];
  const [one, two] = [hankel(1 / 3, zeta, -1), hankel(2 / 3, zeta, -1)];
  const size = Math.sqrt(Math.PI * root);
  return [(one.even * cos - one.odd * sin) / size, (root * (two.even * sin + two.odd * cos)) / size];
}

function airy(x: number): Airy {
  if (Number.isNaN(x)) return [x, x];
  if (x === Number.NEGATIVE_INFINITY) return [0, Number.NaN];
  if (x === Number.POSITIVE_INFINITY) return [0, 0];
  if (x === 0) return at0;
  if (x >= 1) return decaying(x);
  return x < -11.3 ? oscillating(-x) : fromZero(x);
}

/**
 * Airy's function Ai, elementwise: it solves `y'' = x y` and decays above 0. It has a gradient, which PyTorch's lacks.
 *
 * ```ts
 * airyAi(tensor([0, 1])); // [0.355, 0.1353]
 * ```
 */
export const airyAi = unary('airyAi', {
  forward: (x) => airy(x)[0],
  backward: (g, x) => mul(g, airySlope(x)),
  saves: 'input',
});

const airySlope = unary('airySlope', {
  forward: (x) => airy(x)[1],
  backward: (g, x) => mul(g, mul(x, airyAi(x))),
  saves: 'input',
});
