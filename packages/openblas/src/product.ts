import type { Matrix, ProductBackend, TypedArray } from '@gradgate/core';
import type { Library } from './library.js';

/** With fewer multiplications than this the embedded kernels are done before the call has been made. */
const smallProduct = 256;

const rowMajor = 101;
const noTrans = 111;
const trans = 112;
const largestInt = 2 ** 31 - 1;

/** Products by `cblas_sgemm` and `cblas_dgemm`; declines other dtypes, small products and layouts that BLAS has not. */
export function productsBy({ sgemm, dgemm }: Library): ProductBackend {
  return (m, n, k, a, b, out, outOffset, accumulate) => {
    if (m * n * k < smallProduct) return false;
    const gemm = out instanceof Float32Array ? sgemm : out instanceof Float64Array ? dgemm : null;
    if (gemm === null) return false;
    const rowsA = leading(m, k, a.rowStride, a.colStride);
    const rowsB = leading(k, n, b.rowStride, b.colStride);
    const lda = rowsA || leading(k, m, a.colStride, a.rowStride);
    const ldb = rowsB || leading(n, k, b.colStride, b.rowStride);
    if (lda === 0 || ldb === 0 || Math.max(m, n, k, lda, ldb) > largestInt) return false;
    // OpenBLAS checks nothing: beyond an array, whose buffer may have been transferred, it would read what lies there.
    if (!inside(m, k, a) || !inside(k, n, b) || outOffset + m * n > out.length) return false;
    gemm(
      rowMajor,
      rowsA ? noTrans : trans,
      rowsB ? noTrans : trans,
      m,
      n,
      k,
      1,
      from(a.data, a.offset),
      lda,
      from(b.data, b.offset),
      ldb,
      accumulate ? 1 : 0,
      from(out, outOffset),
      n,
    );
    return true;
  };
}

/** How far `count` lines of `length` neighbours are apart, as BLAS wants it; 0 where they are not neighbours or overlap. */
function leading(count: number, length: number, apart: number, step: number): number {
  if (length > 1 && step !== 1) return 0;
  if (count === 1) return length;
  return apart >= length ? apart : 0;
}

const inside = (rows: number, columns: number, { data, offset, rowStride, colStride }: Matrix): boolean =>
  offset + (rows - 1) * rowStride + (columns - 1) * colStride < data.length;

const from = (data: TypedArray, offset: number): Float32Array | Float64Array =>
  (offset === 0 ? data : data.subarray(offset)) as Float32Array | Float64Array;
