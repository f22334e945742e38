import { type Reflection, reflector, unit } from './reflector.js';

/**
 * Applies `Hᴴ` from the left to rows `from` on of `x` `[n, n]`, given `v` of `count` numbers, the first of which is 1.
 */
function reflectRows({ re, im }: Reflection, v: Float64Array, x: Float64Array, n: number, from: number): void {
  const count = v.length / 2;
  for (let j = 0; j < 2 * n; j += 2) {
    let [p, q] = [0, 0];
    for (let i = 0; i < count; i++) {
      const at = 2 * (from + i) * n + j;
      p += v[2 * i]! * x[at]! + v[2 * i + 1]! * x[at + 1]!;
      q += v[2 * i]! * x[at + 1]! - v[2 * i + 1]! * x[at]!;
    }
    [p, q] = [p * re + q * im, q * re - p * im];
    for (let i = 0; i < count; i++) {
      const at = 2 * (from + i) * n + j;
      x[at]! -= v[2 * i]! * p - v[2 * i + 1]! * q;
      x[at + 1]! -= v[2 * i]! * q + v[2 * i + 1]! * p;
    }
  }
}

/** Applies `H` from the right to columns `from` on of `x` `[n, n]`. */
function reflectColumns({ re, im }: Reflection, v: Float64Array, x: Float64Array, n: number, from: number): void {
  for (let i = 0; i < n; i++) {
    const start = 2 * (i * n + from);
    let [p, q] = [0, 0];
    for (let j = 0; j < v.length; j += 2) {
      p += x[start + j]! * v[j]! - x[start + j + 1]! * v[j + 1]!;
      q += x[start + j]! * v[j + 1]! + x[start + j + 1]! * v[j]!;
    }
    [p, q] = [p * re - q * im, p * im + q * re];
    // times vᴴ
    for (let j = 0; j < v.length; j += 2) {
      x[start + j]! -= p * v[j]! + q * v[j + 1]!;
      x[start + j + 1]! -= q * v[j]! - p * v[j + 1]!;
    }
  }
}

/**
 * Reduces `h` `[n, n]` to zeros below the first subdiagonal by reflections of its first `count` columns, which make the
 * subdiagonal real: returns Q with `A = Q h Qᴴ`.
 */
export function hessenberg(h: Float64Array, n: number, count: number): Float64Array {
  const q = unit(n);
  for (let k = 0; k < count; k++) {
    const v = new Float64Array(2 * (n - k - 1));
    for (let i = k + 1; i < n; i++) v.set(h.subarray(2 * (i * n + k), 2 * (i * n + k) + 2), 2 * (i - k - 1));
    const reflection = reflector(v, 0, n - k - 1);
    if (reflection === null) continue;
    v[0] = 1;
    reflectRows(reflection, v, h, n, k + 1);
    reflectColumns(reflection, v, h, n, k + 1);
    reflectColumns(reflection, v, q, n, k + 1);
    h[2 * ((k + 1) * n + k) + 1] = 0;
    for (let i = k + 2; i < n; i++) h.fill(0, 2 * (i * n + k), 2 * (i * n + k) + 2);
  }
  return q;
}
