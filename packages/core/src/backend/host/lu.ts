import type { View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';

// Computed in float64 for any dtype; leading dimensions are a batch.

interface LU {
  /** Both factors in one matrix; the diagonal of the lower one, all ones, is left out. */
  readonly data: Float64Array;
  /** For each row of the factors, its row in the matrix. */
  readonly rows: number[];
  /** 1 or -1: the determinant of the row exchange. */
  readonly sign: number;
}

/** The factors of a matrix, by partial pivoting. */
function factor(elements: ArrayLike<number>, start: number, n: number): LU {
  const data = new Float64Array(n * n);
  for (let i = 0; i < data.length; i++) data[i] = elements[start + i]!;
  const rows = Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  for (let k = 0; k < n; k++) {
    let p = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(data[i * n + k]!) > Math.abs(data[p * n + k]!)) p = i;
    if (p !== k) {
      for (let j = 0; j < n; j++) [data[k * n + j], data[p * n + j]] = [data[p * n + j]!, data[k * n + j]!];
      [rows[k], rows[p]] = [rows[p]!, rows[k]!];
      sign = -sign;
    }
    const pivot = data[k * n + k]!;
    if (pivot === 0) continue;
    for (let i = k + 1; i < n; i++) {
      const f = data[i * n + k]! / pivot;
      data[i * n + k] = f;
      for (let j = k + 1; j < n; j++) data[i * n + j]! -= f * data[k * n + j]!;
    }
  }
  return { data, rows, sign };
}

/** The x of `A x = b` for each column of `b`. */
function substitute(
  { data, rows }: LU,
  n: number,
  b: (row: number, column: number) => number,
  columns: number,
  out: (row: number, column: number, v: number) => void,
): void {
  const x = new Float64Array(n);
  for (let c = 0; c < columns; c++) {
    for (let i = 0; i < n; i++) {
      let v = b(rows[i]!, c);
      for (let j = 0; j < i; j++) v -= data[i * n + j]! * x[j]!;
      x[i] = v;
    }
    for (let i = n - 1; i >= 0; i--) {
      let v = x[i]!;
      for (let j = i + 1; j < n; j++) v -= data[i * n + j]! * x[j]!;
      x[i] = v / data[i * n + i]!;
      out(i, c, x[i]!);
    }
  }
}

/** `Kernels.solve`, by the factors. */
export function solve(a: View, b: View, out: View, singular: () => Error): void {
  const [as, bs, to] = [elementsOf(a), elementsOf(b), dataOf(out)];
  const [n, k] = b.shape.slice(-2) as [number, number];
  for (let m = 0; m * n * n < as.length; m++) {
    const lu = factor(as, m * n * n, n);
    for (let i = 0; i < n; i++) if (lu.data[i * n + i] === 0) throw singular();
    const start = m * n * k;
    substitute(
      lu,
      n,
      (r, c) => bs[start + r * k + c]!,
      k,
      (r, c, v) => {
        to[start + r * k + c] = v;
      },
    );
  }
}

/** `Kernels.det`, by the factors. */
export function det(a: View, out: View): void {
  const [data, to] = [elementsOf(a), dataOf(out)];
  const n = a.shape.at(-1)!;
  for (let m = 0; m < to.length; m++) {
    const lu = factor(data, m * n * n, n);
    let d = lu.sign;
    for (let i = 0; i < n; i++) d *= lu.data[i * n + i]!;
    to[m] = d;
  }
}

/** `Kernels.slogdet`, by the factors. */
export function slogdet(a: View, sign: View, logabsdet: View): void {
  const [data, signs, logs] = [elementsOf(a), dataOf(sign), dataOf(logabsdet)];
  const n = a.shape.at(-1)!;
  for (let m = 0; m < signs.length; m++) {
    const lu = factor(data, m * n * n, n);
    let log = 0;
    let s = lu.sign;
    for (let i = 0; i < n; i++) {
      const d = lu.data[i * n + i]!;
      s *= Math.sign(d);
      log += Math.log(Math.abs(d));
    }
    signs[m] = s;
    logs[m] = log;
  }
}
