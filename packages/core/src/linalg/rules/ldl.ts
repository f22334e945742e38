import type { MatrixRule } from '../../backend/kernels.js';
import { ofFinite } from './reflector.js';

/**
 * A block of one is taken where its element is at least this share of what would be the pivot else (Bunch and Kaufman,
 * 1977).
 */
const alpha = (1 + Math.sqrt(17)) / 8;

/**
 * Given `a` `[n, n]`, symmetric, of which the lower triangle is read, and number n: the factors of `L D Lᵀ` in one
 * matrix, and the rows with which its rows were exchanged, counted from 1; twice the negative for a block of two. As
 * LAPACK's `sytf2`.
 */
export const ldl: MatrixRule = {
  name: 'ldl',
  loop: ofFinite(([a], [factors, pivots], [size]) => {
    const n = size!;
    const x = a!;
    const at = (i: number, j: number) => x[i * n + j]!;
    const exchange = (i: number, j: number, k: number, l: number) => {
      [x[i * n + j], x[k * n + l]] = [at(k, l), at(i, j)];
    };
    for (let k = 0, block = 1; k < n; k += block) {
      const [p, two] = pivotOf(x, n, k);
      block = two ? 2 : 1;
      const q = k + block - 1;
      if (p !== q) {
        for (let i = p + 1; i < n; i++) exchange(i, q, i, p);
        for (let i = q + 1; i < p; i++) exchange(i, q, p, i);
        exchange(q, q, p, p);
        if (two) exchange(k + 1, k, p, k);
      }
      if (two) eliminateTwo(x, n, k);
      else eliminateOne(x, n, k);
      pivots!.fill(two ? -(p + 1) : p + 1, k, k + block);
    }
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) factors![i * n + j] = at(i, j);
  }),
};

/** The row to exchange with, and whether the block is of two. */
function pivotOf(a: Float64Array, n: number, k: number): [p: number, two: boolean] {
  const size = (i: number, j: number) => Math.abs(a[i * n + j]!);
  let most = k;
  for (let i = k + 1; i < n; i++) if (most === k || size(i, k) > size(most, k)) most = i;
  const column = most === k ? 0 : size(most, k);
  if (size(k, k) >= alpha * column) return [k, false];
  let row = 0;
  for (let j = k; j < most; j++) row = Math.max(row, size(most, j));
  for (let i = most + 1; i < n; i++) row = Math.max(row, size(i, most));
  if (size(k, k) >= alpha * column * (column / row)) return [k, false];
  return [most, size(most, most) < alpha * row];
}

function eliminateOne(a: Float64Array, n: number, k: number): void {
  const d = a[k * n + k]!;
  if (d === 0) return;
  for (let j = k + 1; j < n; j++) {
    const f = a[j * n + k]! / d;
    for (let i = j; i < n; i++) a[i * n + j]! -= a[i * n + k]! * f;
  }
  for (let i = k + 1; i < n; i++) a[i * n + k]! /= d;
}

function eliminateTwo(a: Float64Array, n: number, k: number): void {
  const off = a[(k + 1) * n + k]!;
  const [first, second] = [a[(k + 1) * n + k + 1]! / off, a[k * n + k]! / off];
  const factor = 1 / (first * second - 1) / off;
  for (let j = k + 2; j < n; j++) {
    const [x, y] = [a[j * n + k]!, a[j * n + k + 1]!];
    const [u, v] = [factor * (first * x - y), factor * (second * y - x)];
    for (let i = j; i < n; i++) a[i * n + j]! -= a[i * n + k]! * u + a[i * n + k + 1]! * v;
    a[j * n + k] = u;
    a[j * n + k + 1] = v;
  }
}

/**
 * Given the factors `[n, n]`, the pivots `[n]` and `b` `[n, k]`, and numbers n and k: the X of `A X = B`. As `sytrs`.
 */
export const ldlSolve: MatrixRule = {
  name: 'ldlSolve',
  loop: ([factors, pivots, b], [x], [n, k]) => {
    checkPivots(pivots!);
    x!.set(b!);
    overLd(factors!, pivots!, x!, n!, k!);
    overTransposed(factors!, pivots!, x!, n!, k!);
  },
};

/** L⁻¹ and D⁻¹ times `x` `[n, m]`, in place. */
function overLd(factors: Float64Array, pivots: Float64Array, x: Float64Array, n: number, m: number): void {
  const f = (i: number, j: number) => factors[i * n + j]!;
  for (let k = 0, block = 1; k < n; k += block) {
    block = pivots[k]! < 0 ? 2 : 1;
    const last = k + block - 1;
    exchange(x, m, last, Math.abs(pivots[k]!) - 1);
    for (let i = last + 1; i < n; i++) for (let j = k; j <= last; j++) subtract(x, m, i, j, f(i, j));
    const row = x.subarray(k * m, (k + 1) * m);
    if (block === 1) for (let c = 0; c < m; c++) row[c]! /= f(k, k);
    else solveTwo(f(k, k), f(last, k), f(last, last), row, x.subarray(last * m, (last + 1) * m));
  }
}

/** L⁻ᵀ times `x` `[n, m]`, in place. */
function overTransposed(factors: Float64Array, pivots: Float64Array, x: Float64Array, n: number, m: number): void {
  for (let k = n - 1, block = 1; k >= 0; k -= block) {
    block = pivots[k]! < 0 ? 2 : 1;
    for (let i = k + 1; i < n; i++) for (let j = k; j > k - block; j--) subtract(x, m, j, i, factors[i * n + j]!);
    exchange(x, m, k, Math.abs(pivots[k]!) - 1);
  }
}

/** Exchanges rows `i` and `j` of `x` `[n, m]`. */
function exchange(x: Float64Array, m: number, i: number, j: number): void {
  const before = x.slice(i * m, (i + 1) * m);
  x.copyWithin(i * m, j * m, (j + 1) * m);
  x.set(before, j * m);
}

/** Subtracts `factor` times row `from` of `x` `[n, m]` from row `to`. */
function subtract(x: Float64Array, m: number, to: number, from: number, factor: number): void {
  for (let c = 0; c < m; c++) x[to * m + c]! -= factor * x[from * m + c]!;
}

function checkPivots(pivots: Float64Array): void {
  const n = pivots.length;
  for (let k = 0; k < n; k++) {
    const v = pivots[k]!;
    const isRow = Math.abs(v) >= 1 && Math.abs(v) <= n;
    if (!isRow || (v < 0 && pivots[++k] !== v))
      throw new RangeError(
        `ldlSolve: pivots must be from 1 to ${n}, or the same negative number for both rows of a block, got [${pivots.join(', ')}]`,
      );
  }
}

/** Solves for two rows at once with the symmetric block `[[a, off], [off, d]]`, in place. */
function solveTwo(a: number, off: number, d: number, x: Float64Array, y: Float64Array): void {
  const [p, q] = [a / off, d / off];
  const factor = 1 / (p * q - 1) / off;
  for (let c = 0; c < x.length; c++) {
    const [u, v] = [x[c]!, y[c]!];
    x[c] = (q * u - v) * factor;
    y[c] = (p * v - u) * factor;
  }
}
