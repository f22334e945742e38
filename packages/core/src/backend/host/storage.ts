import { allocate, allocateBits, allocateUninitialized } from '../../memory/allocate.js';
import type { Bits, Coding } from '../../memory/coding.js';
import { type DType, recordOf, type TypedArray } from '../../memory/dtype.js';
import { currentScope } from '../../memory/scope.js';
import { currentTemporaries, type Storage, tensorsAreSentByPackTensorAndUnpackTensor } from '../../memory/storage.js';
import type { Backend } from '../backend.js';
import {
  allocateInKernelMemory,
  canPin,
  clear,
  collected,
  own,
  type Pinned,
  residence,
  scoped,
} from '../wasm/residency.js';

/** Memory of the host: a typed array. */
export class HostStorage implements Storage {
  /** The same for all: `cpu.ts` sets it on the prototype. */
  declare readonly backend: Backend;
  version = 0;
  uses = 0;
  refCount = 0;
  /** @internal The block of kernel memory that holds `data`, or 0: see `backend/wasm/residency.ts`. */
  block = 0;
  /** @internal Set if the block belongs to the storage for its lifetime, as for parameters. */
  pinned: Pinned | null = null;
  /** @internal The encoded elements of a dtype that is not stored as numbers; `data` is a window of decoded ones. */
  coded: Coded | null = null;
  readonly send = tensorsAreSentByPackTensorAndUnpackTensor;
  constructor(
    public data: TypedArray,
    readonly dtype: DType,
  ) {}

  get length(): number {
    return this.coded === null ? this.data.length : this.coded.length;
  }

  /** A storage of the given numbers, or of encoded elements. */
  static of(data: TypedArray | Bits, dtype: DType): HostStorage {
    if (dtype === 'float32') return new HostStorage(data as TypedArray, dtype);
    const { coding, complex } = recordOf(dtype);
    if (complex !== undefined) return complex.storage(data as TypedArray) as never;
    return coding === undefined
      ? new HostStorage(data as TypedArray, dtype)
      : withBits(data instanceof coding.bits ? (data as Bits) : encoded(data as TypedArray, coding), coding, dtype);
  }

  /** A storage of zeros. */
  static zeros(dtype: DType, length: number): HostStorage {
    const storage = inKernelMemory(dtype, length);
    if (storage === null) return made(dtype, length, allocate);
    clear(storage);
    return storage;
  }

  /** A storage on the JavaScript heap, even if others are in kernel memory. */
  static heap(dtype: DType, length: number): HostStorage {
    return made(dtype, length, allocate);
  }

  /**
   * A storage on the memory of another one with 4 bytes per element, which must be at least as long; it is kept alive.
   */
  static on(block: HostStorage, dtype: 'float32' | 'int32', length: number): HostStorage {
    const { buffer, byteOffset } = block.data;
    const array = dtype === 'float32' ? Float32Array : Int32Array;
    const storage = new HostStorage(new array(buffer as ArrayBuffer, byteOffset, length), dtype);
    blocksOf.set(storage, block);
    return storage;
  }

  /** An uninitialized storage, to be written as a whole. */
  static uninitialized(dtype: DType, length: number): HostStorage {
    // The most frequent case, without further checks: kernel memory has no small ones.
    if (dtype === 'float32' && length < residence.from)
      return new HostStorage(allocateUninitialized(dtype, length), dtype);
    return inKernelMemory(dtype, length) ?? made(dtype, length, allocateUninitialized);
  }
}

/** The storages whose memory those of `HostStorage.on` use; the map keeps them alive. */
const blocksOf = new WeakMap<HostStorage, HostStorage>();

function made(dtype: DType, length: number, allocate: (dtype: DType, length: number) => TypedArray): HostStorage {
  if (dtype === 'float32') return new HostStorage(allocate(dtype, length), dtype);
  const { coding, complex } = recordOf(dtype);
  if (complex !== undefined) return complex.storage(allocate(complex.part, 2 * length)) as never;
  return coding === undefined
    ? new HostStorage(allocate(dtype, length), dtype)
    : withBits(allocateBits(dtype, length), coding, dtype);
}

function encoded(values: TypedArray, coding: Coding): Bits {
  const bits = new coding.bits(values.length);
  coding.encode(values, bits);
  return bits;
}

/**
 * The elements of a dtype that operators do not compute in. They read and write `storage.data` as for any other
 * storage: a window of decoded numbers, which is encoded and dropped at the end of the operation. So only this class
 * decodes and encodes, and loops see only float32 and float64.
 */
export class Coded {
  #bits: Bits;
  #window: TypedArray | null = null;
  constructor(
    bits: Bits,
    readonly coding: Coding,
    readonly dtype: DType,
  ) {
    this.#bits = bits;
  }

  get length(): number {
    return this.#bits.length;
  }

  /** The decoded numbers, to read and write. Earlier writes are rounded first. */
  get window(): TypedArray {
    if (this.#window === null) {
      this.#window = allocateUninitialized(this.dtype, this.#bits.length);
      open.push(this);
    } else this.coding.encode(this.#window, this.#bits);
    this.coding.decode(this.#bits, this.#window);
    return this.#window;
  }

  /** The encoded elements. */
  get bits(): Bits {
    this.close();
    return this.#bits;
  }

  close(): void {
    if (this.#window === null) return;
    this.coding.encode(this.#window, this.#bits);
    this.#window = null;
  }
}

let open: Coded[] = [];

/** Called when an operation has finished with its arrays. */
export function closeWindows(): void {
  if (open.length > 0) closeAll();
}

function closeAll(): void {
  const done = open;
  open = [];
  for (const coded of done) coded.close();
}

const windowed: PropertyDescriptor & ThisType<HostStorage> = {
  get() {
    return this.coded!.window;
  },
  configurable: true,
};

function withBits(bits: Bits, coding: Coding, dtype: DType): HostStorage {
  const storage = new HostStorage(none, dtype);
  storage.coded = new Coded(bits, coding, dtype);
  return Object.defineProperty(storage, 'data', windowed);
}

/**
 * A storage in kernel memory, if something will free it: a backward pass, a `tidy` or prompt collection; otherwise
 * null.
 */
function inKernelMemory(dtype: DType, length: number): HostStorage | null {
  if (dtype !== 'float32' || length < residence.from) return null;
  const temporaries = currentTemporaries();
  const scope = temporaries === null ? currentScope() : null;
  if (temporaries === null && scope === null && !(collected.isPrompt && canPin(length))) return null;
  const storage = new HostStorage(none, dtype);
  if (!allocateInKernelMemory(storage, length)) return null;
  if (temporaries !== null) temporaries.push(storage);
  else if (scope === null) own(storage);
  else {
    storage.pinned = scoped;
    scope.made.add(storage);
  }
  return storage;
}

const none = new Float32Array(0);
