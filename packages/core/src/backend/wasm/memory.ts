import { TensorError } from '../../errors.js';
import type { Matrix } from '../host/matmul.js';
import { Heap, roundUp } from './heap.js';
import { attachNative, features, type Instance, instantiate, maxBytes, type NativeKernels } from './module.js';
import { getNumThreads, ThreadPool } from './threads.js';

/**
 * The address of the first block; below it are the module's own constants. It is not a page's start: the C library puts
 * large arrays 16 bytes after one, and processors such as AMD's Zen 3 copy ten times as slowly where the target lies
 * less than 32 bytes behind the source, modulo a page.
 */
const start = 4096 + 64;
const page = 65536;
/** The smallest size of scratch memory. */
const scratchBytes = 2 ** 20;

/**
 * Refuses an array that ends before `end` (in elements): kernels get addresses without lengths, and behind an array in
 * kernel memory lies that of another tensor.
 */
export function checkLength(op: string, data: { readonly length: number }, end: number): void {
  if (!(end <= data.length))
    throw new TensorError(
      op,
      `a kernel would go to element ${end} of an array of ${data.length}; nothing was computed`,
    );
}

/**
 * Kernel memory. Some arrays live here for as long as the library knows who uses them (see `residency.ts`), and kernels
 * work on them in place. All others are copied in and out through scratch memory, which serves one kernel call at a
 * time: `begin` starts at its bottom again.
 */
export class KernelMemory {
  readonly heap: Heap;
  #scratch = 0;
  #size = 0;
  #top = 0;
  /** The operator of the running call. */
  #op = '';
  #floats: Float32Array<ArrayBuffer>;
  /** Growing replaces the buffer object. Where the memory is shared, arrays on older buffers stay valid. */
  readonly #buffers = new Set<ArrayBufferLike>();
  #buffer: ArrayBufferLike;
  #pool: ThreadPool | null = null;

  constructor(readonly instance: Instance) {
    this.#buffer = instance.memory.buffer;
    this.#floats = new Float32Array(instance.memory.buffer);
    this.#buffers.add(this.#buffer);
    this.heap = new Heap(start, (end) => this.#reach(end));
  }

  #reach(end: number): boolean {
    const have = this.#floats.byteLength;
    // Kernels may read some bytes past the end of an array.
    end += 256;
    if (end <= have) return true;
    if (end > maxBytes) return false;
    const { memory, shared } = this.instance;
    // Doubled if there is room, so that it seldom grows.
    if (!grow(memory, Math.min(maxBytes, Math.max(end, have * 2)) - have) && !grow(memory, end - have)) return false;
    if (!shared) {
      this.#buffers.clear();
      // It has moved where the address space around it was taken.
      attachNative(this.instance);
    }
    this.#buffer = memory.buffer;
    this.#buffers.add(memory.buffer);
    this.#floats = new Float32Array(memory.buffer);
    return true;
  }

  /** Bytes of scratch memory. */
  get scratchBytes(): number {
    return this.#size;
  }

  /** Bytes that the memory has grown to; most of them are never touched. */
  get reserved(): number {
    return this.#floats.byteLength;
  }

  /** The threads that were started for it. */
  get threads(): ThreadPool | null {
    return this.#pool;
  }

  /** The threads that can work here; null if this is the only one. */
  get pool(): ThreadPool | null {
    if (!this.instance.shared || getNumThreads() === 1 || !canShare) return null;
    this.#pool ??= new ThreadPool(this.instance);
    return this.#pool;
  }

