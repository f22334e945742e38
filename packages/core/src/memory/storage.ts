import type { Backend } from '../backend/backend.js';
import type { DType } from './dtype.js';

/**
 * The memory behind a tensor, shared with its views and with `detach()`. Only its backend knows what it is. The version
 * counts writes, so that a backward pass can tell that a saved value has changed.
 */
export interface Storage {
  /** The backend that owns the memory. */
  readonly backend: Backend;
  readonly dtype: DType;
  /** How many elements there are. */
  readonly length: number;
  /** How often it was written to. 0 at first. */
  version: number;
  /** How often it was passed on as a gradient: if others may hold it, a leaf keeps a copy. 0 at first. */
  uses: number;
  /** How many slots of a backward pass hold this temporary. 0 at first. */
  refCount: number;
}

/** While a backward rule runs: the temporaries made since it began. */
let temporaries: Storage[] | null = null;

/**
 * From now on backends note their allocations in `list`, and a backward pass may free them; null ends that. Returns the
 * list before.
 */
export function noteTemporaries(list: Storage[] | null): Storage[] | null {
  const before = temporaries;
  temporaries = list;
  return before;
}

/** The list in which backends note the allocations of a running backward rule; null where none runs. */
export const currentTemporaries = (): Storage[] | null => temporaries;

/** Each storage has this function as a field, which makes `structuredClone` and `postMessage` of a tensor fail, with advice. */
// The error shows the start of the function's text, so its name is the advice.
export function tensorsAreSentByPackTensorAndUnpackTensor(): void {}
