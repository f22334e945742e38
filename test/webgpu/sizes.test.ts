// Limits of sizes, on Dawn's null backend: it refuses what a GPU would, but computes nothing, so large sizes take no time.
import { conv2d, type Tensor, zeros } from '@gradgate/core';
import { expect, it } from 'vitest';
import { current } from '../../packages/webgpu/src/backend.js';
import { needNullGpu } from './gpu.js';

const gpu = await needNullGpu('sizes of calls on webgpu');

const on = (...shape: number[]): Tensor => zeros(shape, { device: gpu! });

it.skipIf(!gpu).each<[string, () => Tensor]>([
  ['rows of a product', () => on(2 ** 21 + 1, 1).matmul(on(1, 1))],
  ['columns of a product', () => on(1, 1).matmul(on(1, 2 ** 21 + 1))],
  ['matrices', () => on(2 ** 16, 1, 1).matmul(on(1, 1))],
  ['places of a convolution', () => conv2d(on(1, 1, 1500, 1500), on(1, 1, 1, 1))],
  ['elements', () => on(2 ** 22 + 1).add(1)],
])('there may be more %s than a dimension of a call takes', async (_, call) => {
  call();
  await on(1).data();
  // Errors are reported in tasks of their own.
  await new Promise((done) => setTimeout(done, 20));
  expect(current.gpu!.error).toBeNull();
});
