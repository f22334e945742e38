import type { Backend } from '../backend/backend.js';
import { cpu } from '../backend/cpu.js';
import { DTypeError } from '../errors.js';
import { isComplex } from '../memory/dtype.js';
import type { Storage } from '../memory/storage.js';
import { kernels } from './kernels.js';
import { ComplexStorage } from './storage.js';

function refuseRead({ dtype }: Storage, op = 'read'): never {
  throw new DTypeError(
    op,
    `takes real tensors, got ${dtype}; use viewAsReal(), real(), imag() or abs(), or toArray() for { re, im }`,
  );
}

/**
 * Complex tensors on the host have a backend of their own, so that code for real numbers neither reads nor computes
 * them.
 */
export const host: Backend = {
  name: cpu.name,
  over: cpu,
  allocate: cpu.allocate,
  read: refuseRead,
  readAsync: async (storage) => refuseRead(storage, 'data'),
  write: (storage, ...args) => (isComplex(storage.dtype) ? refuseRead(storage, 'write') : cpu.write(storage, ...args)),
  kernels,
};

// Writable, as freed memory gets another backend.
Object.defineProperty(ComplexStorage.prototype, 'backend', { value: host, writable: true });
