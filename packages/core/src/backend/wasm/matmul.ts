import { dataOf } from '../host/data.js';
import * as host from '../host/matmul.js';
import { gemmByFours, type Matrix, type Row } from '../host/matmul.js';
import type { View } from '../kernels.js';
import { type Layout, type Product, productOf } from '../product.js';
import { arrayOf, isFloat32 } from './floats.js';
import { checkLength, copiedOf, copyMemory, kernelMemory, stagedSize } from './memory.js';
import { bands } from './threads.js';

/** Up to so many steps of `gemmByFours` run at once in JavaScript: staging would cost more. */
const smallProduct = 200;

/** `Kernels.matmul` for float32; sums are taken in float32. */
export function matmul(a: View, transposeA: boolean, b: View, transposeB: boolean, out: View, bias: View | null): void {
  if (!isFloat32(out)) host.matmul(a, transposeA, b, transposeB, out, bias);
  else if (out.shape.length === 2) one(a, transposeA, b, transposeB, out, bias);
  else if (bias === null) {
    const product = productOf(a, transposeA, b, transposeB, out);
    batchedProducts(product, arrayOf(a), arrayOf(b), arrayOf(out));
  } else host.matmul(a, transposeA, b, transposeB, out, bias);
}

/**
 * Whether threads save more than they cost: they have to be woken, and copies take longer where another core has read
 * the memory before.
 */
const isWorthCopying = (multiplications: number, copied: number): boolean => multiplications >= 2 ** 21 + 40 * copied;

/** The product of two float32 matrices, plus `bias[n]` if given; `out` is row-major and starts at `outOffset`. */
export function gemm(
  m: number,
  n: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: Float32Array,
  outOffset: number,
  bias: Row | null,
): void {
  const [x, y] = [a.data as Float32Array, b.data as Float32Array];
  const [sizeA, sizeB] = [stagedSize(a.rowStride, a.colStride, m, k), stagedSize(b.rowStride, b.colStride, k, n)];
  const copied = copiedOf(x, sizeA) + copiedOf(y, sizeB) + copiedOf(out, m * n);
  const pool = isWorthCopying(m * n * k, copied) ? kernelMemory().pool : null;
  const threads = pool?.size ?? 1;
  const inPlace = copied < sizeA + sizeB + m * n;
  const kernel = inPlace || threads > 1 ? kernelMemory() : copyMemory();
  const { kernels } = kernel.instance;
  const scratchBytes = kernels.gemmScratch();
  kernel.begin('matmul', (sizeA + sizeB + m * n) * 4 + scratchBytes * threads);
  const scratch = kernel.take(scratchBytes * threads);
  const left = kernel.putMatrix(a, m, k);
  const right = kernel.putMatrix(b, k, n);
  const atC = kernel.target(out, outOffset, m * n);
  if (bias) kernel.repeat(atC, bias.data as Float32Array, bias.offset, n, m);
  if (threads === 1) kernels.gemm(m, n, k, ...left, ...right, atC, n, scratch, bias !== null);
  else pool!.run('gemm', gemmParts(threads, m, n, k, left, right, atC, scratch, scratchBytes, bias !== null));
  kernel.deliver(atC, out, outOffset, m * n);
}

/** Larger batches are brought to the kernel matrix by matrix. */
const largeBatch = 2 ** 22;

/** The product of two matrices. */
function one(a: View, transposeA: boolean, b: View, transposeB: boolean, out: View, bias: View | null): void {
  const m = out.shape[0]!;
  const n = out.shape[1]!;
  const k = a.shape[transposeA ? 0 : 1]!;
  const left = matrixOf(a, transposeA);
  const right = matrixOf(b, transposeB);
  const row = bias && rowOf(bias);
  // Two calls, rather than one of either: so each can become part of this function.
  if (isSmall(m, n, k)) gemmByFours(m, n, k, left, right, arrayOf(out), 0, row);
  else gemm(m, n, k, left, right, arrayOf(out), 0, row);
}

const isSmall = (m: number, n: number, k: number): boolean => ((m + 1) >> 1) * ((n + 1) >> 1) * k <= smallProduct;

function matrixOf(x: View, transposed: boolean): Matrix {
  const rowStride = x.strides[0]!;
  const colStride = x.strides[1]!;
  const data = dataOf(x);
  return transposed
    ? { data, offset: x.offset, rowStride: colStride, colStride: rowStride }
    : { data, offset: x.offset, rowStride, colStride };
}

const rowOf = (bias: View): Row => ({ data: dataOf(bias), offset: bias.offset });

