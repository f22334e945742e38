import { DeviceError } from '@gradgate/core';
import { expect, it } from 'vitest';
import { Pool } from '../../packages/webgpu/src/pool.js';

/** A device that makes buffers of what it is asked for, and holds none. */
const pool = (most: number, did: string[] = []): Pool =>
  new Pool(
    {
      limits: { maxStorageBufferBindingSize: most },
      createBuffer: ({ size }: GPUBufferDescriptor) => ({ size, destroy: () => void did.push('destroy') }),
    } as unknown as GPUDevice,
    { waiting: null, recording: null, flush: () => void did.push('flush') },
  );

it('a tensor may be as large as a buffer of the device, and no larger', () => {
  const most = 10_000_004;
  const { bytes, buffer } = pool(most).take(most);
  expect([bytes, buffer.size]).toEqual([most, most]);
  expect(() => pool(most).take(most + 4)).toThrow(DeviceError);
  expect(() => pool(most).take(most + 4)).toThrow(/10000008 bytes is more than the 10000004 that a buffer/);
});

it('a buffer that is given back serves the next tensor of about its size', () => {
  const buffers = pool(2 ** 30);
  const block = buffers.take(1_000_000);
  buffers.give(block);
  expect(buffers.take(950_000)).toBe(block);
});

it('calls that wait are submitted before buffers that they use are destroyed', () => {
  const did: string[] = [];
  const buffers = pool(2 ** 30, did);
  buffers.budget = { soft: 5000, hard: 10_000 };
  buffers.give(buffers.take(8192));
  buffers.take(4096);
  expect(did).toEqual(['flush', 'destroy']);
});
