import type { Bits } from '../memory/coding.js';
import type { DType, TypedArray } from '../memory/dtype.js';
import type { Storage } from '../memory/storage.js';
import type { Kernels } from './kernels.js';

/** A kind of memory, and the kernels that compute on it. */
export interface Backend {
  /** The device's name, such as `'cpu'`. */
  readonly name: string;
  /** Memory for `length` elements: zeros, or arbitrary values if all of it will be written. */
  allocate(dtype: DType, length: number, fill: 'zeros' | 'uninitialized'): Storage;
  /**
   * The content of a storage, in host memory: the array itself on the host, a copy elsewhere. For a dtype with a coding
   * it is the stored form, such as a BigInt64Array for int64. A device that cannot be read at once calls `refuseRead`,
   * which throws an error that names the operator `op` and says what to do.
   */
  read(storage: Storage, op?: string): TypedArray | Bits;
  /** Set if `read` always throws: operators that would look at values to choose a faster way take the general one. */
  readonly isAsync?: boolean;
  /** `read` for devices on which reading takes a while. */
  readAsync(storage: Storage): Promise<TypedArray | Bits>;
  /** Writes elements, as `read` gives them, from `offset` on. */
  write(storage: Storage, values: TypedArray | Bits, offset?: number): void;
  /** The backend whose tensors kernels take beside those of this one. */
  readonly over?: Backend;
  /** The kernels that operators call. `overlay` replaces some of a table. */
  kernels: Kernels;
  /** Memory that can be freed by hand, if there is such. */
  readonly memory?: ManagedMemory;
  /** Where `compile` can replay calls: those of other devices than the host run as they are without it. */
  readonly captures?: Captures;
}

/** How a device makes calls of kernels again, without the kernels. */
export interface Captures {
  /** Whether storages of this dtype can lie in the memory of one of float32. */
  shares(dtype: DType): boolean;
  /** A storage of such a dtype in the memory of `block`, of float32, which has `length` elements or more. */
  storageOn(block: Storage, dtype: DType, length: number): Storage;
  /**
   * Runs what calls kernels, and keeps what they asked of the device; null where that cannot be. `bound` are storages
   * that may be others when it is made again.
   */
  capture(run: () => void, bound: readonly Storage[]): Captured | null;
}

/** What kernels asked of a device, to be asked again. */
export interface Captured {
  /**
   * Asks it again, with these storages in the place of those that were bound; false, and nothing is done, where that
   * cannot be.
   */
  replay(bound: readonly Storage[]): boolean;
}

/**
 * Memory that is freed as soon as it is known that nobody reads it any more, rather than by the garbage collector. The
 * engine knows that of what a backward pass makes.
 */
export interface ManagedMemory {
  /** Whether a rule of a backward pass made the storage, and the pass will free it. */
  isTemporary(storage: Storage): boolean;
  /** Frees memory that nobody reads any more. */
  free(storage: Storage): void;
  /** Whether a storage was made in the flow of a `tidy`, which frees it. */
  isScoped(storage: Storage): boolean;
  /** Takes the memory away from everybody: kernels and reads that get the storage refuse. */
  forget(storage: Storage): void;
  /** User code may keep it from now on: the garbage collector looks after it. */
  keep(storage: Storage): void;
  /** Moves memory that is used often and for long, as parameters are, to where kernels work best. */
  pin(storage: Storage): void;
  /**
   * Makes a temporary that nobody else holds the gradient of a leaf on `owner`. Returns whether it stays managed, with
   * `owner`.
   */
  adopt(owner: Storage, gradient: Storage): boolean;
  /** The adopted gradient is no longer that of the leaf. */
  disown(owner: Storage): void;
}
