// The memory that training takes on the device, on Dawn's null backend: it allocates and counts as a GPU does, but computes nothing.
import { manualSeed, randint, randn, type Tensor, tidy } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import { functional, Linear, optim, ReLU, Sequential, TransformerEncoderLayer } from '@gradgate/nn';
import { expect, it } from 'vitest';
import { current } from '../../packages/webgpu/src/backend.js';
import { gpuMemory } from '../../packages/webgpu/src/index.js';
import { needNullGpu } from './gpu.js';

const gpu = await needNullGpu('memory of webgpu');

it.skipIf(!gpu)('a step takes one call for as many parameters as a program has buffers for', () => {
  const model = new Sequential(new Linear(8, 8), new ReLU(), new Linear(8, 4)).to(gpu!);
  const x = randn([2, 8]).to(gpu!);
  const calls = (optimizer: { step(): void }): number => {
    optimizer.step();
    x.abs(); // what waits is made before anything else
    const before = gpuMemory().dispatches;
    optimizer.step();
    x.abs();
    return gpuMemory().dispatches - before - 1;
  };
  model(x).square().sum().backward();
  // Four parameters, of two buffers each, or three and four with what is remembered; the null backend has eight.
  expect(calls(new optim.SGD(model.parameters(), { lr: 0.1 }))).toBe(1);
  expect(calls(new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 }))).toBe(2);
  expect(calls(new optim.AdamW(model.parameters()))).toBe(2);
  const [w, b] = [...model.parameters()];
  expect(
    calls(
      new optim.SGD(
        [
          { params: [w!], lr: 0.1 },
          { params: [b!], lr: 0.2 },
        ],
        { lr: 1 },
      ),
    ),
  ).toBe(2);
});

it.skipIf(!gpu)('a step of a transformer layer with dropout takes few calls, and without it fewer', () => {
  const calls = (dropout: number): number => {
    const layer = new TransformerEncoderLayer(64, 4, { dimFeedforward: 128, batchFirst: true, dropout }).to(gpu!);
    const head = new Linear(64, 10).to(gpu!);
    const optimizer = new optim.Adam([...layer.parameters(), ...head.parameters()]);
    const [x, y] = [randn([8, 16, 64]).to(gpu!), randint(0, 10, [8]).to(gpu!)];
    const step = () => {
      optimizer.zeroGrad();
      functional.crossEntropy(head((layer(x) as Tensor).mean(1)), y).backward();
      optimizer.step();
      gpuMemory(); // what waits is made before it is counted
    };
    for (let i = 0; i < 2; i++) step();
    const before = gpuMemory().dispatches;
    step();
    return gpuMemory().dispatches - before;
  };
  expect([calls(0.1), calls(0)]).toEqual([74, 63]);
});

it.skipIf(!gpu)('tidy gives memory back at its end, without an await', () => {
  const model = new Sequential(new Linear(32, 32), new ReLU(), new Linear(32, 4)).to(gpu!);
  const optimizer = new optim.Adam(model.parameters());
  const [x, y] = [randn([16, 32]).to(gpu!), randint(0, 4, [16]).to(gpu!)];
  const step = tidy.wrap(() => {
    optimizer.zeroGrad();
    functional.crossEntropy(model(x), y).backward();
    optimizer.step();
  });
  for (let i = 0; i < 5; i++) step();
  const { tensors, bytes } = gpuMemory();
  for (let i = 0; i < 1000; i++) step();
  expect(gpuMemory().tensors).toBe(tensors);
  expect(gpuMemory().bytes).toBe(bytes);
});

