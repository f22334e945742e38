import { type Backend, refuseRead, type Storage } from '@gradgate/core';
import { currentTemporaries } from '@gradgate/core/internal';
import { capture } from './capture.js';
import type { Gpu } from './gpu.js';
import { kernels } from './kernels/index.js';
import { blockOf, checkDType, decode, encode, GpuStorage } from './storage.js';
import { wholeOf } from './views.js';

/** The device that new tensors are made on: another one after a loss. */
export const current = { gpu: null as Gpu | null };

const held = (storage: Storage): GpuStorage => storage as GpuStorage;

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
    const { gpu, dtype, length } = held(storage);
    const words = await gpu.read(blockOf(wholeOf(storage)), length);
    await gpu.pool.relieve();
    return decode(words, dtype);
  },

  write(storage, values, offset = 0) {
    const { gpu, dtype } = held(storage);
    gpu.write(blockOf(wholeOf(storage)), encode(values, dtype), offset);
  },

  captures: {
    storageOn: (block, dtype, length) => new GpuStorage(webgpu, held(block).gpu, dtype, length, held(block)),
    capture: (run, bound) => capture(current.gpu!, run, bound),
  },

  // What the engine knows to be done with need not wait for the garbage collector.
  memory: {
    isTemporary: (storage) => held(storage).isTemporary,
    free: (storage) => held(storage).free(),
    // What `tidy` makes is where all memory is, and needs no moving when it leaves.
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
