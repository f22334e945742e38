import type { TypedArray } from '../tensor/dtype.js';
import { copiedOf, copyMemory, kernelMemory, stagedSize } from './wasm/memory.js';
import { bands } from './wasm/threads.js';

/** A matrix in memory: where it starts and how far rows and columns are apart. */
export interface Matrix {
  readonly data: TypedArray;
  readonly offset: number;
  readonly rowStride: number;
  readonly colStride: number;
}

/** Up to so many steps of `gemmSmall` are done at once in JavaScript: staging costs more. */
const smallProduct = 200;

/**
 * `out[m, n] = a[m, k] @ b[k, n]` by other means than the embedded kernels, or with `accumulate` that added to what `out`
 * holds: writes all of `out` and returns true, or touches nothing and returns false. `a`, `b` and `out` are of one dtype,
 * which may be one that it declines.
 */
export type ProductBackend = (
  m: number,
  n: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: TypedArray,
  outOffset: number,
  accumulate: boolean,
) => boolean;

let productBackend: ProductBackend | null = null;

/** Offers every product to `backend` first; null takes it out again. Returns the one that was there before. */
export function setProductBackend(backend: ProductBackend | null): ProductBackend | null {
  if (backend !== null && typeof backend !== 'function')
    throw new TypeError(`setProductBackend: expected a function or null, got ${typeof backend}`);
  const before = productBackend;
  productBackend = backend;
  return before;
}

/** A row that is added to every row of a product. */
export interface Row {
  readonly data: TypedArray;
  readonly offset: number;
}

/** `out[m, n] = a[m, k] @ b[k, n]`, plus `bias[n]` if there is one; `out` is row-major and starts at `outOffset`. */
export function gemm(
  m: number,
  n: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: TypedArray,
  outOffset: number,
  bias: Row | null = null,
): void {
  if (productBackend !== null) {
    if (bias) repeatRow(bias, out, outOffset, m, n);
    if (productBackend(m, n, k, a, b, out, outOffset, bias !== null)) return;
  }
  if (out instanceof Float32Array) {
    const small = ((m + 1) >> 1) * ((n + 1) >> 1) * k <= smallProduct;
    (small ? gemmSmall : gemmWasm)(m, n, k, a, b, out, outOffset, bias);
  } else gemmLoops(m, n, k, a, b, out, outOffset, bias);
}

/** Writes a row of `n` elements `times` times, twice as many each time. */
function repeatRow({ data, offset }: Row, out: TypedArray, outOffset: number, times: number, n: number): void {
  const all = times * n;
  if (all === 0) return;
  out.set(data.subarray(offset, offset + n) as never, outOffset);
  for (let done = n; done < all; done *= 2)
    out.copyWithin(outOffset + done, outOffset, outOffset + Math.min(done, all - done));
}

/**
 * Whether threads save more than they cost: in waking them, and in copies, which take longer where another core has read
 * what was there before.
 */
const pays = (multiplications: number, copied: number): boolean => multiplications >= 2 ** 21 + 40 * copied;

function gemmWasm(
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
  const pool = pays(m * n * k, copied) ? kernelMemory().pool : null;
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

/** Batches of more elements than this are brought to the kernel matrix by matrix. */
const largeBatch = 2 ** 22;

/**
 * The products of the matrices that begin at `startsA` with those at `startsB`, one after the other from the start of
 * `out`; `a` and `b` say how the matrices lie.
 */
export function gemmMany(
  m: number,
  n: number,
  k: number,
  a: Matrix,
  startsA: Int32Array,
  b: Matrix,
  startsB: Int32Array,
  out: TypedArray,
): void {
  const count = startsA.length;
  if (productBackend === null && out instanceof Float32Array && count > 1 && m * n * k > 0) {
    const [spanA, spanB] = [spanOf(a, startsA, m, k), spanOf(b, startsB, k, n)];
    const most = (matrix: number) => Math.min(2 * count * matrix, largeBatch);
    if (spanA[1] <= most(m * k) && spanB[1] <= most(k * n) && count * m * n <= largeBatch) {
      manyWasm(m, n, k, a, startsA, spanA, b, startsB, spanB, out);
      return;
    }
  }
  for (let i = 0; i < count; i++)
    gemm(m, n, k, { ...a, offset: startsA[i]! }, { ...b, offset: startsB[i]! }, out, i * m * n);
}

/** From where on, and how far, the elements of all matrices lie. */
type Span = readonly [first: number, length: number];

function spanOf({ rowStride, colStride }: Matrix, starts: Int32Array, rows: number, columns: number): Span {
  let [first, last] = [starts[0]!, starts[0]!];
  for (const start of starts) {
    if (start < first) first = start;
    if (start > last) last = start;
  }
  return [first, last - first + (rows - 1) * rowStride + (columns - 1) * colStride + 1];
}

function manyWasm(
  m: number,
  n: number,
  k: number,
  a: Matrix,
  startsA: Int32Array,
  [firstA, lengthA]: Span,
  b: Matrix,
  startsB: Int32Array,
  [firstB, lengthB]: Span,
  out: Float32Array,
): void {
  const count = startsA.length;
  const [x, y] = [a.data as Float32Array, b.data as Float32Array];
  const copied = copiedOf(x, lengthA) + copiedOf(y, lengthB) + copiedOf(out, out.length);
  const pool = pays(count * m * n * k, copied) ? kernelMemory().pool : null;
  const threads = pool?.size ?? 1;
  const inPlace = copied < lengthA + lengthB + out.length;
  const memory = threads > 1 || inPlace ? kernelMemory() : copyMemory();
  const { kernels } = memory.instance;
  const scratchBytes = kernels.gemmScratch();
  memory.begin('matmul', (2 * count + lengthA + lengthB + out.length) * 4 + scratchBytes * threads);
  const scratch = memory.take(scratchBytes * threads);
  const atA = memory.putIntegers(startsA.map((start) => start - firstA));
  const atB = memory.putIntegers(startsB.map((start) => start - firstB));
  const left = [memory.put(x, firstA, lengthA), a.rowStride, a.colStride];
  const right = [memory.put(y, firstB, lengthB), b.rowStride, b.colStride];
  const atC = memory.target(out, 0, out.length);
  const parts = bands(count, 1, threads).map(([first, some], i) => {
    const starts = [atA + first * 4, atB + first * 4] as const;
    const to = [atC + first * m * n * 4, scratch + i * scratchBytes];
    return [some, ...starts, m, n, k, ...left, ...right, ...to] as const;
  });
  if (threads > 1) pool!.run('gemmMany', parts);
  else for (const args of parts) kernels.gemmMany(...args);
  memory.deliver(atC, out, 0, out.length);
}

/** Bands of the result, whole tiles high or wide, one for each thread. */
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

/**
 * float32, summed in float64: four sums at a time, of two rows and two columns, so that none waits for another. Where
 * there is no second row or column, it is the first again.
 */
function gemmSmall(
  m: number,
  n: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: Float32Array,
  outOffset: number,
  bias: Row | null,
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

/** Any dtype; sums in float64. */
function gemmLoops(
  m: number,
  n: number,
  k: number,
  a: Matrix,
  b: Matrix,
  out: TypedArray,
  outOffset: number,
  bias: Row | null,
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