  /** Starts a call of `op`, which takes up to 16 pieces of scratch memory, `bytes` in all. */
  begin(op: string, bytes: number): void {
    this.#op = op;
    this.#top = this.#scratch;
    // Each piece is rounded up.
    const needed = roundUp(bytes) + 16 * 64;
    if (needed <= this.#size) return;
    if (this.#size > 0) this.heap.free(this.#scratch);
    // Doubles it if there is room, so that slightly larger calls need no growth.
    let size = Math.max(scratchBytes, needed * 2);
    let at = this.heap.allocate(size);
    if (at === 0) {
      size = needed;
      at = this.heap.allocate(size);
    }
    if (at === 0) {
      this.#size = 0;
      throw new TensorError(
        op,
        `needs ${bytes} bytes of kernel memory, and of the ${maxBytes} that there can be ${this.heap.held} are taken; use smaller batches`,
      );
    }
    this.#scratch = at;
    this.#top = at;
    this.#size = size;
  }

  /** The address of `bytes` more. */
  take(bytes: number): number {
    const at = this.#top;
    this.#top += roundUp(bytes);
    return at;
  }

  /** Whether an array lives in kernel memory. */
  holds(data: Float32Array): boolean {
    // V8 keeps up to 64 bytes inside of the array object, and asking for `buffer` would allocate one.
    return data.length > 16 && (data.buffer === this.#buffer || this.#buffers.has(data.buffer));
  }

  /** An array of `length` floats that lives at `at`. */
  array(at: number, length: number): Float32Array {
    return new Float32Array(this.#buffer as ArrayBuffer, at, length);
  }

  /** The address of `length` floats from `offset` of `data`: in place if they live here, else of a copy. */
  put(data: Float32Array, offset: number, length: number): number {
    checkLength(this.#op, data, offset + length);
    if (this.holds(data)) return data.byteOffset + offset * 4;
    const at = this.take(length * 4);
    this.write(at, data, offset, length);
    return at;
  }

  /** The address for `length` results that belong at `offset` of `data`; `deliver` copies them there. */
  target(data: Float32Array, offset: number, length: number): number {
    checkLength(this.#op, data, offset + length);
    return this.holds(data) ? data.byteOffset + offset * 4 : this.take(length * 4);
  }

  /** Copies `length` results from `at`, an address that `target` gave, to `offset` of `data`. */
  deliver(at: number, data: Float32Array, offset: number, length: number): void {
    if (!this.holds(data)) this.get(at, data, offset, length);
  }

  /**
   * The address and strides of a matrix. If it does not live here it is copied in; rows or columns that are far apart
   * are packed.
   */
  putMatrix({ data, offset, rowStride, colStride }: Matrix, rows: number, columns: number): [number, number, number] {
    const size = rows * columns;
    const span = spanOf(rowStride, colStride, rows, columns);
    if (size > 0) checkLength(this.#op, data, offset + span);
    if (this.holds(data as Float32Array)) return [data.byteOffset + offset * 4, rowStride, colStride];
    if (span === stagedSize(rowStride, colStride, rows, columns))
      return [this.put(data as Float32Array, offset, span), rowStride, colStride];
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

  /** Writes `length` floats of `data` to `at`, `times` times in a row. */
  repeat(at: number, data: Float32Array, offset: number, length: number, times: number): void {
    this.write(at, data, offset, length);
    this.instance.kernels.repeat(at, length, times);
  }

  /** Fills `length` floats at `at`. */
  fill(at: number, value: number, length: number): void {
    this.instance.kernels.fill(at, value, length);
  }

  /** Copies `length` floats of `data` to `at`. */
  write(at: number, data: Float32Array, offset: number, length: number): void {
    checkLength(this.#op, data, offset + length);
    this.#floats.set(offset === 0 && length === data.length ? data : data.subarray(offset, offset + length), at / 4);
  }

  /**
   * Copies rows of `length` floats of `data`, which begin at `starts`, to `at`, one after the other: `rows` rows from
   * the `first` one on.
   */
  gather(at: number, data: Float32Array, starts: ArrayLike<number>, first: number, rows: number, length: number): void {
    const to = this.#floats;
    for (let r = first, p = at / 4; r < first + rows; r++)
      for (let q = starts[r]!, end = q + length; q < end; ) to[p++] = data[q++]!;
  }

  /** Copies integers, less `base`, and returns their address. */
  putIntegers(values: ArrayLike<number>, base = 0): number {
    const at = this.take(values.length * 4);
    const to = new Int32Array(this.instance.memory.buffer, at, values.length);
    for (let i = 0; i < to.length; i++) to[i] = values[i]! - base;
    return at;
  }

  /** Copies `length` floats from `at` to `offset` of `data`. */
  get(at: number, data: Float32Array, offset: number, length: number): void {
    checkLength(this.#op, data, offset + length);
    data.set(this.#floats.subarray(at / 4, at / 4 + length), offset);
  }
}

/** Grows by so many bytes; returns false, without changes, if the engine has no room. */
function grow(memory: Instance['memory'], bytes: number): boolean {
  try {
    memory.grow(Math.ceil(bytes / page));
    return true;
  } catch {
    return false;
  }
}

/** The number of elements from the first to the last of a matrix. */
const spanOf = (rowStride: number, colStride: number, rows: number, columns: number): number =>
  (rows - 1) * rowStride + (columns - 1) * colStride + 1;

/**
 * How many floats `putMatrix` takes: all from the first to the last element, or only the elements if they are far
 * apart.
 */
export function stagedSize(rowStride: number, colStride: number, rows: number, columns: number): number {
  const span = spanOf(rowStride, colStride, rows, columns);
  return span <= 2 * rows * columns ? span : rows * columns;
}

/** Whether threads can be told what to do; without it one does all. */
const canShare = typeof SharedArrayBuffer === 'function' && typeof Atomics === 'object';

let main: KernelMemory | null = null;
let copies: KernelMemory | null = null;

/** The kernel memory of this realm, in which arrays may live. The first use compiles the kernels. */
export function kernelMemory(): KernelMemory {
  main ??= new KernelMemory(instantiate());
  return main;
}

/** Whether an array lives in kernel memory. */
export const isInKernelMemory = (data: Float32Array): boolean => main?.holds(data) ?? false;

/** How many of `length` elements are copied for a kernel: none if the array lives in kernel memory. */
export const copiedOf = (data: Float32Array, length: number): number => (isInKernelMemory(data) ? 0 : length);

/** The memories made so far. */
export const memories = (): KernelMemory[] => [...new Set([main, copies])].filter((m) => m !== null);

/**
 * Memory for kernels whose arrays are all on the JavaScript heap: it is not shared, which makes copies twice as fast.
 */
export function copyMemory(): KernelMemory {
  if (copies === null)
    try {
      copies = new KernelMemory(instantiate(features.fused, false));
    } catch {
      // Where the engine has no memory for a second one, the first serves for both.
      copies = kernelMemory();
    }
  return copies;
}

/** Replaces the kernels in WebAssembly by those of an addon, in existing memories and in later ones. */
export function useNative(native: NativeKernels): void {
  features.native = native;
  for (const { instance, threads } of memories()) {
    attachNative(instance);
    threads?.restart();
  }
}
