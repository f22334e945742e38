import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  amax,
  argmax,
  avgPool2d,
  batchNorm,
  conv2d,
  crossEntropy,
  Generator,
  getNumThreads,
  groupNorm,
  layerNorm,
  linear,
  logSoftmax,
  logsumexp,
  maxPool2d,
  mseLoss,
  ones,
  randint,
  randn,
  rmsNorm,
  scaledDotProductAttention,
  setNumThreads,
  softmax,
  sum,
  type Tensor,
  var as variance_,
  zeros,
} from '@gradgate/core';
import { optim } from '@gradgate/nn';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { KernelMemory, kernelMemory } from '../../../../packages/core/src/backend/wasm/memory.js';
import { instantiate } from '../../../../packages/core/src/backend/wasm/module.js';
import { bands } from '../../../../packages/core/src/backend/wasm/threads.js';

const before = getNumThreads();
afterEach(() => setNumThreads(before));

/** Waits until `n` threads can take parts. */
async function startThreads(n: number): Promise<void> {
  setNumThreads(n);
  if (n === 1) return;
  for (const end = Date.now() + 30_000; Date.now() < end && kernelMemory().pool?.size !== n; )
    await new Promise((resolve) => setTimeout(resolve, 5));
  expect(kernelMemory().pool!.size).toBe(n);
}

/** The same of kernels over rows: their number and length are no multiples of anything. */
function rows(generator: Generator): { values: Tensor[]; leaves: Tensor[] } {
  const leaf = (...shape: number[]) => randn(shape, { generator, requiresGrad: true });
  const [x, w, b] = [leaf(503, 261), leaf(261), leaf(261)];
  const classes = randint(0, 261, [503], { generator });
  const images = leaf(7, 11, 33, 39);
  const [mean, variance] = [zeros([11]), ones([11])];
  const values = [
    softmax(x, 1),
    logSoftmax(x, 1),
    logsumexp(x, 1),
    layerNorm(x, [261], w, b),
    rmsNorm(x, [261], w),
    batchNorm(images, mean, variance, { training: true }),
    groupNorm(images, 11),
    crossEntropy(x, classes, { reduction: 'none' }),
    mseLoss(x, x.detach().neg()),
    maxPool2d(images, 3, { stride: 2, padding: 1 }),
    avgPool2d(images, 2),
    amax(x, 1),
    sum(x, 0),
    sum(x, 1),
    variance_(x, 1),
    scaledDotProductAttention(leaf(9, 50, 30), leaf(9, 50, 30), leaf(9, 50, 30), { isCausal: true }),
  ];
  for (const value of values) value.mul(value).sum().backward();
  return { values: [...values, argmax(x, 1), mean, variance], leaves: [x, w, b, images] };
}

/** Values and gradients of products, convolutions and steps that are large enough to be shared among threads. */
function results(): Tensor[] {
  const generator = new Generator(3);
  const overRows = rows(generator);
  const leaf = (...shape: number[]) => randn(shape, { generator, requiresGrad: true });
  const [x, w, b] = [leaf(310, 400), leaf(301, 400), leaf(301)];
  const product = linear(x, w, b);
  product.square().sum().backward();
  const [many, others] = [leaf(4, 200, 210), leaf(1, 210, 190)];
  const products = many.matmul(others);
  products.square().sum().backward();
  const [images, kernels, bias] = [leaf(9, 6, 21, 19), leaf(10, 3, 3, 3), leaf(10)];
  const same = conv2d(images, kernels, bias, { padding: 1, groups: 2 });
  const strided = conv2d(images, kernels, bias, { stride: 2, dilation: 2, groups: 2 });
  same.square().sum().add(strided.square().sum()).backward();
  const [narrow, few] = [leaf(20, 16, 20, 20), leaf(8, 16, 5, 5)];
  const fewer = conv2d(narrow, few, null, { padding: 2 });
  fewer.square().sum().backward();
  const weights = leaf(300, 300);
  weights.mul(weights).sum().backward();
  const adam = new optim.Adam([weights]);
  for (let i = 0; i < 3; i++) adam.step();
  const leaves = [x, w, b, images, kernels, bias, narrow, few, weights, ...overRows.leaves];
  return [
    product,
    products,
    many.grad!,
    others.grad!,
    same,
    strided,
    fewer,
    weights,
    ...overRows.values,
    ...leaves.map((t) => t.grad!),
  ];
}

