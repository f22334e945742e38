import type { MatrixRule } from '../../backend/kernels.js';
import { ofFinite, reflect, reflector, transposed } from './reflector.js';

/**
 * Householder's reflections of the columns of a matrix, given as its transpose `[n, m]`: the vectors stay below the
 * diagonal, R is above it. Returns the tau of each.
 */
export function reflections(columns: Float64Array, m: number, n: number): Float64Array {
  const taus = new Float64Array(Math.min(m, n));
  for (let k = 0; k < taus.length; k++) {
    const start = k * m + k;
    const tau = reflector(columns, start, m - k);
    taus[k] = tau;
    if (tau !== 0) for (let j = k + 1; j < n; j++) reflect(tau, columns, start, columns, j * m + k, m - k);
  }
  return taus;
}

/** Applies the product of the reflections to `count` vectors of `m` elements, the rows of `x`. */
export function applyReflections(
  columns: Float64Array,
  taus: Float64Array,
  m: number,
  x: Float64Array,
  count: number,
): void {
  for (let k = taus.length - 1; k >= 0; k--)
    if (taus[k] !== 0) for (let j = 0; j < count; j++) reflect(taus[k]!, columns, k * m + k, x, j * m + k, m - k);
}

/** Given `a` `[m, n]` and numbers m, n: `Q` `[m, q]` and `R` `[q, n]`; q is `min(m, n)`, or m for a complete Q. */
export const qr: MatrixRule = {
  name: 'qr',
  loop: ofFinite(([a], [q, r], [m, n]) => {
    const columns = transposed(a!, m!, n!);
    const taus = reflections(columns, m!, n!);
    const rows = m === 0 ? 0 : q!.length / m!;
    const qt = new Float64Array(q!.length);
    for (let i = 0; i < rows; i++) qt[i * m! + i] = 1;
    applyReflections(columns, taus, m!, qt, rows);
    q!.set(transposed(qt, rows, m!));
    for (let i = 0; i < rows; i++) for (let j = i; j < n!; j++) r![i * n! + j] = columns[j * m! + i]!;
  }),
};
