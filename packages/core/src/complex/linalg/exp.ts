import type { MatrixRule } from '../../backend/kernels.js';
import { matrixExp as real } from '../../linalg/rules/exp.js';

/** By the real matrix `[[re, -im], [im, re]]` of twice the size, whose exponential has the same form. */
export const matrixExp: MatrixRule['loop'] = ([a], [out], [n]) => {
  const size = 2 * n!;
  const both = new Float64Array(size * size);
  const result = new Float64Array(size * size);
  for (let i = 0; i < n!; i++)
    for (let j = 0; j < n!; j++) {
      const [re, im] = [a![2 * (i * n! + j)]!, a![2 * (i * n! + j) + 1]!];
      both[i * size + j] = re;
      both[i * size + n! + j] = -im;
      both[(n! + i) * size + j] = im;
      both[(n! + i) * size + n! + j] = re;
    }
  real.loop([both], [result], [size]);
  for (let i = 0; i < n!; i++)
    for (let j = 0; j < n!; j++) {
      out![2 * (i * n! + j)] = result[i * size + j]!;
      out![2 * (i * n! + j) + 1] = result[(n! + i) * size + j]!;
    }
};