it.skipIf(!gpu)('a loop with neither an await nor tidy ends at the budget, and goes on after an await', async () => {
  const { pool } = current.gpu!;
  const { budget } = pool;
  const model = new Sequential(new Linear(32, 32), new ReLU(), new Linear(32, 4)).to(gpu!);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  const [x, y] = [randn([16, 32]).to(gpu!), randint(0, 4, [16]).to(gpu!)];
  const step = () => {
    optimizer.zeroGrad();
    functional.crossEntropy(model(x), y).backward();
    optimizer.step();
  };
  const loop = (steps: number): number => {
    for (let i = 0; i < steps; i++) {
      try {
        step();
      } catch (error) {
        expect((error as Error).message).toMatch(
          /bytes more would exceed the \d+ that tensors may take on webgpu: \d+ hold \d+ now.*await loss.itemAsync\(\), or run the step in tidy/,
        );
        return i;
      }
    }
    return steps;
  };
  step();
  const before = pool.held;
  // Earlier tests may have left garbage that is still held.
  pool.budget = { soft: before + 2 ** 20, hard: before + 2 ** 21 };
  try {
    const first = loop(2000);
    expect(first).toBeGreaterThan(100);
    expect(first).toBeLessThan(2000);
    expect(pool.held).toBeLessThanOrEqual(before + 2 ** 21);
    // Finalizers run in tasks; how soon is up to the garbage collector.
    for (let i = 0; i < 200 && pool.held > before + 2 ** 19; i++) {
      new ArrayBuffer(2 ** 25);
      await new Promise((done) => setTimeout(done, 5));
    }
    expect(pool.held).toBeLessThan(before + 2 ** 19);
    expect(loop(50)).toBe(50);
    // In tidy there is no end.
    const tidied = tidy.wrap(step);
    for (let i = 0; i < 2000; i++) tidied();
  } finally {
    pool.budget = budget;
  }
});

it.skipIf(!gpu)(
  'a compiled step binds no buffers anew, is one submission and holds no more memory with each',
  async () => {
    const model = new Sequential(new Linear(32, 32), new ReLU(), new Linear(32, 4)).to(gpu!);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const [x, y] = [randn([16, 32]).to(gpu!), randint(0, 4, [16]).to(gpu!)];
    const step = compile(() => {
      optimizer.zeroGrad();
      const loss = functional.crossEntropy(model(x), y);
      loss.backward();
      optimizer.step();
      return loss.detach();
    });
    // The first is recorded, and the second kept; one whose gradients are there from the start is another record.
    for (let i = 0; i < 5; i++) await step().itemAsync();
    const before = gpuMemory();
    const steps = 200;
    // In `tidy`, so that the results take the same memory.
    for (let i = 0; i < steps; i++) {
      const loss = tidy.run(() => step());
      await loss.itemAsync();
    }
    const after = gpuMemory();
    expect(step.explain().breaks).toEqual([]);
    expect(step.explain().replays).toBeGreaterThanOrEqual(steps + 2);
    // Those of the plain step.
    expect((after.dispatches - before.dispatches) / steps).toBe(11);
    expect((after.submissions - before.submissions) / steps).toBe(1);
    // That of the loss, as long as the loss of the step before is not found.
    expect((after.bindGroups - before.bindGroups) / steps).toBeLessThanOrEqual(1);
    expect(after.programs).toBe(before.programs);
    expect(after.tensors - before.tensors).toBeLessThanOrEqual(steps);
  },
);

it.skipIf(!gpu)(
  'stays flat over 10,000 steps with an await in each, in few submissions',
  async () => {
    manualSeed(0);
    const model = new Sequential(new Linear(32, 32), new ReLU(), new Linear(32, 4)).to(gpu!);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const [x, y] = [randn([16, 32]).to(gpu!), randint(0, 4, [16]).to(gpu!)];
    const steps = 10_000;
    let early = 0;
    let before = gpuMemory();
    for (let i = 0; i < steps; i++) {
      optimizer.zeroGrad();
      const loss = functional.crossEntropy(model(x), y);
      loss.backward();
      optimizer.step();
      await loss.itemAsync();
      if (i === 100) before = gpuMemory();
      if (i === 5000) early = gpuMemory().peak;
    }
    const after = gpuMemory();
    const dispatches = (after.dispatches - before.dispatches) / (steps - 101);
    console.log(
      `webgpu: at most ${(after.peak / 2 ** 20).toFixed(1)} MiB in ${steps} steps; ${dispatches} dispatches a step, ` +
        `${((after.bindGroups - before.bindGroups) / (steps - 101)).toFixed(2)} bind groups`,
    );
    expect(after.peak).toBeLessThan(32 * 2 ** 20);
    expect(after.peak).toBeLessThan(2 * early + 2 ** 20);
    expect(after.programs).toBe(before.programs);
    // Two layers, of which one activates as well; two for the loss, one for its gradient; the gradients of both weights and
    // biases, and of what is between the layers, which goes through the activation at once; and the step.
    expect(dispatches).toBe(2 + 2 + 1 + 5 + 1);
    // Steps take the buffers of others before them, for which there are bind groups: of how many depends on the garbage collector.
    expect((after.bindGroups - before.bindGroups) / (steps - 101)).toBeLessThan(0.8 * dispatches);
    expect((after.submissions - before.submissions) / (steps - 101)).toBeLessThan(1.5);
    // So many steps, however long they take.
  },
  0,
);
