import { registerBackend } from '@gradgate/core';
import { check, checkOptions, is } from '@gradgate/core/internal';
import { openDevice } from './adapter.js';
import { current, webgpu } from './backend.js';
import { Gpu } from './gpu.js';

export interface DeviceOptions {
  /** Bytes that tensors may take at most, beyond which an error says so: 4 GiB by default. */
  memory?: number;
  /** Where there are several GPUs: `'high-performance'` by default, or `'low-power'`. */
  powerPreference?: 'high-performance' | 'low-power';
  /** In Node: what the package `webgpu` is created with, such as `['backend=null']`. */
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
 * Opens a device for tensors, and gives its name: for `to(device)`, `{ device }` and `setDefaultDevice`. `'webgpu'` is the GPU
 * of the browser, or in Node that of the package `webgpu`. Once it is open it stays the same; after a loss the next call opens
 * it anew. Throws a DeviceError where there is none, which says what is missing.
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
  /** How many tensors' memory there is on the GPU, and its bytes, with those that nobody uses and that have not been found yet. */
  readonly tensors: number;
  readonly bytes: number;
  /** The most bytes that they have taken. */
  readonly peak: number;
  /** Bytes of buffers that are kept to be used again. */
  readonly pooled: number;
  /** Calls of programs so far, submissions of such, programs, and how often buffers were bound together for one. */
  readonly dispatches: number;
  readonly submissions: number;
  readonly programs: number;
  readonly bindGroups: number;
}

/**
 * What is on the GPU, and how much it was asked to do. All zeros where none is open.
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