/** The products of a batch: in one call, unless the matrices are far apart or very large. */
function batchedProducts(
  { m, n, k, a, b, startsA, startsB }: Product,
  x: Float32Array,
  y: Float32Array,
  out: Float32Array,
): void {
  const count = startsA.length;
  if (count > 1 && m * n * k > 0) {
    const [spanA, spanB] = [spanOf(a, startsA, m, k), spanOf(b, startsB, k, n)];
    const limit = (matrix: number) => Math.min(2 * count * matrix, largeBatch);
    if (spanA[1] <= limit(m * k) && spanB[1] <= limit(k * n) && count * m * n <= largeBatch) {
      batchedGemm(m, n, k, { ...a, data: x }, startsA, spanA, { ...b, data: y }, startsB, spanB, out);
      return;
    }
  }
  for (let i = 0; i < count; i++) {
    const left = { data: x, offset: startsA[i]!, ...a };
    (isSmall(m, n, k) ? gemmByFours : gemm)(
      m,
      n,
      k,
      left,
      { data: y, offset: startsB[i]!, ...b },
      out,
      i * m * n,
      null,
    );
  }
}

/** The offset of the first element of all matrices, and how far they extend. */
type Span = readonly [first: number, length: number];

function spanOf({ rowStride, colStride }: Layout, starts: ArrayLike<number>, rows: number, columns: number): Span {
  let [first, last] = [starts[0]!, starts[0]!];
  for (let i = 1; i < starts.length; i++) {
    first = Math.min(first, starts[i]!);
    last = Math.max(last, starts[i]!);
  }
  return [first, last - first + (rows - 1) * rowStride + (columns - 1) * colStride + 1];
}

function batchedGemm(
  m: number,
  n: number,
  k: number,
  a: Layout & { readonly data: Float32Array },
  startsA: ArrayLike<number>,
  [firstA, lengthA]: Span,
  b: Layout & { readonly data: Float32Array },
  startsB: ArrayLike<number>,
  [firstB, lengthB]: Span,
  out: Float32Array,
): void {
  const count = startsA.length;
  checkLength('matmul', out, count * m * n);
  const { data: x } = a;
  const { data: y } = b;
  const copied = copiedOf(x, lengthA) + copiedOf(y, lengthB) + copiedOf(out, out.length);
  const pool = isWorthCopying(count * m * n * k, copied) ? kernelMemory().pool : null;
  const threads = pool?.size ?? 1;
  const inPlace = copied < lengthA + lengthB + out.length;
  const memory = threads > 1 || inPlace ? kernelMemory() : copyMemory();
  const { kernels } = memory.instance;
  const scratchBytes = kernels.gemmScratch();
  memory.begin('matmul', (2 * count + lengthA + lengthB + out.length) * 4 + scratchBytes * threads);
  const scratch = memory.take(scratchBytes * threads);
  const atA = memory.putIntegers(startsA, firstA);
  const atB = memory.putIntegers(startsB, firstB);
  const left = [memory.put(x, firstA, lengthA), a.rowStride, a.colStride];
  const right = [memory.put(y, firstB, lengthB), b.rowStride, b.colStride];
  const atC = memory.target(out, 0, out.length);
  const parts = bands(count, 1, threads).map(([first, some], i) => {
    const starts = [atA + first * 4, atB + first * 4] as const;
    const to = [atC + first * m * n * 4, scratch + i * scratchBytes];
    return [some, ...starts, m, n, k, ...left, ...right, ...to] as const;
  });
  if (threads > 1) pool!.run('batchedGemm', parts);
  else for (const args of parts) kernels.batchedGemm(...args);
  memory.deliver(atC, out, 0, out.length);
}

/** Bands of the result, each whole tiles high or wide; one for each thread. */
function gemmParts(
  threads: number,
  m: number,
  n: number,
  k: number,
  [a, ars, acs]: readonly [number, number, number],
  [b, brs, bcs]: readonly [number, number, number],
  c: number,
  scratch: number,
  scratchBytes: number,
  accumulate: boolean,
): number[][] {
  const wide = n >= m;
  return bands(wide ? n : m, wide ? 8 : 6, threads).map(([first, count], i) => [
    wide ? m : count,
    wide ? count : n,
    k,
    wide ? a : a + first * ars * 4,
    ars,
    acs,
    wide ? b + first * bcs * 4 : b,
    brs,
    bcs,
    c + first * (wide ? 1 : n) * 4,
    n,
    scratch + i * scratchBytes,
    Number(accumulate),
  ]);
}
