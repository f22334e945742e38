import type { MatrixRule } from '../../backend/kernels.js';
import { ofFinite, unit } from './reflector.js';

/** `a b` of `[n, n]`. */
function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const f = a[i * n + k]!;
      if (f !== 0) for (let j = 0; j < n; j++) out[i * n + j]! += f * b[k * n + j]!;
    }
  return out;
}

/** `exp(A)` for `[n, n]`: halves A until 18 terms of the series give all digits, and squares the result as often. */
export const matrixExp: MatrixRule = {
  name: 'matrixExp',
  loop: ofFinite(([a], [out], [n]) => {
    let norm = 0;
    for (let i = 0; i < n!; i++) {
      let sum = 0;
      for (let j = 0; j < n!; j++) sum += Math.abs(a![i * n! + j]!);
      norm = Math.max(norm, sum);
    }
    const halvings = norm > 0.5 ? Math.ceil(Math.log2(norm)) + 1 : 0;
    for (let i = 0; i < a!.length; i++) a![i]! *= 2 ** -halvings;
    // Horner: I + A (I + A / 2 (I + A / 3 (...)))
    let sum = unit(n!);
    for (let term = 18; term > 0; term--) {
      const next = product(a!, sum, n!);
      for (let i = 0; i < next.length; i++) next[i]! /= term;
      for (let i = 0; i < n!; i++) next[i * n! + i]! += 1;
      sum = next;
    }
    for (let i = 0; i < halvings; i++) sum = product(sum, sum, n!);
    out!.set(sum);
  }),
};
