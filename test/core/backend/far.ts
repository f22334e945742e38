// A device whose memory can only be read asynchronously, like a GPU's. Operators, modules and optimizers that touch an array
// without the backend fail here. It computes with the host's kernels, on copies.
import { type Backend, DeviceError, type DType, type Kernels, refuseRead, type TypedArray } from '@gradgate/core';
import { cpu } from '../../../packages/core/src/backend/cpu.js';
import { kernels as host } from '../../../packages/core/src/backend/host/kernels.js';
import { HostStorage } from '../../../packages/core/src/backend/host/storage.js';
import type { Storage } from '../../../packages/core/src/memory/storage.js';
import { noteTemporaries } from '../../../packages/core/src/memory/storage.js';

class FarStorage implements Storage {
  version = 0;
  uses = 0;
  refCount = 0;
  readonly #held: HostStorage;
  constructor(
    readonly backend: Backend,
    readonly dtype: DType,
    readonly length: number,
  ) {
    // Its memory belongs to this device: no backward pass may free it.
    const temporaries = noteTemporaries(null);
    this.#held = HostStorage.zeros(dtype, length);
    noteTemporaries(temporaries);
  }
  /** Only for the device itself. */
  static held(storage: Storage): HostStorage {
    return (storage as FarStorage).#held;
  }
}

/** Replaces views of the device by views of the host in arguments of any structure. */
function seen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(seen);
  if (typeof value !== 'object' || value === null || !('storage' in value)) return value;
  const { dtype, shape, strides, offset, isContiguous, numel } = value as Record<string, unknown>;
  const given = (value as { storage: Storage }).storage;
  if (given.backend !== far) throw new DeviceError('far', `a kernel was given memory of ${given.backend.name}`);
  const storage = FarStorage.held(given);
  return { storage, dtype, shape, strides, offset, isContiguous, numel };
}

export const far: Backend = {
  name: 'far',
  isAsync: true,
  allocate: (dtype, length) => new FarStorage(far, dtype, length),
  read: refuseRead,
  readAsync: async (storage): Promise<TypedArray> => cpu.read(FarStorage.held(storage)).slice() as TypedArray,
  write: (storage, values, offset) => cpu.write(FarStorage.held(storage), values, offset),
  kernels: Object.fromEntries(
    Object.entries(host).map(([name, kernel]) => [
      name,
      (...args: unknown[]) => (kernel as (...args: unknown[]) => unknown)(...args.map(seen)),
    ]),
  ) as unknown as Kernels,
};
