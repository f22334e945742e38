import { clear, type Placement, residence, settle } from '../kernels/resident.js';
import { allocate, allocateUnzeroed, type DType, type TypedArray } from './dtype.js';

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
  /** @internal Makes `structuredClone` and `postMessage` of a tensor fail, with advice. */
  readonly send = tensorsAreSentByPackTensorAndUnpackTensor;
  constructor(public data: TypedArray) {}

  /** All zeros. */
  static zeros(dtype: DType, length: number): Storage {
    const storage = temporary(dtype, length);
    if (storage === null) return new Storage(allocate(dtype, length));
    clear(storage);
    return storage;
  }

  /** To be written as a whole: its values are anything. */
  static unwritten(dtype: DType, length: number): Storage {
    return temporary(dtype, length) ?? new Storage(allocateUnzeroed(dtype, length));
  }
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
  const storage = new Storage(none);
  if (!settle(storage, length)) return null;
  temporaries.push(storage);
  return storage;
}

const none = new Float32Array(0);

// The error shows the start of a function's text, so the advice is its name.
function tensorsAreSentByPackTensorAndUnpackTensor(): void {}
