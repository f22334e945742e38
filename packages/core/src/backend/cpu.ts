import type { TypedArray } from '../tensor/dtype.js';
import type { Backend } from './backend.js';
import { HostStorage } from './host/storage.js';
import type { Storage } from './storage.js';
import { kernels } from './wasm/kernels.js';
import { managedMemory } from './wasm/residency.js';

const dataOf = (storage: Storage): TypedArray => (storage as HostStorage).data;

/** Tensors in host memory: kernels in plain loops, and over them those in WebAssembly. */
export const cpu: Backend = {
  name: 'cpu',
  allocate: (dtype, length, fill) =>
    fill === 'zeros' ? HostStorage.zeros(dtype, length) : HostStorage.uninitialized(dtype, length),
  read: dataOf,
  readAsync: async (storage) => dataOf(storage),
  write: (storage, values, offset = 0) => dataOf(storage).set(values as never, offset),
  kernels,
  memory: managedMemory,
};

Object.defineProperty(HostStorage.prototype, 'backend', { value: cpu });
