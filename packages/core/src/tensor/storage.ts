import { allocate, type DType, type TypedArray } from './dtype.js';

/**
 * The memory behind a tensor, shared by its views and by `detach()`.
 * The version counts writes, so that a backward pass can tell that a saved value has changed since.
 */
export class Storage {
  version = 0;
  /** @internal How many places have held it as a gradient: one that others may hold is copied before a leaf keeps it. */
  holders = 0;
  /** @internal Makes `structuredClone` and `postMessage` of a tensor fail, with advice. */
  readonly send = tensorsAreSentByPackTensorAndUnpackTensor;
  constructor(public data: TypedArray) {}

  static zeros(dtype: DType, length: number): Storage {
    return new Storage(allocate(dtype, length));
  }
}

// The error shows the start of a function's text, so the advice is its name.
function tensorsAreSentByPackTensorAndUnpackTensor(): void {}
