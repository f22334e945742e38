import { clear, type Placement, residence, settle } from '../kernels/resident.js';
import type { Bits, Coding } from './coding.js';
import { allocate, allocateUnzeroed, type DType, recordOf, type TypedArray } from './dtype.js';

/**
 * The memory behind a tensor, shared by its views and by `detach()`.
 * The version counts writes, so that a backward pass can tell that a saved value has changed since.
 */
export class Storage {
  version = 0;
  /** @internal How often it was a gradient on its way: what others may hold is copied before a leaf keeps it. */
  deposits = 0;
  /** @internal The block of kernel memory that `data` lives in, or 0: see `kernels/resident.ts`. */
  block = 0;
  /** @internal Set where the block is the storage's for as long as it lives, as a parameter's is. */
  placement: Placement | null = null;
  /** @internal How many places of a backward pass hold this temporary of it. */
  holders = 0;
  /** @internal Where the dtype is not stored as numbers: what is stored, and `data` is a window on it. */
  coded: Coded | null = null;
  /** @internal Makes `structuredClone` and `postMessage` of a tensor fail, with advice. */
  readonly send = tensorsAreSentByPackTensorAndUnpackTensor;
  constructor(
    public data: TypedArray,
    readonly dtype: DType,
  ) {}

  /** A storage of the given numbers, or of what is stored for them. */
  static of(data: TypedArray | Bits, dtype: DType): Storage {
    if (dtype === 'float32') return new Storage(data as TypedArray, dtype);
    const { coding } = recordOf(dtype);
    return coding === undefined
      ? new Storage(data as TypedArray, dtype)
      : withBits(data instanceof coding.bits ? (data as Bits) : encoded(data as TypedArray, coding), coding, dtype);
  }

  /** All zeros. */
  static zeros(dtype: DType, length: number): Storage {
    const storage = temporary(dtype, length);
    if (storage === null) return made(dtype, length, allocate);
    clear(storage);
    return storage;
  }

  /** To be written as a whole: its values are anything. */
  static unwritten(dtype: DType, length: number): Storage {
    return temporary(dtype, length) ?? made(dtype, length, allocateUnzeroed);
  }
}

function made(dtype: DType, length: number, allocate: (dtype: DType, length: number) => TypedArray): Storage {
  if (dtype === 'float32') return new Storage(allocate(dtype, length), dtype);
  const { coding } = recordOf(dtype);
  return coding === undefined
    ? new Storage(allocate(dtype, length), dtype)
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

  /** The numbers, to be read and written. What was written since they were last asked for is rounded first. */
  get window(): TypedArray {
    if (this.#window === null) {
      this.#window = allocateUnzeroed(this.dtype, this.#bits.length);
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
  if (open.length === 0) return;
  const done = open;
  open = [];
  for (const coded of done) coded.close();
}

const windowed: PropertyDescriptor & ThisType<Storage> = {
  get() {
    return this.coded!.window;
  },
};

function withBits(bits: Bits, coding: Coding, dtype: DType): Storage {
  const storage = new Storage(none, dtype);
  storage.coded = new Coded(bits, coding, dtype);
  return Object.defineProperty(storage, 'data', windowed);
}

/** The temporaries made since a backward rule began, while one runs. */
let temporaries: Storage[] | null = null;

/** Large float32 storages made from now on live in kernel memory and are noted in `list`; null ends that. Gives the list before. */
export function noteTemporaries(list: Storage[] | null): Storage[] | null {
  const before = temporaries;
  temporaries = list;
  return before;
}

function temporary(dtype: DType, length: number): Storage | null {
  if (temporaries === null || dtype !== 'float32' || length < residence.from) return null;
  const storage = new Storage(none, dtype);
  if (!settle(storage, length)) return null;
  temporaries.push(storage);
  return storage;
}

const none = new Float32Array(0);

// The error shows the start of a function's text, so the advice is its name.
function tensorsAreSentByPackTensorAndUnpackTensor(): void {}
