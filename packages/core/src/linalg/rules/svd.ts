import type { MatrixRule } from '../../backend/kernels.js';
import { applyReflections, reflections } from './qr.js';
import { largest, ofFinite, rotate, transposed, unit } from './reflector.js';

/** How often all pairs of columns may be rotated; six to ten times suffice. */
const maxSweeps = 60;

/**
 * Rotates the rows of `x` `[n, n]` until they are orthogonal, and those of `turns` with them: one-sided Jacobi
 * (Hestenes), which finds small singular values to as many digits as large ones.
 */
function orthogonalize(x: Float64Array, n: number, turns: Float64Array): void {
  for (let sweep = 0, turned = true; turned && sweep < maxSweeps; sweep++) {
    turned = false;
    for (let i = 0; i < n - 1; i++)
      for (let j = i + 1; j < n; j++) {
        const [p, q] = [i * n, j * n];
        let [pp, qq, pq] = [0, 0, 0];
        for (let k = 0; k < n; k++) {
          const a = x[p + k]!;
          const b = x[q + k]!;
          pp += a * a;
          qq += b * b;
          pq += a * b;
        }
        if (Math.abs(pq) <= 4 * Number.EPSILON * Math.sqrt(pp) * Math.sqrt(qq)) continue;
        turned = true;
        const zeta = (qq - pp) / (2 * pq);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        rotate(x, p, q, n, c, -c * t);
        rotate(turns, p, q, n, c, -c * t);
      }
  }
}

/** Makes the rows of `x` `[count, m]` from `from` on orthonormal, to each other and to those before, by their reflections. */
function complete(x: Float64Array, from: number, count: number, m: number): void {
  if (from === count) return;
  const columns = x.slice(0, from * m);
  const taus = reflections(columns, m, from);
  const added = x.subarray(from * m);
  added.fill(0);
  for (let row = from; row < count; row++) x[row * m + row] = 1;
  applyReflections(columns, taus, m, added, count - from);
}

/**
 * Given `a` `[m, n]` and numbers m, n: the left singular vectors `U` `[m, p]`, the singular values in descending order,
 * and the right vectors `Vh` `[q, n]`; p and q are `min(m, n)`, or m and n for all vectors.
 */
export const svd: MatrixRule = {
  name: 'svd',
  real: [1],
  loop: ofFinite(([a], [u, s, vh], [m, n]) => {
    if (m! >= n!) {
      const left = new Float64Array(u!.length);
      svdOfTall(transposed(a!, m!, n!), m!, n!, left, s!, vh!);
      u!.set(transposed(left, m === 0 ? 0 : u!.length / m!, m!));
    } else {
      const right = new Float64Array(u!.length);
      svdOfTall(a!, n!, m!, vh!, s!, right);
      u!.set(transposed(right, m!, m!));
    }
  }),
};

/** Given the columns of a matrix `[m, n]`, m >= n, as rows: singular vectors as rows, `left` and `right`. */
function svdOfTall(
  columns: Float64Array,
  m: number,
  n: number,
  left: Float64Array,
  values: Float64Array,
  right: Float64Array,
): void {
  const scale = largest(columns);
  if (scale > 0) for (let i = 0; i < columns.length; i++) columns[i]! /= scale;
  // R has the singular values of the matrix, and shorter columns.
  const taus = m > n ? reflections(columns, m, n) : null;
  const x = taus === null ? columns : new Float64Array(n * n);
  if (taus !== null) for (let j = 0; j < n; j++) for (let i = 0; i <= j; i++) x[j * n + i] = columns[j * m + i]!;
  const turns = unit(n);
  orthogonalize(x, n, turns);
  const lengths = Array.from({ length: n }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += x[j * n + i]! ** 2;
    return Math.sqrt(sum);
  });
  const order = [...lengths.keys()].sort((i, j) => lengths[j]! - lengths[i]!);
  const wanted = m === 0 ? 0 : left.length / m;
  let rank = 0;
  for (const [to, from] of order.entries()) {
    const length = lengths[from]!;
    values[to] = length * scale;
    for (let i = 0; i < n; i++) right[to * n + i] = turns[from * n + i]!;
    if (length === 0) continue;
    rank++;
    for (let i = 0; i < n; i++) left[to * m + i] = x[from * n + i]! / length;
  }
  if (taus !== null) applyReflections(columns, taus, m, left, rank);
  complete(left, rank, wanted, m);
}
