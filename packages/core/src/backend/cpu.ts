import type { Bits } from '../memory/coding.js';
import type { DType, TypedArray } from '../memory/dtype.js';
import type { Storage } from '../memory/storage.js';
import type { Backend } from './backend.js';
import { HostStorage } from './host/storage.js';
import { kernels } from './wasm/kernels.js';
import { collected, managedMemory, pin, shared } from './wasm/residency.js';

function read(storage: Storage): TypedArray | Bits {
  const { coded } = storage as HostStorage;
  return coded === null ? (storage as HostStorage).data : coded.bits;
}

/** Tensors in host memory: kernels in plain loops, and kernels in WebAssembly over them. */
export const cpu: Backend = {
  name: 'cpu',
  allocate: (dtype, length, fill) =>
    fill === 'zeros' ? HostStorage.zeros(dtype, length) : HostStorage.uninitialized(dtype, length),
  read,
  readAsync: async (storage) => read(storage),
  write: (storage, values, offset = 0) => read(storage).set(values as never, offset),
  kernels,
  memory: managedMemory,
};

/** A storage over `data`, without a copy; `data` are numbers, or their stored form. */
export const wrap = (data: TypedArray | Bits, dtype: DType): Storage => HostStorage.of(data, dtype);

/** Keeps a storage over the array it was made of, which others read and write too. */
export function share(storage: Storage): void {
  (storage as HostStorage).pinned = shared;
}

/** Moves what was made of values from outside to where results are. */
export function pinResult(storage: Storage): void {
  if (collected.isPrompt) pin(storage as HostStorage);
}

// Writable, because memory that was given back gets another backend.
Object.defineProperty(HostStorage.prototype, 'backend', { value: cpu, writable: true });
