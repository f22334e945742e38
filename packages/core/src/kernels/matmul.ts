import type { TypedArray } from '../tensor/dtype.js';

/** A matrix in memory: where it starts and how far rows and columns are apart. */
export interface Matrix {
  readonly data: TypedArray;
  readonly offset: number;
  readonly rowStride: number;
  readonly colStride: number;
}

/** `out[m, n] = a[m, k] @ b[k, n]`; `out` is row-major and starts at `outOffset`. */
export function gemm(m: number, n: number, k: number, a: Matrix, b: Matrix, out: TypedArray, outOffset: number): void {
  const row = new Float64Array(n);
  for (let i = 0; i < m; i++) {
    row.fill(0);
    for (let p = 0; p < k; p++) {
      const x = a.data[a.offset + i * a.rowStride + p * a.colStride]!;
      const start = b.offset + p * b.rowStride;
      if (b.colStride === 1) for (let j = 0; j < n; j++) row[j]! += x * b.data[start + j]!;
      else for (let j = 0, q = start; j < n; j++, q += b.colStride) row[j]! += x * b.data[q]!;
    }
    out.set(row as never, outOffset + i * n);
  }
}
