import type { TypedArray } from '../memory/dtype.js';

// Elementwise functions of complex numbers, under the names of the real functions whose gradient rules they share. Each
// writes one number: the real part to `out[o]` and the imaginary part to `out[o + 1]`.

type Unary = (out: TypedArray, o: number, x: number, y: number, parameter: number) => void;
type Binary = (out: TypedArray, o: number, a: number, b: number, c: number, d: number) => void;

const write = (out: TypedArray, o: number, re: number, im: number): void => {
  out[o] = re;
  out[o + 1] = im;
};

/** A product that is 0 if `part` is, even times infinity, so that exponentials of real numbers stay real. */
const times = (size: number, part: number): number => (part === 0 ? part : size * part);

const exp: Unary = (out, o, x, y) => {
  const size = Math.exp(x);
  write(out, o, times(size, Math.cos(y)), times(size, Math.sin(y)));
};

const expm1: Unary = (out, o, x, y) => {
  const half = Math.sin(y / 2);
  write(out, o, Math.expm1(x) * Math.cos(y) - 2 * half * half, times(Math.exp(x), Math.sin(y)));
};

/** The logarithm of the absolute value, accurate also near 1. */
function logSize(x: number, y: number): number {
  const size = Math.hypot(x, y);
  if (size < 0.5 || size > 2) return Math.log(size);
  const [large, small] = Math.abs(x) > Math.abs(y) ? [Math.abs(x), y] : [Math.abs(y), x];
  return Math.log1p((large - 1) * (large + 1) + small * small) / 2;
}

const log = (out: TypedArray, o: number, x: number, y: number, by = 1): void =>
  write(out, o, logSize(x, y) / by, Math.atan2(y, x) / by);

const log1p: Unary = (out, o, x, y) =>
  write(
    out,
    o,
    Math.abs(x) + Math.abs(y) < 0.5 ? Math.log1p(x * (2 + x) + y * y) / 2 : logSize(1 + x, y),
    Math.atan2(y, 1 + x),
  );

/** The square root in the right half plane, computed without cancellation. */
function root(x: number, y: number): [re: number, im: number] {
  if (x === 0 && y === 0) return [0, y];
  if (Math.abs(y) === Number.POSITIVE_INFINITY) return [Number.POSITIVE_INFINITY, y];
  const t = Math.sqrt((Math.abs(x) + Math.hypot(x, y)) / 2);
  const s = y / (2 * t);
  return x >= 0 ? [t, s] : [Math.abs(s), y < 0 || Object.is(y, -0) ? -t : t];
}

const sqrt: Unary = (out, o, x, y) => write(out, o, ...root(x, y));

/** `(a + bi) / (c + di)` without overflow of intermediate results (Smith, 1962). */
export const div: Binary = (out, o, a, b, c, d) => {
  if (Math.abs(c) >= Math.abs(d)) {
    if (c === 0 && d === 0) return write(out, o, a / Math.abs(c), b / Math.abs(c));
    const r = d / c;
    const size = c + d * r;
    return write(out, o, (a + b * r) / size, (b - a * r) / size);
  }
  const r = c / d;
  const size = c * r + d;
  return write(out, o, (a * r + b) / size, (b * r - a) / size);
};

const reciprocal: Unary = (out, o, x, y) => div(out, o, 1, 0, x, y);

const sinh: Unary = (out, o, x, y) => write(out, o, times(Math.sinh(x), Math.cos(y)), times(Math.cosh(x), Math.sin(y)));
const cosh: Unary = (out, o, x, y) => write(out, o, times(Math.cosh(x), Math.cos(y)), times(Math.sinh(x), Math.sin(y)));

const tanh: Unary = (out, o, x, y) => {
  // For larger x the real part rounds to 1, and cosh will overflow.
  if (Math.abs(x) > 22) return write(out, o, Math.sign(x), 4 * Math.sin(y) * Math.cos(y) * Math.exp(-2 * Math.abs(x)));
  const t = Math.tan(y);
  const s = Math.sinh(x);
  const beta = 1 + t * t;
  const rho = Math.sqrt(1 + s * s);
  if (!Number.isFinite(t)) return write(out, o, rho / s, 1 / t);
  const size = 1 + beta * s * s;
  return write(out, o, (beta * rho * s) / size, t / size);
};

