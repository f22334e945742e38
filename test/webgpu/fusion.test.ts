// What becomes a part of the call before it: the calls are counted, and the values are those of the host.
import { conv2d, linear, manualSeed, randn, type Tensor, tensor, where } from '@gradgate/core';
import { functional } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { gpuMemory } from '../../packages/webgpu/src/index.js';
import { needGpu } from './gpu.js';

const gpu = await needGpu('what is computed in one call on webgpu');

/** Calls that `run` makes, and what it gives. */
function counted<T>(run: () => T): [calls: number, result: T] {
  const before = gpuMemory().dispatches;
  const result = run();
  return [gpuMemory().dispatches - before, result];
}

async function expectAlike(got: Tensor, want: Tensor): Promise<void> {
  expect([got.shape, got.dtype]).toEqual([want.shape, want.dtype]);
  const values = await got.data();
  want.toTypedArray().forEach((v, i) => {
    const [a, b] = [Number(values[i]), Number(v)];
    expect(Math.abs(a - b) / Math.max(1, Math.abs(b)), `element ${i}: ${a}, on the host ${b}`).toBeLessThan(1e-5);
  });
}

manualSeed(0);
const [x, w, b, other] = [randn([5, 7]), randn([6, 7]), randn([6]), randn([5, 6])];
const row = randn([6]);

/** Functions of the four tensors and a row, and in how many calls they are computed. */
const cases: Record<string, [calls: number, f: (t: readonly Tensor[]) => Tensor]> = {
  'a linear layer and relu': [1, ([x, w, b]) => linear(x!, w!, b!).relu()],
  'a linear layer and gelu': [1, ([x, w, b]) => functional.gelu(linear(x!, w!, b!))],
  'a linear layer, and what is added to it': [1, ([x, w, b, o]) => o!.add(linear(x!, w!, b!))],
  'four functions of it, with parameters of their own': [
    1,
    ([x, w]) => linear(x!, w!).clamp(-1, 1).leakyRelu(0.3).mul(-2).pow(2),
  ],
  'both operands of it': [1, ([x, w, b]) => ((y) => y.mul(y))(linear(x!, w!, b!))],
  'what was computed two functions before': [1, ([x]) => ((y) => y.exp().mul(y))(x!.square())],
  'a layer over more dimensions': [1, ([x, w, b]) => linear(x!.reshape([1, 5, 7]), w!, b!).tanh()],
  'a condition': [1, ([x]) => x!.square().gt(0.5)],
  'other dtypes': [1, ([x]) => x!.mul(10).to('int32').add(3)],
  'half precision, rounded in between': [1, ([x]) => x!.to('bfloat16').exp().to('float32')],
  'a choice': [1, ([x]) => ((y) => where(y.gt(0), y, 0))(x!.sin())],
  // What another thread computes, or is written over, takes a call of its own.
  'a transpose of it': [2, ([x]) => x!.exp().t().mul(2)],
  'a part of it': [2, ([x]) => x!.exp().narrow(1, 1, 3).contiguous()],
  'a row beside it': [2, ([x, w, , , r]) => linear(x!, w!).mul(r!)],
  'what is written in place': [2, ([x]) => x!.exp().mul_(3)],
  'a result of another shape': [2, ([, , b]) => b!.exp().expand([3, 6]).add(1)],
};

describe.skipIf(!gpu)('one call on webgpu computes', () => {
  it.each(Object.entries(cases))('%s', async (_, [calls, f]) => {
    const here = [x, w, b, other, row];
    const there = here.map((t) => t.to(gpu!));
    const [count, got] = counted(() => f(there));
    await expectAlike(got, f(here));
    expect(count).toBe(calls);
  });

  it('the gradient of a layer for its input, and that of what activates it', async () => {
    const train = (device: string) => {
      const [wide, narrow] = [randn([7, 6]).mul(0).add(0.25), w].map((t) => t.to(device).detach().requiresGrad_());
      linear(linear(x.to(device), narrow!).tanh(), wide!)
        .square()
        .sum()
        .backward();
      return [wide!.grad!, narrow!.grad!] as const;
    };
    const [got, want] = [train(gpu!), train('cpu')];
    for (const [i, g] of got.entries()) await expectAlike(g, want[i]!);
    const hidden = linear(x.to(gpu!), w.to(gpu!).detach().requiresGrad_()).tanh();
    const out = linear(hidden, randn([4, 6]).to(gpu!).detach().requiresGrad_());
    const seed = randn([5, 4]).to(gpu!);
    // The gradients of both weights, and those of the hidden layer, with that of tanh, in one.
    expect(counted(() => out.backward(seed))[0]).toBe(3);
  });

  it('a convolution with what activates it, and their gradients', async () => {
    const [images, kernels] = [randn([2, 3, 6, 6]), randn([4, 3, 3, 3])];
    const run = (device: string) => {
      const [k, first] = [kernels, randn([3, 3, 1, 1]).mul(0).add(0.5)].map((t) =>
        t.to(device).detach().requiresGrad_(),
      );
      const y = conv2d(conv2d(images.to(device), first!).relu(), k!).relu();
      y.square().sum().backward();
      return [y.detach(), k!.grad!, first!.grad!];
    };
    const [got, want] = [run(gpu!), run('cpu')];
    for (const [i, g] of got.entries()) await expectAlike(g, want[i]!);
    const [there, k] = [images.to(gpu!), kernels.to(gpu!)];
    expect(counted(() => conv2d(there, k).relu())[0]).toBe(1);
  });

  it('as many functions as a program has buffers and numbers for, and goes on with another one', async () => {
    const chain = (t: Tensor) => {
      for (let i = 0; i < 30; i++) t = t.mul(0.9).add(0.1);
      return t;
    };
    const there = x.to(gpu!);
    const [calls, got] = counted(() => chain(there));
    await expectAlike(got, chain(x));
    expect(calls).toBeLessThan(20);
    expect(calls).toBeGreaterThan(1);
  });

  it('what reads an operand that is changed before anything is asked for, as it was', async () => {
    const t = tensor([1, 2, 3], { device: gpu! });
    const y = t.mul(10);
    t.fill_(7);
    expect(await y.add(t).toArrayAsync()).toEqual([17, 27, 37]);
    t.copy_(tensor([4, 5, 6]).to(gpu!));
    const z = t.square();
    t.mul_(0);
    expect([await z.toArrayAsync(), await t.toArrayAsync()]).toEqual([
      [16, 25, 36],
      [0, 0, 0],
    ]);
  });
});
