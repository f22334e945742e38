import type { MatrixRule } from '../../backend/kernels.js';
import { ofFinite, reflect, reflector, rotate, unit } from './reflector.js';

/** How many steps an eigenvalue may take; a few suffice. */
const maxSteps = 60;

/** Tridiagonalises a symmetric matrix: its diagonal, its subdiagonal, and the reflections as rows of `vectors`. */
function tridiagonal(a: Float64Array, n: number): { d: Float64Array; e: Float64Array; vectors: Float64Array } {
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  const taus = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    // Row k holds the column below its diagonal, as the matrix is symmetric.
    const start = k * n + k + 1;
    const tau = reflector(a, start, n - k - 1);
    taus[k] = tau;
    d[k] = a[k * n + k]!;
    e[k] = a[start]!;
    if (tau === 0) continue;
    a[start] = 1;
    let half = 0;
    for (let i = k + 1; i < n; i++) {
      let v = 0;
      for (let j = k + 1; j < n; j++) v += a[i * n + j]! * a[k * n + j]!;
      w[i] = tau * v;
      half += w[i]! * a[k * n + i]!;
    }
    half *= tau / 2;
    for (let i = k + 1; i < n; i++) w[i]! -= half * a[k * n + i]!;
    for (let i = k + 1; i < n; i++) {
      const [vi, wi] = [a[k * n + i]!, w[i]!];
      for (let j = k + 1; j < n; j++) a[i * n + j]! -= vi * w[j]! + wi * a[k * n + j]!;
    }
  }
  if (n > 0) d[n - 1] = a[n * n - 1]!;
  const vectors = unit(n);
  for (let k = n - 2; k >= 0; k--)
    if (taus[k] !== 0)
      for (let j = k + 1; j < n; j++) reflect(taus[k]!, a, k * n + k + 1, vectors, j * n + k + 1, n - k - 1);
  return { d, e, vectors };
}

/** One implicit QR step with Wilkinson's shift on rows `low` to `high` (Golub and Van Loan, 8.3.2). */
function step(d: Float64Array, e: Float64Array, vectors: Float64Array, width: number, low: number, high: number): void {
  const half = (d[high - 1]! - d[high]!) / 2;
  const beside = e[high - 1]!;
  const root = Math.hypot(half, beside);
  const shift = d[high]! - (beside / (half + (half < 0 ? -root : root))) * beside;
  let x = d[low]! - shift;
  let z = e[low]!;
  for (let k = low; k < high; k++) {
    const r = Math.hypot(x, z);
    const c = r === 0 ? 1 : x / r;
    const s = r === 0 ? 0 : z / r;
    if (k > low) e[k - 1] = r;
    const [a, b, h] = [d[k]!, d[k + 1]!, e[k]!];
    d[k] = c * c * a + 2 * c * s * h + s * s * b;
    d[k + 1] = s * s * a - 2 * c * s * h + c * c * b;
    e[k] = c * s * (b - a) + (c * c - s * s) * h;
    if (k < high - 1) {
      z = s * e[k + 1]!;
      e[k + 1]! *= c;
      x = e[k]!;
    }
    rotate(vectors, k * width, (k + 1) * width, width, c, s);
  }
}

/** The eigenvalues of a symmetric `[n, n]` in ascending order, and the eigenvectors as columns. */
export const eigh: MatrixRule = {
  name: 'eigh',
  real: [0],
  loop: ofFinite(([a], [values, columns], [n]) => symmetric(a!, values!, columns!, n!)),
};

function symmetric(a: Float64Array, values: Float64Array, columns: Float64Array, n: number): void {
  const { d, e, vectors } = tridiagonal(a, n);
  for (const [to, from] of diagonalized(d, e, vectors, n).entries()) {
    values[to] = d[from]!;
    for (let i = 0; i < n; i++) columns[i * n + to] = vectors[from * n + i]!;
  }
}

/**
 * The eigenvalues of a tridiagonal matrix, instead of its diagonal `d`: `e` is its subdiagonal. The rows of `vectors`, of
 * `width` elements, are combined to eigenvectors. Returns the places of the values in ascending order.
 */
export function diagonalized(d: Float64Array, e: Float64Array, vectors: Float64Array, width: number): number[] {
  for (let high = d.length - 1, steps = 0; high > 0; ) {
    let low = high;
    while (low > 0 && Math.abs(e[low - 1]!) > Number.EPSILON * (Math.abs(d[low - 1]!) + Math.abs(d[low]!))) low--;
    if (low > 0) e[low - 1] = 0;
    if (low === high || steps > maxSteps) {
      high--;
      steps = 0;
    } else {
      step(d, e, vectors, width, low, high);
      steps++;
    }
  }
  return Array.from(d.keys()).sort((i, j) => d[i]! - d[j]!);
}
