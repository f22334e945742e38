import { registerBackend } from '@gradgate/core';
import { check, checkOptions, is } from '@gradgate/core/internal';
import { openDevice } from './adapter.js';
import { current, webgpu } from './backend.js';
import { Gpu } from './gpu.js';

/** Options of `device`. */
export interface DeviceOptions {
  /** The limit of bytes for tensors, beyond which an error is thrown; 4 GiB by default. */
  memory?: number;
  /** Which GPU to use if there are several: `'high-performance'` (the default) or `'low-power'`. */
  powerPreference?: 'high-performance' | 'low-power';
  /** In Node, the flags for the package `webgpu`, such as `['backend=null']`. */
  flags?: readonly string[];
}

const deviceOptions = {
  memory: is.positive,
  powerPreference: is.oneOf('high-performance', 'low-power'),
  flags: is.arrayOf(is.string),
};

let isRegistered = false;
let opening: Promise<Gpu> | null = null;

/**
 * Opens a device for tensors and returns its name, for `to(device)`, `{ device }` and `setDefaultDevice`. `'webgpu'` is
 * the GPU of the browser, or in Node that of the package `webgpu`. Further calls return the same device; after a loss
 * the next call opens it again. Throws a DeviceError that says what is missing if there is none.
 *
 * ```ts
 * const gpu = await device('webgpu');
 * const model = new Linear(784, 10).to(gpu);
 * const loss = model(randn([32, 784], { device: gpu })).square().mean();
 * loss.backward();
 * await loss.itemAsync();
 * ```
 */
export async function device(name: 'webgpu' = 'webgpu', options?: DeviceOptions): Promise<'webgpu'> {
  check('device', 'the name', name, is.oneOf('webgpu'));
  const { memory, ...choice } = checkOptions('device', options, deviceOptions);
  if (current.gpu === null || current.gpu.lost !== null) {
    opening ??= openDevice(choice).then((opened) => new Gpu(opened));
    try {
      current.gpu = await opening;
    } finally {
      opening = null;
    }
  }
  if (memory !== undefined) current.gpu.pool.budget = { soft: memory / 2, hard: memory };
  if (!isRegistered) registerBackend(webgpu);
  isRegistered = true;
  return name;
}

/** What `gpuMemory()` reports. */
export interface GpuMemoryReport {
  /** The number of tensors in GPU memory, including unused ones that are not collected yet. */
  readonly tensors: number;
  /** The bytes that they take. */
  readonly bytes: number;
  /** The largest number of bytes that they have taken. */
  readonly peak: number;
  /** The bytes of free buffers that are kept for reuse. */
  readonly pooled: number;
  /** The number of program calls so far. */
  readonly dispatches: number;
  /** The number of submissions so far. */
  readonly submissions: number;
  /** The number of programs compiled. */
  readonly programs: number;
  /** The number of bind groups made. */
  readonly bindGroups: number;
}

/**
 * Reports the memory and the work of the GPU; zeros if none is open.
 *
 * ```ts
 * gpuMemory().bytes; // 0
 * ```
 */
export function gpuMemory(): GpuMemoryReport {
  const { gpu } = current;
  gpu?.settle();
  const { held = 0, peak = 0, free = 0, tensors = 0 } = gpu?.pool ?? {};
  const { dispatches = 0, submissions = 0, pipelines = 0, bindGroups = 0 } = gpu?.counts ?? {};
  return { tensors, bytes: held, peak, pooled: free, dispatches, submissions, programs: pipelines, bindGroups };
}