describe('threads', () => {
  it('give the very same results, however many they are', async () => {
    await startThreads(1);
    // As text: comparing long arrays element by element takes the test runner seconds.
    const bits = (t: Tensor) => {
      const { buffer, byteOffset, byteLength } = t.toTypedArray();
      return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('latin1');
    };
    const first = results();
    for (const t of first) expect(t.dtype === 'int32' || t.isfinite().all().item() === 1).toBe(true);
    const one = first.map(bits);
    for (const n of [2, 3]) {
      await startThreads(n);
      for (let round = 0; round < 3; round++)
        results().forEach((t, i) => {
          expect(bits(t) === one[i], `result ${i} with ${n} threads`).toBe(true);
        });
    }
  });

  it('take each part once, and nobody takes a part of the call before', async () => {
    await startThreads(3);
    const memory = kernelMemory();
    const at = memory.heap.allocate(64 * 64);
    for (let call = 0; call < 3000; call++) {
      const count = 1 + (call % 7);
      const parts = Array.from({ length: count }, (_, i) => [at + i * 64, at + i * 64, 16]);
      for (let i = 0; i < 16 * 8; i++) memory.fill(at + i * 4, i + 1, 1);
      // Doubled once by each part: taken twice, it would be four times as much.
      memory.pool!.run(
        'add',
        parts.map(([to, x, n]) => [to!, x!, x!, n!]),
      );
      const got = memory.array(at, 16 * 8);
      for (let i = 0; i < 16 * 8; i++)
        if (got[i] !== (i < 16 * count ? 2 : 1) * (i + 1)) expect(got[i]).toBe(`call ${call}`);
    }
    memory.heap.free(at);
  });

  it('are as many as one says: a whole number from 1 to 32', () => {
    setNumThreads(5);
    expect(getNumThreads()).toBe(5);
    for (const bad of [0, -1, 1.5, Number.NaN, 33, '2', null])
      expect(() => setNumThreads(bad as number)).toThrow(
        `setNumThreads: expected a whole number from 1 to 32, got ${typeof bad === 'string' ? `'${bad}'` : bad}`,
      );
    expect(getNumThreads()).toBe(5);
  });

  it('do not keep a program from ending', () => {
    const core = new URL('../../../../packages/core/dist/index.js', import.meta.url).href;
    const program = `
      const { getNumThreads, randn, setNumThreads } = await import('${core}');
      setNumThreads(4);
      const a = randn([300, 300]);
      for (let i = 0; i < 200; i++) a.matmul(a);
      console.log(getNumThreads(), 'threads, done');
    `;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 });
    expect(`${out}`).toBe('4 threads, done\n');
  });

  it('are not started in workers unless one asks for them', () => {
    const core = fileURLToPath(new URL('../../../../packages/core/dist/index.js', import.meta.url));
    const program = `
      const { Worker } = require('node:worker_threads');
      const inside = 'import(' + JSON.stringify(${JSON.stringify(core)}) + ').then((c) => console.log(c.getNumThreads()))';
      new Worker(inside, { eval: true });
    `;
    expect(`${execFileSync(process.execPath, ['-e', program], { timeout: 60_000 })}`).toBe('1\n');
  });
});

it('bands cover everything once, in whole units', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      (n, unit, count) => {
        const list = bands(n, unit, count);
        expect(list.length).toBeLessThanOrEqual(count);
        let next = 0;
        for (const [first, length] of list) {
          expect(first).toBe(next);
          expect(first % unit).toBe(0);
          expect(length).toBeGreaterThan(0);
          next = first + length;
        }
        expect(next).toBe(n);
      },
    ),
  );
});

it('threads that were ended are replaced, and results are as before', async () => {
  const module = process.getBuiltinModule('node:worker_threads') as { Worker: new (...args: any[]) => any };
  const Original = module.Worker;
  const started: { terminate(): Promise<number> }[] = [];
  module.Worker = class extends Original {
    constructor(...args: unknown[]) {
      super(...args);
      started.push(this as never);
    }
  };
  try {
    const memory = new KernelMemory(instantiate());
    setNumThreads(3);
    const ready = async () => {
      for (const end = Date.now() + 30_000; Date.now() < end && memory.pool!.size !== 3; )
        await new Promise((resolve) => setTimeout(resolve, 5));
      expect(memory.pool!.size).toBe(3);
    };
    await ready();
    expect(started).toHaveLength(2);
    await started[0]!.terminate();
    for (const end = Date.now() + 5000; Date.now() < end && memory.pool!.size === 3; )
      await new Promise((resolve) => setTimeout(resolve, 5));
    await ready();
    expect(started).toHaveLength(4);
    const { heap, instance, pool } = memory;
    const at = heap.allocate(4 * 1024);
    pool!.note((kernels) => {
      for (let part = 0; part < 4; part++) kernels.fill(at + part * 1024, part + 1, 256);
    });
    const floats = new Float32Array(instance.memory.buffer, at, 1024);
    expect([0, 256, 512, 768].map((i) => [floats[i], floats[i + 255]])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
  } finally {
    module.Worker = Original;
    await Promise.all(started.map((worker) => worker.terminate()));
  }
});
