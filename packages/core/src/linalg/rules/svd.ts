import type { MatrixRule } from '../../backend/kernels.js';
import { applyReflections, reflections } from './qr.js';
import { largest, ofFinite, rotate, transposed } from './reflector.js';

/** How often all pairs of columns may be rotated; six to ten times suffice. */
export const maxSweeps = 60;

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

const real: Vectors<Float64Array> = { parts: 1, reflections, applyReflections, orthogonalize };

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
      svdOfTall(real, transposed(a!, m!, n!), m!, n!, left, s!, vh!);
      u!.set(transposed(left, m === 0 ? 0 : u!.length / m!, m!));
    } else {
      const right = new Float64Array(u!.length);
      svdOfTall(real, a!, n!, m!, vh!, s!, right);
      u!.set(transposed(right, m!, m!));
    }
  }),
};

/** What the decomposition does with vectors of numbers that have so many parts: 1 if they are real, 2 if complex. */
export interface Vectors<Reflections> {
  readonly parts: 1 | 2;
  reflections(columns: Float64Array, m: number, n: number): Reflections;
  applyReflections(columns: Float64Array, all: Reflections, m: number, x: Float64Array, count: number): void;
  orthogonalize(x: Float64Array, n: number, turns: Float64Array): void;
}

/**
 * Given the columns of a matrix `[m, n]`, m >= n, as rows: its singular values, and the vectors as rows, n of `right` and n or
 * m of `left`.
 */
export function svdOfTall<Reflections>(
  { parts, reflections, applyReflections, orthogonalize }: Vectors<Reflections>,
  columns: Float64Array,
  m: number,
  n: number,
  left: Float64Array,
  values: Float64Array,
  right: Float64Array,
): void {
  const [tall, short] = [parts * m, parts * n];
  const scale = largest(columns);
  if (scale > 0) for (let i = 0; i < columns.length; i++) columns[i]! /= scale;
  // R has the singular values of the matrix, and shorter columns.
  const all = m > n ? reflections(columns, m, n) : null;
  const x = all === null ? columns : new Float64Array(n * short);
  if (all !== null)
    for (let j = 0; j < n; j++) x.set(columns.subarray(j * tall, j * tall + parts * (j + 1)), j * short);
  const turns = new Float64Array(n * short);
  for (let i = 0; i < n; i++) turns[i * short + parts * i] = 1;
  orthogonalize(x, n, turns);
  const lengths = Array.from({ length: n }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < short; i++) sum += x[j * short + i]! ** 2;
    return Math.sqrt(sum);
  });
  const order = [...lengths.keys()].sort((i, j) => lengths[j]! - lengths[i]!);
  let rank = 0;
  for (const [to, from] of order.entries()) {
    const length = lengths[from]!;
    values[to] = length * scale;
    right.set(turns.subarray(from * short, (from + 1) * short), to * short);
    if (length === 0) continue;
    rank++;
    for (let i = 0; i < short; i++) left[to * tall + i] = x[from * short + i]! / length;
  }
  if (all !== null) applyReflections(columns, all, m, left, rank);
  // The other vectors are what the reflections of those so far make of the axes.
  const wanted = m === 0 ? 0 : left.length / tall;
  if (rank === wanted) return;
  const found = left.slice(0, rank * tall);
  const others = left.subarray(rank * tall);
  others.fill(0);
  for (let row = rank; row < wanted; row++) left[row * tall + parts * row] = 1;
  applyReflections(found, reflections(found, m, rank), m, others, wanted - rank);
}
