import type { Backend, Kernels, Override, TypedArray, View } from '@gradgate/core';
import { type Layout, productOf } from '@gradgate/core/internal';
import type { Gemm, Library } from './library.js';

/** With fewer multiplications than this, the embedded kernels are faster than the call itself. */
const smallProduct = 256;

const rowMajor = 101;
const noTrans = 111;
const trans = 112;
const largestInt = 2 ** 31 - 1;

type Matmul = Kernels['matmul'];

/**
 * Products by `cblas_sgemm` and `cblas_dgemm`, except for other dtypes, small matrices and layouts that BLAS does not
 * have.
 */
export function productsBy({ sgemm, dgemm }: Library, backend: Backend): Override<Matmul> {
  // float32 and float64 are stored as numbers.
  const read = (storage: View['storage']) => backend.read(storage) as TypedArray;
  return {
    accepts(a, transposeA, b, transposeB, out, bias) {
      if (out.dtype !== 'float32' && out.dtype !== 'float64') return false;
      const { m, n, k, ...product } = productOf(a, transposeA, b, transposeB, out);
      if (m * n * k < smallProduct || Math.max(m, n, k) > largestInt) return false;
      if (leadingOf(m, k, product.a) === null || leadingOf(k, n, product.b) === null) return false;
      // OpenBLAS checks no bounds, and would read beyond an array whose buffer has been transferred.
      return (
        inside(m, k, product.a, product.startsA, read(a.storage)) &&
        inside(k, n, product.b, product.startsB, read(b.storage)) &&
        product.startsA.length * m * n <= read(out.storage).length &&
        (bias === null || bias.offset + n <= read(bias.storage).length)
      );
    },
    run(a, transposeA, b, transposeB, out, bias) {
      const { m, n, k, startsA, startsB, ...product } = productOf(a, transposeA, b, transposeB, out);
      const [x, y, to] = [read(a.storage), read(b.storage), read(out.storage)];
      const gemm: Gemm = out.dtype === 'float32' ? sgemm : dgemm;
      const { transposed: atA, leading: lda } = leadingOf(m, k, product.a)!;
      const { transposed: atB, leading: ldb } = leadingOf(k, n, product.b)!;
      if (bias) repeat(read(bias.storage).subarray(bias.offset, bias.offset + n), to);
      for (let i = 0; i < startsA.length; i++) {
        const operands = [from(x, startsA[i]!), lda, from(y, startsB[i]!), ldb] as const;
        gemm(rowMajor, atA, atB, m, n, k, 1, ...operands, bias ? 1 : 0, from(to, i * m * n), n);
      }
    },
  };
}

/** The layout of a matrix for BLAS; null if neither its rows nor its columns are contiguous. */
function leadingOf(rows: number, columns: number, { rowStride, colStride }: Layout) {
  const byRows = leading(rows, columns, rowStride, colStride);
  if (byRows > 0) return { transposed: noTrans, leading: byRows };
  const byColumns = leading(columns, rows, colStride, rowStride);
  return byColumns > 0 ? { transposed: trans, leading: byColumns } : null;
}

/** The leading dimension of `count` contiguous lines of `length` elements; 0 if they are not contiguous or overlap. */
function leading(count: number, length: number, apart: number, step: number): number {
  if ((length > 1 && step !== 1) || apart > largestInt) return 0;
  if (count === 1) return length;
  return apart >= length ? apart : 0;
}

/** Whether all matrices that start at `starts` are inside `data`. */
function inside(
  rows: number,
  columns: number,
  { rowStride, colStride }: Layout,
  starts: ArrayLike<number>,
  { length }: TypedArray,
): boolean {
  const last = (rows - 1) * rowStride + (columns - 1) * colStride;
  for (let i = 0; i < starts.length; i++) if (starts[i]! + last >= length) return false;
  return true;
}

/** Fills `to` with copies of `row`, doubling the number of rows with each copy. */
function repeat(row: TypedArray, to: TypedArray): void {
  to.set(row as never);
  for (let done = row.length; done < to.length; done *= 2) to.copyWithin(done, 0, Math.min(done, to.length - done));
}

const from = (data: TypedArray, offset: number): Float32Array | Float64Array =>
  (offset === 0 ? data : data.subarray(offset)) as Float32Array | Float64Array;
