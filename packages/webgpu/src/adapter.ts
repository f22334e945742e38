import { DeviceError } from '@gradgate/core';
import { installedFile } from '@gradgate/core/internal';

interface Choice {
  /** Which GPU to use if there are several; the faster one by default. */
  readonly powerPreference?: 'high-performance' | 'low-power';
  /** In Node, the flags for the package `webgpu`, such as `['backend=null']`. */
  readonly flags?: readonly string[];
}

/** Keeps Node's implementations of WebGPU alive: the process crashes when one is garbage collected. */
const state = { created: [] as GPU[] };

/** The implementation of WebGPU: that of the browser, or in Node the package `webgpu`. */
async function implementation(flags: readonly string[] | undefined): Promise<GPU> {
  const { gpu } = (globalThis.navigator ?? {}) as { gpu?: GPU };
  if (gpu && flags === undefined) return gpu;
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  if (!process?.versions?.node)
    throw new DeviceError(
      'device',
      'this browser has no WebGPU: Chrome and Edge have it from 113 on, Safari from 26, Firefox from 141, on pages served by https or from localhost',
    );
  const file = installedFile(new Error(), 'webgpu', 'index.js');
  if (file === null) throw new DeviceError('device', 'in Node webgpu needs the package webgpu: npm install webgpu');
  const { create } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ file.href)) as {
    create(flags: readonly string[]): GPU;
  };
  const created = create(flags ?? []);
  state.created.push(created);
  return created;
}

/** Opens a device with the GPU's own limits on the size and number of buffers, and with f16 if it has that. */
export async function openDevice({ powerPreference = 'high-performance', flags }: Choice): Promise<GPUDevice> {
  const adapter = await (await implementation(flags)).requestAdapter({ powerPreference });
  if (adapter === null)
    throw new DeviceError(
      'device',
      'WebGPU finds no GPU that it can use; on Linux it needs a Vulkan driver (and libvulkan1), in Chromium see chrome://gpu',
    );
  const { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage } = adapter.limits;
  return adapter.requestDevice({
    requiredFeatures: adapter.features.has('shader-f16') ? ['shader-f16'] : [],
    requiredLimits: { maxBufferSize, maxStorageBufferBindingSize, maxStorageBuffersPerShaderStage },
  });
}
