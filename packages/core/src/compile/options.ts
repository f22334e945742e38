import * as is from '../kinds.js';

/** Options of `compile`. */
export interface CompileOptions {
  /**
   * For tests: runs each call as it is, and throws where a replay would have done something else. It finds dependencies
   * of a function that no signature can hold.
   */
  check?: boolean;
  /** The largest number of records, 16 by default; calls beyond that run as they are. */
  maxRecords?: number;
  /**
   * Whether float32 results of 1024 elements and more lie in the memory of the record, so that none is copied; false by
   * default. The next replay writes there again: from then on using them is an error, and `clone()` keeps them. Without
   * effect on a GPU.
   */
  reuseResults?: boolean;
}

/** How each is checked. */
export const optionKinds = { check: is.boolean, maxRecords: is.size, reuseResults: is.boolean };
