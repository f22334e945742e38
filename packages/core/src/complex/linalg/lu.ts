import type { MatrixRule } from '../../backend/kernels.js';
import { permutation as permuted } from '../../linalg/rules/lu.js';
import { ofFinite } from '../../linalg/rules/reflector.js';
import { div } from '../functions.js';

/** Row `to` minus a number times row `from`, in columns from `first` to `last`. */
function subtractRow(
  x: Float64Array,
  to: number,
  y: Float64Array,
  from: number,
  count: number,
  re: number,
  im: number,
): void {
  for (let j = 0; j < 2 * count; j += 2) {
    const [a, b] = [y[from + j]!, y[from + j + 1]!];
    x[to + j]! -= re * a - im * b;
    x[to + j + 1]! -= re * b + im * a;
  }
}

/** How the rows of a matrix were exchanged to factorize it. */
interface Factors {
  /** The rows with which the first ones were exchanged, from 0 on. */
  readonly pivots: Int32Array;
  readonly swaps: number;
  readonly isSingular: boolean;
}

/** Replaces `a` `[m, n]` by the factors of `P L U`. As in LAPACK, the size of a pivot is `|re| + |im|`. */
export function factorize(a: Float64Array, m: number, n: number): Factors {
  const pivots = new Int32Array(Math.min(m, n));
  const f = new Float64Array(2);
  let swaps = 0;
  let isSingular = false;
  for (let k = 0; k < pivots.length; k++) {
    const sizeAt = (i: number) => Math.abs(a[2 * (i * n + k)]!) + Math.abs(a[2 * (i * n + k) + 1]!);
    let p = k;
    for (let i = k + 1; i < m; i++) if (sizeAt(i) > sizeAt(p)) p = i;
    pivots[k] = p;
    if (p !== k) {
      swaps++;
      for (let j = 0; j < 2 * n; j++) [a[2 * k * n + j], a[2 * p * n + j]] = [a[2 * p * n + j]!, a[2 * k * n + j]!];
    }
    const at = 2 * (k * n + k);
    if (a[at] === 0 && a[at + 1] === 0) {
      isSingular = true;
      continue;
    }
    for (let i = k + 1; i < m; i++) {
      const row = 2 * (i * n + k);
      div(f, 0, a[row]!, a[row + 1]!, a[at]!, a[at + 1]!);
      a.set(f, row);
      subtractRow(a, row + 2, a, at + 2, n - k - 1, f[0]!, f[1]!);
    }
  }
  return { pivots, swaps, isSingular };
}

/** The X of `T X = B` for a triangle `[n, n]`; `x` holds B at first. */
function solveTriangle(t: Float64Array, x: Float64Array, n: number, k: number, upper: boolean, ones: boolean): void {
  for (let step = 0; step < n; step++) {
    const i = upper ? n - 1 - step : step;
    const [from, to] = upper ? [i + 1, n] : [0, i];
    for (let j = from; j < to; j++)
      subtractRow(x, 2 * i * k, x, 2 * j * k, k, t[2 * (i * n + j)]!, t[2 * (i * n + j) + 1]!);
    if (ones) continue;
    const [re, im] = [t[2 * (i * n + i)]!, t[2 * (i * n + i) + 1]!];
    for (let c = 2 * i * k; c < 2 * (i + 1) * k; c += 2) div(x, c, x[c]!, x[c + 1]!, re, im);
  }
}

/** The X of `A X = B`, given A as `factorize` leaves it. */
export function solveFactorized(
  a: Float64Array,
  pivots: Int32Array,
  b: Float64Array,
  x: Float64Array,
  n: number,
  k: number,
): void {
  x.set(b);
  for (const [i, p] of pivots.entries())
    if (p !== i)
      for (let c = 0; c < 2 * k; c++) [x[2 * i * k + c], x[2 * p * k + c]] = [x[2 * p * k + c]!, x[2 * i * k + c]!];
  solveTriangle(a, x, n, k, false, true);
  solveTriangle(a, x, n, k, true, false);
}

/** Given `a` `[m, n]`: its factors, and the exchanges of rows from 1 on. */
export const lu: MatrixRule['loop'] = ofFinite(([a], [factors, pivots], [m, n]) => {
  const { pivots: rows } = factorize(a!, m!, n!);
  factors!.set(a!);
  for (const [i, p] of rows.entries()) pivots![i] = p + 1;
});

/** Given the pivots and number m: the matrix `P` `[m, m]` with `A = P L U`. */
export const permutation: MatrixRule['loop'] = (inputs, [p], numbers) => {
  const real = new Float64Array(p!.length / 2);
  permuted.loop(inputs, [real], numbers);
  for (const [i, v] of real.entries()) p![2 * i] = v;
};

/** Numbers: n, k, whether it is the upper triangle, whether its diagonal is ones. */
export const solveTriangular: MatrixRule['loop'] = ([t, b], [x], [n, k, upper, ones]) => {
  x!.set(b!);
  solveTriangle(t!, x!, n!, k!, upper === 1, ones === 1);
};