/** The inverse functions by Kahan (1987), which are right on both sides of their branch cuts. */
const asin: Unary = (out, o, x, y) => {
  const [a, b] = root(1 - x, -y);
  const [c, d] = root(1 + x, y);
  write(out, o, Math.atan2(x, a * c - b * d), Math.asinh(a * d - b * c));
};

const acos: Unary = (out, o, x, y) => {
  const [a, b] = root(1 - x, -y);
  const [c, d] = root(1 + x, y);
  write(out, o, 2 * Math.atan2(a, c), Math.asinh(c * b - d * a));
};

const atanh: Unary = (out, o, x, y) =>
  write(
    out,
    o,
    Math.log1p((4 * x) / ((1 - x) * (1 - x) + y * y)) / 4,
    Math.atan2(2 * y, (1 - x) * (1 + x) - y * y) / 2,
  );

/** `-i f(i z)`, which makes a trigonometric function of a hyperbolic one. */
const trigonometric =
  (f: Unary): Unary =>
  (out, o, x, y, p) => {
    f(out, o, -y, x, p);
    write(out, o, out[o + 1]!, -out[o]!);
  };

const square: Unary = (out, o, x, y) => write(out, o, (x - y) * (x + y), 2 * x * y);

/** Integer powers by repeated squaring, others by the logarithm. */
const pow: Unary = (out, o, x, y, exponent) => {
  if (!Number.isInteger(exponent) || Math.abs(exponent) > 1024) {
    if (x === 0 && y === 0) return write(out, o, exponent > 0 ? 0 : Number.NaN, exponent > 0 ? 0 : Number.NaN);
    const size = Math.exp(logSize(x, y) * exponent);
    const angle = Math.atan2(y, x) * exponent;
    return write(out, o, size * Math.cos(angle), size * Math.sin(angle));
  }
  let [re, im, p, q] = [1, 0, x, y];
  for (let n = Math.abs(exponent); n > 0; n = Math.floor(n / 2)) {
    if (n % 2 === 1) [re, im] = [re * p - im * q, re * q + im * p];
    [p, q] = [(p - q) * (p + q), 2 * p * q];
  }
  return exponent < 0 ? reciprocal(out, o, re, im, 0) : write(out, o, re, im);
};

/** By the logarithm. As in PyTorch, 0 to the power 0 is 1, and to one with a real part above 0 it is 0. */
const powOf: Binary = (out, o, a, b, c, d) => {
  if (c === 0 && d === 0) return write(out, o, 1, 0);
  if (d === 0) return pow(out, o, a, b, c);
  if (a === 0 && b === 0) return write(out, o, c > 0 ? 0 : Number.NaN, c > 0 ? 0 : Number.NaN);
  const [size, turn] = [logSize(a, b), Math.atan2(b, a)];
  exp(out, o, size * c - turn * d, size * d + turn * c, 0);
};

const sigmoid: Unary = (out, o, x, y) => {
  // By e^-|x|, which does not overflow.
  const size = Math.exp(-Math.abs(x));
  const [c, s] = [size * Math.cos(y), size * Math.sin(y)];
  if (x >= 0) div(out, o, 1, 0, 1 + c, -s);
  else div(out, o, c, s, 1 + c, s);
};

export const unaryFunctions: Readonly<Record<string, Unary>> = {
  conj: (out, o, x, y) => write(out, o, x, -y),
  exp,
  expm1,
  exp2: (out, o, x, y, p) => exp(out, o, x * Math.LN2, y * Math.LN2, p),
  log: (out, o, x, y) => log(out, o, x, y),
  log1p,
  log2: (out, o, x, y) => log(out, o, x, y, Math.LN2),
  log10: (out, o, x, y) => log(out, o, x, y, Math.LN10),
  sqrt,
  rsqrt: (out, o, x, y) => div(out, o, 1, 0, ...root(x, y)),
  square,
  reciprocal,
  pow,
  sigmoid,
  sinh,
  cosh,
  tanh,
  sin: trigonometric(sinh),
  cos: (out, o, x, y, p) => cosh(out, o, -y, x, p),
  tan: trigonometric(tanh),
  asin,
  acos,
  atan: trigonometric(atanh),
  asinh: trigonometric(asin),
  atanh,
};

/** Products have a loop of their own: see `multiply` in `kernels.ts`. */
export const binaryFunctions: Readonly<Record<string, Binary>> = { div, pow: powOf };
