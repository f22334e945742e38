import { allocate, allocateUninitialized } from '../../memory/allocate.js';
import type { Bits, Coding } from '../../memory/coding.js';
import { type DType, recordOf, type TypedArray } from '../../memory/dtype.js';
import { currentScope, isTidying } from '../../memory/scope.js';
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
  /** One for all of them: `cpu.ts` puts it on the prototype. */
  declare readonly backend: Backend;
  version = 0;
  uses = 0;
  refCount = 0;
  /** @internal The block of kernel memory that `data` lives in, or 0: see `backend/wasm/residency.ts`. */
  block = 0;
  /** @internal Set where the block is the storage's for as long as it lives, as a parameter's is. */
  pinned: Pinned | null = null;
  /** @internal Where the dtype is not stored as numbers: what is stored, and `data` is a window on it. */
  coded: Coded | null = null;
  readonly send = tensorsAreSentByPackTensorAndUnpackTensor;
  constructor(
    public data: TypedArray,
    readonly dtype: DType,
  ) {}

  get length(): number {
    return this.coded === null ? this.data.length : this.coded.length;
  }

  /** A storage of the given numbers, or of what is stored for them. */
  static of(data: TypedArray | Bits, dtype: DType): HostStorage {
    if (dtype === 'float32') return new HostStorage(data as TypedArray, dtype);
    const { coding, complex } = recordOf(dtype);
    if (complex !== undefined) return complex.storage(data as TypedArray) as never;
    return coding === undefined
      ? new HostStorage(data as TypedArray, dtype)
      : withBits(data instanceof coding.bits ? (data as Bits) : encoded(data as TypedArray, coding), coding, dtype);
  }

  /** All zeros. */
  static zeros(dtype: DType, length: number): HostStorage {
    const storage = inKernelMemory(dtype, length);
    if (storage === null) return made(dtype, length, allocate);
    clear(storage);
    return storage;
  }

  /** On the JavaScript heap, wherever others are made. */
  static heap(dtype: DType, length: number): HostStorage {
    return made(dtype, length, allocate);
  }

  /** A storage on the memory of another one of 4 bytes an element, which is at least as long, and lives as long as this one. */
  static on(block: HostStorage, dtype: 'float32' | 'int32', length: number): HostStorage {
    const { buffer, byteOffset } = block.data;
    const array = dtype === 'float32' ? Float32Array : Int32Array;
    const storage = new HostStorage(new array(buffer as ArrayBuffer, byteOffset, length), dtype);
    blocksOf.set(storage, block);
    return storage;
  }

  /** To be written as a whole: its values are anything. */
  static uninitialized(dtype: DType, length: number): HostStorage {
    // Most of them, without further questions.
    if (dtype === 'float32' && currentTemporaries() === null && !isTidying() && !collected.isPrompt)
      return new HostStorage(allocateUninitialized(dtype, length), dtype);
    return inKernelMemory(dtype, length) ?? made(dtype, length, allocateUninitialized);
  }
}

/** What keeps the memory under storages that `HostStorage.on` makes. */
const blocksOf = new WeakMap<HostStorage, HostStorage>();

function made(dtype: DType, length: number, allocate: (dtype: DType, length: number) => TypedArray): HostStorage {
  if (dtype === 'float32') return new HostStorage(allocate(dtype, length), dtype);
  const { coding, complex } = recordOf(dtype);
  if (complex !== undefined) return complex.storage(allocate(complex.part, 2 * length)) as never;
  return coding === undefined
    ? new HostStorage(allocate(dtype, length), dtype)
    : withBits(new coding.bits(length), coding, dtype);
}

function encoded(values: TypedArray, coding: Coding): Bits {
  const bits = new coding.bits(values.length);
  coding.encode(values, bits);
  return bits;
}

/**
 * What is stored of a dtype that operators do not compute with. They read and write `storage.data` as that of any other
 * storage: it is a window of decoded numbers, which is encoded and dropped at the end of the operation. So this is the
 * one place that decodes and encodes, and loops see float32 and float64 only.
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

  /** The numbers, to be read and written. What was written since they were last asked for is rounded first. */
  get window(): TypedArray {
    if (this.#window === null) {
      this.#window = allocateUninitialized(this.dtype, this.#bits.length);
      open.push(this);
    } else this.coding.encode(this.#window, this.#bits);
    this.coding.decode(this.#bits, this.#window);
    return this.#window;
  }

  /** What is stored. */
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

/** Called where an operation is done with its arrays. */
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

/** In kernel memory, where somebody frees it: a backward pass, a `tidy`, or who watches what is collected; null elsewhere. */
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
