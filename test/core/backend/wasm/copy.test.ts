import { manualSeed, randn } from '@gradgate/core';
import { Parameter } from '@gradgate/nn';
import { expect, it } from 'vitest';
import * as host from '../../../../packages/core/src/backend/host/copy.js';
import { copy } from '../../../../packages/core/src/backend/wasm/copy.js';
import { isInKernelMemory } from '../../../../packages/core/src/backend/wasm/memory.js';

manualSeed(5);
const inKernelMemory = (n: number) => new Parameter(randn([n]));
const arrayOf = (x: Parameter) => (x.storage as unknown as { data: Float32Array }).data;

it.each([
  ['rows apart from each other', [40, 33], [70, 1], 3],
  ['a transposed matrix', [33, 41], [1, 33], 0],
  ['heads before positions', [3, 5, 7, 9], [945, 9, 45, 1], 0],
  ['positions before heads', [3, 7, 5, 9], [315, 9, 63, 1], 1],
  ['the last two dimensions in the other order', [2, 3, 17, 19], [969, 323, 1, 17], 2],
  ['one number', [30, 40], [0, 0], 7],
  ['one row again and again', [50, 21], [0, 1], 5],
  ['each column of a row', [21, 50], [1, 0], 5],
  ['each third element', [700], [3], 1],
  ['five dimensions, by the host', [2, 3, 4, 5, 6], [360, 120, 30, 1, 5], 0],
])('copies %s as the definition does, and writes no more', (_, shape, strides, offset) => {
  const [from, to, expected] = [inKernelMemory(3000), inKernelMemory(3000), inKernelMemory(3000)];
  expect(isInKernelMemory(arrayOf(from)) && isInKernelMemory(arrayOf(to))).toBe(true);
  for (const x of [to, expected]) arrayOf(x).fill(7);
  arrayOf(from).set([Number.NaN, Infinity, -0, 1e-40, -Infinity], 3);
  const [dtype, numel] = ['float32' as const, shape.reduce((a, b) => a * b)];
  const src = { storage: from.storage, dtype, shape, numel, strides, offset, isContiguous: false };
  const whole = { dtype, shape: [numel], numel, strides: [1], offset: 100, isContiguous: true };
  copy(src, { ...whole, storage: to.storage });
  host.copy(src, { ...whole, storage: expected.storage });
  expect(arrayOf(to)).toEqual(arrayOf(expected));
  expect(arrayOf(to)[100 + numel]).toBe(7);
});
