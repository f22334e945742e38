import { isInteger, type TypedArray } from '../../memory/dtype.js';
import type { View } from '../kernels.js';
import { type Layout, productOf } from '../product.js';
import { dataOf, exactOf } from './data.js';

/** A matrix in memory: its offset, and the distances of its rows and columns. */
export interface Matrix extends Layout {
  readonly data: TypedArray;
  readonly offset: number;
}

/** A row that is added to every row of a product. */
export interface Row {
  readonly data: TypedArray;
  readonly offset: number;
}

/**
 * `Kernels.matmul` for any dtype: sums are taken in float64, and exactly for integers, which wrap around as in sums.
 */
export function matmul(a: View, transposeA: boolean, b: View, transposeB: boolean, out: View, bias: View | null): void {
  const { m, n, k, a: layoutA, b: layoutB, startsA, startsB } = productOf(a, transposeA, b, transposeB, out);
  const [of, gemm] = isInteger(out.dtype) ? [exactOf, gemmExact] : [dataOf, gemmLoops];
  const [x, y, to] = [of(a), of(b), of(out)];
  const row = bias && { data: of(bias), offset: bias.offset };
  for (let i = 0; i < startsA.length; i++) {
    const left = { data: x, offset: startsA[i]!, ...layoutA };
    const right = { data: y, offset: startsB[i]!, ...layoutB };
    (to instanceof Float32Array ? gemmByFours : gemm)(m, n, k, left, right, to, i * m * n, row);
  }
}

/**
 * float32, summed in float64. Four sums at a time, for two rows and two columns, so that none waits for another. If
 * there is no second row or column, the first is used twice.
 */
export function gemmByFours(
  m: number,
  n: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: TypedArray,
  outOffset: number,
  bias: Row | null = null,
): void {
  const x = a.data;
  const y = b.data;
  const { colStride: stepA } = a;
  const { rowStride: stepB } = b;
  for (let i = 0; i < m; i += 2) {
    const below = i + 1 < m ? 1 : 0;
    const rowA = a.offset + i * a.rowStride;
    const downA = below * a.rowStride;
    for (let j = 0; j < n; j += 2) {
      const right = j + 1 < n ? 1 : 0;
      const rightB = right * b.colStride;
      let s00 = bias === null ? 0 : bias.data[bias.offset + j]!;
      let s01 = bias === null ? 0 : bias.data[bias.offset + j + right]!;
      let s10 = s00;
      let s11 = s01;
      for (let p = 0, q = rowA, r = b.offset + j * b.colStride; p < k; p++, q += stepA, r += stepB) {
        const x0 = x[q]!;
        const x1 = x[q + downA]!;
        const y0 = y[r]!;
        const y1 = y[r + rightB]!;
        s00 += x0 * y0;
        s01 += x0 * y1;
        s10 += x1 * y0;
        s11 += x1 * y1;
      }
      const o = outOffset + i * n + j;
      out[o] = s00;
      out[o + right] = s01;
      out[o + below * n] = s10;
      out[o + below * n + right] = s11;
    }
  }
}

/** Integers, and bigints for int64: the last bits of a sum, which float64 loses beyond 2^53. */
const gemmExact: typeof gemmLoops = (m, n, k, a, b, out, outOffset, bias = null) => {
  const isBig = (out as unknown) instanceof BigInt64Array;
  for (let o = 0; o < m * n; o++) {
    const j = o % n;
    let sum: any = bias?.data[bias.offset + j] ?? (isBig ? 0n : 0);
    let q = a.offset + ((o - j) / n) * a.rowStride;
    let r = b.offset + j * b.colStride;
    for (let p = 0; p < k; p++, q += a.colStride, r += b.rowStride) {
      const [x, y] = [a.data[q]!, b.data[r]!];
      sum = isBig ? sum + x * y : (sum + Math.imul(x, y)) | 0;
    }
    out[outOffset + o] = sum;
  }
};

/** Any dtype; sums in float64. */
export function gemmLoops(
  m: number,
  n: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: TypedArray,
  outOffset: number,
  bias: Row | null = null,
): void {
  const x = a.data;
  const y = b.data;
  for (let i = 0, o = outOffset; i < m; i++) {
    const rowA = a.offset + i * a.rowStride;
    for (let j = 0; j < n; j++) {
      let sum = bias === null ? 0 : bias.data[bias.offset + j]!;
      for (let p = 0, q = rowA, r = b.offset + j * b.colStride; p < k; p++, q += a.colStride, r += b.rowStride)
        sum += x[q]! * y[r]!;
      out[o++] = sum;
    }
  }
}
