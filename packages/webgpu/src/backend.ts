import { type Backend, refuseRead, type Storage, type TypedArray } from '@gradgate/core';
import { type Bits, currentTemporaries } from '@gradgate/core/internal';
import { capture } from './capture.js';
import type { Gpu } from './gpu.js';
import { kernels } from './kernels/index.js';
import { mapKernels } from './kernels/map.js';
import { withScratch } from './scratch.js';
import { checkDType, GpuStorage } from './storage.js';
import { wholeOf } from './views.js';

/** The device of new tensors; a new one after a loss. */
export const current = { gpu: null as Gpu | null };

const held = (storage: Storage): GpuStorage => storage as GpuStorage;

/** Writes elements of 16 bits that share a word with others. */
function writePart(storage: Storage, values: TypedArray | Bits, offset: number): void {
  const whole = wholeOf(storage);
  withScratch(whole, (scratch) => {
    const written = scratch.make(storage.dtype, values.length);
    held(written.storage).write(values);
    mapKernels.copy(written, { ...whole, shape: written.shape, numel: written.numel, offset });
  });
}

export const webgpu: Backend = {
  name: 'webgpu',
  isAsync: true,
  kernels,

  allocate(dtype, length, fill) {
    checkDType(dtype);
    const gpu = current.gpu!;
    gpu.check('webgpu');
    const storage = new GpuStorage(webgpu, gpu, dtype, length);
    const temporaries = currentTemporaries();
    if (temporaries !== null) {
      storage.isTemporary = true;
      temporaries.push(storage);
    }
    if (fill === 'zeros' && !storage.block!.isNew && length > 0) storage.constant = 0;
    storage.block!.isNew = false;
    return storage;
  },

  read: refuseRead,

  async readAsync(storage) {
    const values = await held(storage).read();
    await held(storage).gpu.pool.relieve();
    return values;
  },

  write(storage, values, offset = 0) {
    const { isHalf, length } = held(storage);
    const end = offset + values.length;
    if (!isHalf || (offset % 2 === 0 && (end % 2 === 0 || end === length))) held(storage).write(values, offset);
    else writePart(storage, values, offset);
  },

  captures: {
    // A buffer has elements of 32 bits or of 16, for all who use it.
    shares: (dtype) => dtype !== 'float16' || !current.gpu!.hasHalf,
    storageOn: (block, dtype, length) => new GpuStorage(webgpu, held(block).gpu, dtype, length, held(block)),
    capture: (run, bound) => capture(current.gpu!, run, bound),
  },

  // Memory that the engine knows to be unused is freed without waiting for the garbage collector.
  memory: {
    isTemporary: (storage) => held(storage).isTemporary,
    free: (storage) => held(storage).free(),
    // Tensors made in `tidy` are in ordinary memory, so they need not be moved when they leave it.
    isScoped: () => false,
    forget: (storage) => held(storage).free(),
    keep(storage) {
      held(storage).isTemporary = false;
    },
    pin() {},
    adopt: (_, gradient) => held(gradient).isTemporary,
    disown() {},
  },
};
