import type { Backend } from '../backend/backend.js';
import type { DType } from './dtype.js';

/**
 * The memory behind a tensor, shared by its views and by `detach()`. Only its backend knows what it is.
 * The version counts writes, so that a backward pass can tell that a saved value has changed since.
 */
export interface Storage {
  /** Whose memory it is. */
  readonly backend: Backend;
  /** What its elements are. */
  readonly dtype: DType;
  /** How many elements there are. */
  readonly length: number;
  /** 0 at first. */
  version: number;
  /** How often it was a gradient on its way: what others may hold is copied before a leaf keeps it. 0 at first. */
  uses: number;
  /** How many places of a backward pass hold this temporary of it. 0 at first. */
  refCount: number;
}

/** The temporaries made since a backward rule began, while one runs. */
let temporaries: Storage[] | null = null;

/**
 * What backends allocate from now on may be freed by a backward pass, and is noted in `list`; null ends that. Gives the
 * list before.
 */
export function noteTemporaries(list: Storage[] | null): Storage[] | null {
  const before = temporaries;
  temporaries = list;
  return before;
}

/** Where a backend notes what it makes for a backward rule; null where none runs. */
export const currentTemporaries = (): Storage[] | null => temporaries;

/**
 * A field of each storage with this function makes `structuredClone` and `postMessage` of a tensor fail, with advice.
 */
// The error shows the start of a function's text, so the advice is its name.
export function tensorsAreSentByPackTensorAndUnpackTensor(): void {}
