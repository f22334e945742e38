import { TensorError } from '../../errors.js';
import type { Matrix } from '../matmul.js';
import { type Instance, instantiate } from './module.js';

/** Where the first allocation lies: below are the module's own constants. */
const start = 4096;
const page = 65536;
const most = 2 ** 32;

/**
 * Kernel memory, used for one kernel call at a time: operands are copied in, results out, and the next call starts at
 * the bottom again.
 */
export class Arena {
  #top = start;
  #floats: Float32Array<ArrayBuffer>;

  constructor(readonly instance: Instance) {
    this.#floats = new Float32Array(instance.memory.buffer);
  }

  /** Starts a call of `op` that needs `bytes` in all. */
  begin(op: string, bytes: number): void {
    this.#top = start;
    // Each piece is rounded up to 64 bytes.
    const needed = start + bytes + 16 * 64;
    const have = this.#floats.byteLength;
    if (needed <= have) return;
    if (needed > most)
      throw new TensorError(
        op,
        `needs ${bytes} bytes of kernel memory, and at most ${most} can be had; use smaller batches`,
      );
    const grown = Math.min(most, Math.max(needed, have * 2));
    try {
      this.instance.memory.grow(Math.ceil((grown - have) / page));
    } catch (cause) {
      throw new TensorError(op, `needs ${bytes} bytes of kernel memory, which the system did not give`, { cause });
    }
    this.#floats = new Float32Array(this.instance.memory.buffer);
  }

  /** The address of `bytes` more. */
  take(bytes: number): number {
    const at = this.#top;
    // Not by bits: sizes beyond 2^31 would turn negative.
    this.#top += Math.ceil(bytes / 64) * 64;
    return at;
  }

  /** Copies `length` floats from `offset` of `data` in, and gives their address. */
  put(data: Float32Array, offset: number, length: number): number {
    const at = this.take(length * 4);
    this.#floats.set(offset === 0 && length === data.length ? data : data.subarray(offset, offset + length), at / 4);
    return at;
  }

  /**
   * Copies a matrix in; gives its address and strides there. Rows or columns that lie far apart are packed together.
   */
  putMatrix({ data, offset, rowStride, colStride }: Matrix, rows: number, columns: number): [number, number, number] {
    const size = rows * columns;
    const spread = spreadOf(rowStride, colStride, rows, columns);
    if (spread === stagedSize(rowStride, colStride, rows, columns))
      return [this.put(data as Float32Array, offset, spread), rowStride, colStride];
    const at = this.take(size * 4);
    const to = this.#floats;
    if (rowStride === 1 && colStride !== 1) {
      for (let j = 0, p = at / 4, q = offset; j < columns; j++, q += colStride)
        for (let i = 0; i < rows; i++) to[p++] = data[q + i]!;
      return [at, 1, rows];
    }
    for (let i = 0, p = at / 4; i < rows; i++)
      for (let j = 0, q = offset + i * rowStride; j < columns; j++, q += colStride) to[p++] = data[q]!;
    return [at, columns, 1];
  }

  /** Writes `length` floats of `data` to `at`, again and again, `times` in all. */
  repeat(at: number, data: Float32Array, offset: number, length: number, times: number): void {
    this.write(at, data, offset, length);
    const [from, end] = [at / 4, at / 4 + length * times];
    for (let done = length; from + done < end; done *= 2)
      this.#floats.copyWithin(from + done, from, Math.min(from + done, end - done));
  }

  /** Sets `length` floats at `at`. */
  fill(at: number, value: number, length: number): void {
    this.#floats.fill(value, at / 4, at / 4 + length);
  }

  /** Copies `length` floats of `data` to `at`. */
  write(at: number, data: Float32Array, offset: number, length: number): void {
    this.#floats.set(data.subarray(offset, offset + length), at / 4);
  }

  /** The `length` integers at `at`, where they lie: to be read before the next call. */
  integers(at: number, length: number): Int32Array {
    return new Int32Array(this.instance.memory.buffer, at, length);
  }

  /** Copies `length` floats at `at` out to `offset` of `data`. */
  get(at: number, data: Float32Array, offset: number, length: number): void {
    data.set(this.#floats.subarray(at / 4, at / 4 + length), offset);
  }
}

/** How many elements lie from the first to the last of a matrix. */
const spreadOf = (rowStride: number, colStride: number, rows: number, columns: number): number =>
  (rows - 1) * rowStride + (columns - 1) * colStride + 1;

/** How many floats `putMatrix` takes: all from the first to the last element, or the elements alone if they lie far apart. */
export function stagedSize(rowStride: number, colStride: number, rows: number, columns: number): number {
  const spread = spreadOf(rowStride, colStride, rows, columns);
  return spread <= 2 * rows * columns ? spread : rows * columns;
}

let shared: Arena | null = null;

/** The arena of this realm; the kernels are compiled at its first use. */
export function arena(): Arena {
  shared ??= new Arena(instantiate());
  return shared;
}
