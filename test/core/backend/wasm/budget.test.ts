import * as core from '@gradgate/core';
import { manualSeed, memory, mseLoss, ones, randn, type Tensor } from '@gradgate/core';
import { jacfwd, jacrev } from '@gradgate/core/func';
import { histogramdd } from '@gradgate/core/more';
import { sparseCooTensor } from '@gradgate/core/sparse';
import { functional, Linear } from '@gradgate/nn';
import { afterEach, describe, expect, it } from 'vitest';
import { collected, residence } from '../../../../packages/core/src/backend/wasm/residency.js';
import { allocate } from '../../../../packages/core/src/memory/allocate.js';

const { budget } = residence;
// Results are on the JavaScript heap, also in a run with native kernels: what is counted here is parameters.
collected.isPrompt = false;
afterEach(() => {
  residence.budget = budget;
});

describe('the budget of kernel memory', () => {
  it('holds parameters and their gradients; beyond it both live on the heap, with the same values', () => {
    const x = randn([4, 64]);
    const y = randn([4, 64]);
    const train = (limit: number) => {
      residence.budget = limit;
      manualSeed(1);
      const before = memory().bytes;
      const layers = Array.from({ length: 40 }, () => new Linear(64, 64));
      for (const layer of layers) mseLoss(layer(x), y).backward();
      const held = memory().bytes - before;
      return { held, grads: layers.map((l) => Array.from(l.weight.grad!.toTypedArray())) };
    };
    const free = train(budget);
    // Nothing of the first may be counted for the second.
    const small = 10 * 64 * 64 * 4;
    const limited = train(small);
    expect(limited.held).toBeLessThanOrEqual(small);
    expect(limited.grads).toEqual(free.grads);
  });

  it('counts a gradient as long as it is kept', () => {
    const layer = new Linear(64, 64, { bias: false });
    const x = ones([1, 64]);
    for (let i = 0; i < 3; i++) {
      layer(x).sum().backward();
      residence.budget = budget;
      layer.zeroGrad();
    }
    const before = memory().bytes;
    layer(x).sum().backward();
    layer.zeroGrad();
    expect(memory().bytes).toBe(before);
  });
});

it('strides that kernels would cut to 32 bits are refused', () => {
  for (const stride of [2 ** 31, 2 ** 32])
    expect(() => core.convTranspose2d(ones([1, 1, 1, 1]), ones([1, 1, 2, 2]), null, { stride })).toThrow(
      /convTranspose2d: stride must be a whole number from 1 up, or two, below 2\^31, got/,
    );
});

describe('results that are too large', () => {
  const long = ones([2 ** 17]);
  it.each<[string, () => unknown]>([
    ['add', () => long.reshape(-1, 1).add(long)],
    ['mul', () => long.reshape(-1, 1).mul(long)],
    ['matmul', () => long.reshape(-1, 1).matmul(long.reshape(1, -1))],
    ['where', () => core.where(long.reshape(-1, 1).gt(0), long, 0)],
    ['zeros', () => core.zeros([2 ** 20, 2 ** 20])],
    ['randn', () => core.randn([2 ** 20, 2 ** 20])],
    ['multinomial', () => core.multinomial(ones([3]), 2 ** 40, { replacement: true })],
    ['histc', () => core.histc(ones([3]), { bins: 2 ** 40 })],
    ['histogramdd', () => histogramdd(ones([3, 2]), 2 ** 20)],
    ['adaptiveMaxPool2d', () => functional.adaptiveMaxPool2d(ones([1, 1, 3, 3]), 2 ** 20)],
    ['adaptiveMaxPool3d', () => functional.adaptiveMaxPool3d(ones([1, 1, 3, 3, 3]), 2 ** 20)],
    ['toSparseCsr', () => sparseCooTensor([[0], [0]], [1], [2 ** 40, 3]).toSparseCsr()],
    ['jacobian', () => core.jacobian((x: Tensor) => x.mul(1), [long])],
    ['jacobian', () => core.hessian((x: Tensor) => x.square().sum(), long)],
    ['jacrev', () => jacrev((x: Tensor) => x.mul(1))(long)],
    ['jacfwd', () => jacfwd((x: Tensor) => x.mul(1))(long)],
  ])('are refused by name, with shapes and elements: %s', (name, call) => {
    expect(call).toThrow(
      new RegExp(`^${name}: shape \\[.*\\].* has \\d+ elements, \\d+ bytes in float32; at most 2\\^32 can be held`),
    );
  });

  it('and what the engine has no memory for, in the name of the operator under way, by dtype and bytes', () => {
    ones([2]).exp();
    expect(() => allocate('float64', 2 ** 40)).toThrow(
      'exp: 1099511627776 elements of float64 need 8796093022208 bytes, which cannot be had',
    );
  });
});
