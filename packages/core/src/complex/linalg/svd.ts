import type { MatrixRule } from '../../backend/kernels.js';
import { largest, ofFinite, rotate } from '../../linalg/rules/reflector.js';
import { applyReflections, reflections } from './qr.js';
import { transposed, unit } from './reflector.js';

/** How often all pairs of columns may be rotated; six to ten times suffice. */
const mostSweeps = 60;

/** `xᴴ y` of rows of `count` numbers. */
function dot(x: Float64Array, p: number, q: number, count: number): [re: number, im: number] {
  let [re, im] = [0, 0];
  for (let k = 0; k < 2 * count; k += 2) {
    const [a, b, c, d] = [x[p + k]!, x[p + k + 1]!, x[q + k]!, x[q + k + 1]!];
    re += a * c + b * d;
    im += a * d - b * c;
  }
  return [re, im];
}

/** Multiplies a row of `count` numbers by one. */
function scaleRow(x: Float64Array, p: number, count: number, re: number, im: number): void {
  for (let k = p; k < p + 2 * count; k += 2) {
    const [a, b] = [x[k]!, x[k + 1]!];
    x[k] = a * re - b * im;
    x[k + 1] = a * im + b * re;
  }
}

/** Turns the rows of `x` `[n, n]` until they are orthogonal, and those of `turns` with them (one-sided Jacobi). */
function orthogonalize(x: Float64Array, n: number, turns: Float64Array): void {
  for (let sweep = 0, turned = true; turned && sweep < mostSweeps; sweep++) {
    turned = false;
    for (let i = 0; i < n - 1; i++)
      for (let j = i + 1; j < n; j++) {
        const [p, q] = [2 * i * n, 2 * j * n];
        const [pp] = dot(x, p, p, n);
        const [qq] = dot(x, q, q, n);
        const [re, im] = dot(x, p, q, n);
        const size = Math.hypot(re, im);
        if (size <= 4 * Number.EPSILON * Math.sqrt(pp) * Math.sqrt(qq)) continue;
        turned = true;
        const zeta = (qq - pp) / (2 * size);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        for (const y of [x, turns]) {
          // Then the product of both rows is real, and they turn as real ones do.
          scaleRow(y, q, n, re / size, -im / size);
          rotate(y, p, q, 2 * n, c, -c * t);
        }
      }
  }
}

/** Makes the rows of `x` `[count, m]` from `from` on orthonormal, to each other and to those before, by their reflections. */
function complete(x: Float64Array, from: number, count: number, m: number): void {
  if (from === count) return;
  const columns = x.slice(0, 2 * from * m);
  const all = reflections(columns, m, from);
  const added = x.subarray(2 * from * m);
  added.fill(0);
  for (let row = from; row < count; row++) x[2 * (row * m + row)] = 1;
  applyReflections(columns, all, m, added, count - from);
}

/**
 * Given `a` `[m, n]`: the left singular vectors `U` `[m, p]`, the singular values in descending order, and the right vectors
 * `Vh` `[q, n]`; p and q are `min(m, n)`, or m and n for all vectors.
 */
export const svd: MatrixRule['loop'] = ofFinite(([a], [u, s, vh], [m, n]) => {
  // Vectors are rows: those of U and the conjugates of Vh for a tall matrix, which Aᴴ is if A is wide.
  const wide = m! < n!;
  const [left, right] = [new Float64Array((wide ? vh! : u!).length), new Float64Array((wide ? u! : vh!).length)];
  if (wide)
    svdOfTall(
      a!.map((v, i) => (i % 2 === 1 ? -v : v)),
      n!,
      m!,
      left,
      s!,
      right,
    );
  else svdOfTall(transposed(a!, m!, n!), m!, n!, left, s!, right);
  const [ofU, ofV] = wide ? [right, left] : [left, right];
  u!.set(transposed(ofU, m === 0 ? 0 : ofU.length / 2 / m!, m!));
  vh!.set(ofV.map((v, i) => (i % 2 === 1 ? -v : v)));
});

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
  const all = m > n ? reflections(columns, m, n) : null;
  const x = all === null ? columns : new Float64Array(2 * n * n);
  if (all !== null) for (let j = 0; j < n; j++) x.set(columns.subarray(2 * j * m, 2 * (j * m + j + 1)), 2 * j * n);
  const turns = unit(n);
  orthogonalize(x, n, turns);
  const lengths = Array.from({ length: n }, (_, j) => Math.sqrt(dot(x, 2 * j * n, 2 * j * n, n)[0]));
  const order = [...lengths.keys()].sort((i, j) => lengths[j]! - lengths[i]!);
  const wanted = m === 0 ? 0 : left.length / 2 / m;
  let rank = 0;
  for (const [to, from] of order.entries()) {
    const length = lengths[from]!;
    values[to] = length * scale;
    right.set(turns.subarray(2 * from * n, 2 * (from + 1) * n), 2 * to * n);
    if (length === 0) continue;
    rank++;
    for (let i = 0; i < 2 * n; i++) left[2 * to * m + i] = x[2 * from * n + i]! / length;
  }
  if (all !== null) applyReflections(columns, all, m, left, rank);
  complete(left, rank, wanted, m);
}
