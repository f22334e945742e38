import type { MatrixRule } from '../../backend/kernels.js';
import { diagonalized } from '../../linalg/rules/eigh.js';
import { ofFinite } from '../../linalg/rules/reflector.js';
import { hessenberg } from './hessenberg.js';
import { transposed } from './reflector.js';

/** The eigenvalues of a Hermitian `[n, n]` in ascending order, and the eigenvectors as columns. */
export const eigh: MatrixRule['loop'] = ofFinite(([a], [values, columns], [n]) => {
  // LAPACK, too, reads only the real parts of the diagonal.
  for (let i = 0; i < n!; i++) a![2 * (i * n! + i) + 1] = 0;
  // A Hermitian matrix becomes tridiagonal, and reflections make the subdiagonal real.
  const q = hessenberg(a!, n!, n! - 1);
  const at = (i: number, j: number) => a![2 * (i * n! + j)]!;
  const d = Float64Array.from({ length: n! }, (_, i) => at(i, i));
  const e = Float64Array.from({ length: n! }, (_, i) => (i < n! - 1 ? at(i + 1, i) : 0));
  const vectors = transposed(q, n!, n!);
  const order = diagonalized(d, e, vectors, 2 * n!);
  const rows = new Float64Array(vectors.length);
  for (const [to, from] of order.entries()) {
    values![to] = d[from]!;
    rows.set(vectors.subarray(2 * from * n!, 2 * (from + 1) * n!), 2 * to * n!);
  }
  columns!.set(transposed(rows, n!, n!));
});
