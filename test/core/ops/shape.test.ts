import { inferenceMode, noGrad, ones, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import { expect, it } from 'vitest';
import { collected } from '../../../packages/core/src/backend/wasm/residency.js';

const numbers = () => tensor([0, 1, 2, 3, 4, 5, 6, 7, 8]);

it.each([
  ['one onto the next, which overlaps it', (x: Tensor) => x.narrow(0, 1, 8).copy_(x.narrow(0, 0, 8))],
  ['one onto the last, which overlaps it', (x: Tensor) => x.narrow(0, 0, 8).copy_(x.narrow(0, 1, 8))],
  ['a matrix onto its transpose', (x: Tensor) => x.view([3, 3]).copy_(x.view([3, 3]).t())],
  ['a row onto all rows', (x: Tensor) => x.view([3, 3]).copy_(x.narrow(0, 3, 3))],
  ['a number', (x: Tensor) => x.narrow(0, 2, 3).copy_(7)],
  ['whole numbers', (x: Tensor) => x.copy_(tensor([8, 7, 6, 5, 4, 3, 2, 1, 0], { dtype: 'int32' }))],
])('copy_ writes the same with gradients off as on: %s', (_, write) => {
  const [on, off, inference] = [numbers(), numbers(), inferenceMode.run(numbers)];
  write(on);
  noGrad.run(() => write(off));
  inferenceMode.run(() => write(inference));
  expect(off.toArray()).toEqual(on.toArray());
  expect(inference.toArray()).toEqual(on.toArray());
  expect(on.toArray()).not.toEqual(numbers().toArray());
});

it('copy_ takes no memory where nothing is recorded', () => {
  const { isPrompt } = collected;
  // Results are on the JavaScript heap, also in a run with native kernels.
  collected.isPrompt = false;
  const [to, from] = [zeros([300, 300]), randn([300, 300])];
  from.clone(); // The first large array has the C library keep freed memory.
  const { arrayBuffers } = process.memoryUsage();
  const bytes = () => process.memoryUsage().arrayBuffers - arrayBuffers;
  try {
    noGrad.run(() => to.copy_(from));
    expect(bytes()).toBeLessThan(1000);
    ones([300, 300]).mul(from);
    expect(bytes()).toBeGreaterThanOrEqual(360_000);
  } finally {
    collected.isPrompt = isPrompt;
  }
  expect(to.toArray()).toEqual(from.toArray());
});
