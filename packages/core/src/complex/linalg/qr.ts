import type { MatrixRule } from '../../backend/kernels.js';
import { ofFinite } from '../../linalg/rules/reflector.js';
import { type Reflection, reflect, reflector, transposed } from './reflector.js';

/** The reflections of the columns of a matrix, given as its transpose `[n, m]`: `v` below the diagonal, R above. */
export function reflections(columns: Float64Array, m: number, n: number): (Reflection | null)[] {
  return Array.from({ length: Math.min(m, n) }, (_, k) => {
    const start = 2 * (k * m + k);
    const h = reflector(columns, start, m - k);
    if (h !== null) for (let j = k + 1; j < n; j++) reflect(h, columns, start, columns, 2 * (j * m + k), m - k, true);
    return h;
  });
}

/** Applies the product of the reflections to `count` vectors of `m` numbers, the rows of `x`. */
export function applyReflections(
  columns: Float64Array,
  all: readonly (Reflection | null)[],
  m: number,
  x: Float64Array,
  count: number,
): void {
  for (let k = all.length - 1; k >= 0; k--) {
    const h = all[k]!;
    if (h !== null)
      for (let j = 0; j < count; j++) reflect(h, columns, 2 * (k * m + k), x, 2 * (j * m + k), m - k, false);
  }
}

/** Given `a` `[m, n]`: `Q` `[m, q]` and `R` `[q, n]` with a real diagonal; q is `min(m, n)`, or m for a complete Q. */
export const qr: MatrixRule['loop'] = ofFinite(([a], [q, r], [m, n]) => {
  const columns = transposed(a!, m!, n!);
  const all = reflections(columns, m!, n!);
  const rows = m === 0 ? 0 : q!.length / 2 / m!;
  const qt = new Float64Array(q!.length);
  for (let i = 0; i < rows; i++) qt[2 * (i * m! + i)] = 1;
  applyReflections(columns, all, m!, qt, rows);
  q!.set(transposed(qt, rows, m!));
  for (let i = 0; i < rows; i++)
    for (let j = i; j < n!; j++) r!.set(columns.subarray(2 * (j * m! + i), 2 * (j * m! + i) + 2), 2 * (i * n! + j));
});
