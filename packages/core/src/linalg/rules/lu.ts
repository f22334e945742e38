import type { MatrixRule } from '../../backend/kernels.js';
import { ofFinite } from './reflector.js';

/**
 * Given `a` `[m, n]` and numbers m, n: the factors of `P L U` in one matrix (L without its diagonal of ones), and the
 * rows with which its first rows were exchanged, counted from 1.
 */
export const lu: MatrixRule = {
  name: 'lu',
  real: [1],
  loop: ofFinite(([a], [factors, pivots], [m, n]) => {
    for (let k = 0; k < Math.min(m!, n!); k++) {
      let p = k;
      for (let i = k + 1; i < m!; i++) if (Math.abs(a![i * n! + k]!) > Math.abs(a![p * n! + k]!)) p = i;
      pivots![k] = p + 1;
      if (p !== k) for (let j = 0; j < n!; j++) [a![k * n! + j], a![p * n! + j]] = [a![p * n! + j]!, a![k * n! + j]!];
      const pivot = a![k * n! + k]!;
      if (pivot === 0) continue;
      for (let i = k + 1; i < m!; i++) {
        const f = a![i * n! + k]! / pivot;
        a![i * n! + k] = f;
        for (let j = k + 1; j < n!; j++) a![i * n! + j]! -= f * a![k * n! + j]!;
      }
    }
    factors!.set(a!);
  }),
};

/** Given the pivots and number m: the matrix `P` `[m, m]` with `A = P L U`. */
export const permutation: MatrixRule = {
  name: 'permutation',
  loop: ([, pivots], [p], [m]) => {
    const rows = Array.from({ length: m! }, (_, i) => i);
    for (const [i, v] of pivots!.entries()) [rows[i], rows[v - 1]] = [rows[v - 1]!, rows[i]!];
    for (const [i, row] of rows.entries()) p![row * m! + i] = 1;
  },
};

/**
 * The X of `T X = B` for a triangle `[n, n]` and `[n, k]`. Numbers: n, k, whether it is the upper triangle, whether its
 * diagonal is ones.
 */
export const solveTriangular: MatrixRule = {
  name: 'solveTriangular',
  loop: ([t, b], [x], [n, k, upper, ones]) => {
    for (let step = 0; step < n!; step++) {
      const i = upper === 1 ? n! - 1 - step : step;
      const row = x!.subarray(i * k!, (i + 1) * k!);
      row.set(b!.subarray(i * k!, (i + 1) * k!));
      const [from, to] = upper === 1 ? [i + 1, n!] : [0, i];
      for (let j = from; j < to; j++) {
        const f = t![i * n! + j]!;
        for (let c = 0; c < k!; c++) row[c]! -= f * x![j * k! + c]!;
      }
      if (ones !== 1) for (let c = 0; c < k!; c++) row[c]! /= t![i * n! + i]!;
    }
  },
};
