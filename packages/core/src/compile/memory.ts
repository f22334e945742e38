import type { Backend } from '../backend/backend.js';
import { cpu } from '../backend/cpu.js';
import { HostStorage } from '../backend/host/storage.js';
import { pin } from '../backend/wasm/residency.js';
import type { DType } from '../memory/dtype.js';
import type { Storage } from '../memory/storage.js';
import { Tensor } from '../tensor/tensor.js';

/** How a plan has memory: blocks, which storages share that are not in use at the same time. */
export interface PlanMemory {
  /** A block for so many float32 elements. */
  block(length: number): Storage;
  /** A storage on a block, or with memory of its own. */
  storage(block: Storage | null, dtype: DType, length: number): Storage;
  /** Whether storages of this dtype can lie on a block. */
  shares(dtype: DType): boolean;
  /** Set where what is filled with a number must be the only one in its memory: the device may write it later. */
  readonly isFilledApart: boolean;
  /** For how many calls a block is not used again: the device may compute what follows together with what used it. */
  readonly rest: number;
}

/** Dtypes that kernels of the host work on where they lie, all of 4 bytes, so that any of them can have a block. */
type OnBlocks = 'float32' | 'int32';

const hostMemory: PlanMemory = {
  block(length) {
    const block = HostStorage.heap('float32', length);
    pin(block);
    return block;
  },
  storage: (block, dtype, length) =>
    block === null ? HostStorage.heap(dtype, length) : HostStorage.on(block as HostStorage, dtype as OnBlocks, length),
  shares: (dtype) => dtype === 'float32' || dtype === 'int32',
  isFilledApart: false,
  rest: 0,
};

/** The memory of plans on a device. */
export const memoryOf = (backend: Backend): PlanMemory =>
  backend === cpu
    ? hostMemory
    : {
        block: (length) => backend.allocate('float32', length, 'uninitialized'),
        storage: (block, dtype, length) =>
          block === null
            ? backend.allocate(dtype, length, 'uninitialized')
            : backend.captures!.storageOn(block, dtype, length),
        shares: (dtype) => backend.captures!.shares(dtype),
        isFilledApart: true,
        rest: 8,
      };

/** All elements of a storage, or the first `length`. */
export const wholeOf = (storage: Storage, length = storage.length): Tensor =>
  new Tensor(storage, storage.dtype, [length]);
