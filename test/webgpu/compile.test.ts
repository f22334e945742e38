import {
  arange,
  dropout,
  eye,
  full,
  linspace,
  manualSeed,
  noGrad,
  normal,
  oneHot,
  ones,
  rand,
  randint,
  randLike,
  randn,
  randperm,
  repeatInterleave,
  setDefaultDevice,
  type Tensor,
  tensor,
  zeros,
  zerosLike,
} from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import {
  AvgPool2d,
  BatchNorm2d,
  Conv2d,
  Dropout,
  Embedding,
  Flatten,
  functional,
  LayerNorm,
  Linear,
  MaxPool2d,
  type Module,
  optim,
  ReLU,
  Sequential,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { needGpu } from './gpu.js';

const gpu = await needGpu('compiled functions on webgpu');

type Net = Module & ((x: Tensor) => Tensor);
type Step = (x: Tensor, y: Tensor) => Tensor;

/** A step over batches: of the function as it is, or compiled. */
async function losses(
  make: () => Net,
  optimizerOf: (p: Iterable<Tensor>) => optim.Optimizer<any, any>,
  batches: readonly (readonly [Tensor, Tensor])[],
  isCompiled: boolean,
) {
  manualSeed(5);
  const model = make().to(gpu!);
  const optimizer = optimizerOf(model.parameters());
  const plain: Step = (x, y) => {
    optimizer.zeroGrad();
    const loss = functional.crossEntropy(model(x), y);
    loss.backward();
    optim.clipGradValue_(model.parameters(), 0.5);
    optimizer.step();
    return loss.detach();
  };
  const compiled = compile(plain);
  const step = isCompiled ? compiled : plain;
  const values: number[] = [];
  for (const [x, y] of batches) values.push(await step(x, y).itemAsync());
  return { values, report: compiled.explain(), model };
}

const batchesOf = (count: number, shape: readonly number[], classes: number) =>
  Array.from({ length: count }, () => [randn(shape).to(gpu!), randint(0, classes, [shape[0]!]).to(gpu!)] as const);

const nets: Record<
  string,
  [make: () => Net, shape: number[], optimizer: (p: Iterable<Tensor>) => optim.Optimizer<any, any>]
> = {
  'a perceptron with layer norm and dropout': [
    () => new Sequential(new Linear(12, 24), new ReLU(), new LayerNorm(24), new Dropout(0.3), new Linear(24, 5)),
    [8, 12],
    (p) => new optim.Adam(p, { lr: 0.01 }),
  ],
  'a convolutional network with batch norm and both kinds of pooling': [
    () =>
      new Sequential(
        new Conv2d(1, 4, 3, { padding: 1 }),
        new BatchNorm2d(4),
        new ReLU(),
        new MaxPool2d(2),
        new Conv2d(4, 6, 3),
        new AvgPool2d(2),
        new Flatten(),
        new Linear(6, 5),
      ),
    [4, 1, 8, 8],
    (p) => new optim.SGD(p, { lr: 0.05, momentum: 0.9 }),
  ],
};

describe.skipIf(!gpu)('compiled on webgpu', () => {
  it.each(Object.entries(nets))(
    'a step of %s is replayed with the losses of the plain one',
    async (_, [make, shape, optimizer]) => {
      manualSeed(1);
      const batches = batchesOf(6, shape, 5);
      const [got, want] = [await losses(make, optimizer, batches, true), await losses(make, optimizer, batches, false)];
      expect(got.report.breaks).toEqual([]);
      expect(got.report.replays).toBe(5 - (got.report.records.length - 1));
      expect(got.report.replays).toBeGreaterThanOrEqual(4);
      expect(got.values).toEqual(want.values);
      for (const [i, p] of [...got.model.parameters()].entries())
        expect(await p.data()).toEqual(await [...want.model.parameters()][i]!.data());
      // What a replay uses again, it had memory for once.
      expect(got.report.records[0]!.bytes).toBeLessThan(got.report.records[0]!.unshared);
    },
  );

  it('arguments may begin elsewhere in their memory, at many places', async () => {
    const data = randn([20, 6]);
    const [here, there] = [data, data.to(gpu!)];
    const w = randn([6, 3]);
    const f = (w: Tensor) => noGrad.wrap((x: Tensor) => x.matmul(w).relu().sum(1));
    const compiled = compile(f(w.to(gpu!)));
    for (let i = 0; i < 9; i++) {
      const got = await compiled(there.narrow(0, i * 2, 2)).data();
      const want = f(w)(here.narrow(0, i * 2, 2)).toTypedArray();
      want.forEach((v, k) => void expect(Math.abs(got[k]! - v)).toBeLessThan(1e-5));
    }
    expect(compiled.explain().replays).toBe(8);
  });

  it('what it makes of one number is made there, each time', async () => {
    const step = compile(
      noGrad.wrap((x: Tensor) => {
        const [sum, twos] = [zeros([3], { device: gpu! }), full([3], 2, { device: gpu! })];
        for (let i = 0; i < 3; i++) sum.add_(x.mul(twos));
        return sum.add(zerosLike(x)).add(ones([], { device: gpu! }));
      }),
    );
    for (let i = 0; i < 5; i++)
      expect(await step(tensor([i, 1, -1]).to(gpu!)).toArrayAsync()).toEqual([6 * i + 1, 7, -5]);
    expect(step.explain().replays).toBe(4);
  });

  it('what creation functions make there, or move there, is made anew in each call', async () => {
    const on = { device: gpu! };
    const made: Record<string, () => Tensor> = {
      arange: () => arange(3, { ...on, dtype: 'float32' }),
      'arange of float16': () => arange(3, { ...on, dtype: 'float16' }).float(),
      linspace: () => linspace(0, 1, 3, on),
      eye: () => eye(3, on).select(0, 1),
      oneHot: () => oneHot(arange(3, on), 3).sum(0),
      repeatInterleave: () => repeatInterleave(ones([1], on), 3),
      'arange, moved': () => arange(3).to(gpu!).float(),
      rand: () => rand([3], on),
      randn: () => randn([3], on),
      'randn of float16': () => randn([3], { ...on, dtype: 'float16' }).float(),
      randint: () => randint(0, 100, [3], on),
      randperm: () => randperm(3, on),
      'randperm of int64': () => randperm(3, { ...on, dtype: 'int64' }),
      randLike: () => randLike(zeros([3], on)),
      normal: () => normal(0, 1, { shape: [3] }).to(gpu!),
    };
    for (const [name, make] of Object.entries(made)) {
      const f = noGrad.wrap((x: Tensor) => {
        const t = make();
        const y = x.mul(t);
        // What a call writes to, the next has as it was.
        t.add_(1);
        return y.add(t);
      });
      const run = async (step: (x: Tensor) => Tensor) => {
        manualSeed(4);
        const all: unknown[] = [];
        for (let i = 0; i < 4; i++) all.push(await step(tensor([i, 1, -1]).to(gpu!)).toArrayAsync());
        return all;
      };
      const compiled = compile(f);
      expect(await run(compiled), name).toEqual(await run(f));
      // Numbers that are drawn on the host and moved are read there.
      expect(compiled.explain().replays, `${name}: ${JSON.stringify(compiled.explain().breaks)}`).toBe(
        name === 'normal' ? 0 : 3,
      );
    }
  });

  it('what no kernel uses stays on its device, and the default device is a part of what a record is for', async () => {
    const make = compile(() => [zeros([2], { device: gpu! }), arange(2, { device: gpu! })]);
    for (let i = 0; i < 3; i++) for (const t of make()) expect([t.device, t.shape]).toEqual([gpu, [2]]);
    const both = compile(noGrad.wrap((x: Tensor) => [x.mul(2), zeros([2])]));
    for (let i = 0; i < 3; i++)
      expect(both(ones([2], { device: gpu! })).map(({ device }) => device)).toEqual([gpu, 'cpu']);
    const byDefault = compile(noGrad.wrap(() => ones([2]).add(1)));
    for (const device of ['cpu', gpu!, 'cpu', gpu!])
      try {
        setDefaultDevice(device);
        expect(byDefault().device).toBe(device);
      } finally {
        setDefaultDevice('cpu');
      }
  });

  it('draws are made before what precedes them, and nothing else is', async () => {
    const [state, replays] = [zeros([3], { device: gpu! }), 4];
    const functions: ((x: Tensor) => Tensor)[] = [
      (x) => dropout(dropout(x.mul(2)).exp()).add(1),
      // Draws into what was read or written before.
      (x) => {
        const y = x.mul(3);
        const sum = y.sum();
        return y.uniform_(0, 1).add(sum);
      },
      (x) => {
        const before = state.mul(2).add(x);
        return before.add(state.uniform_(0, 1));
      },
    ];
    for (const f of functions) {
      const run = async (step: (x: Tensor) => Tensor) => {
        manualSeed(5);
        state.zero_();
        const results: unknown[] = [];
        for (let i = 0; i <= replays; i++) results.push(await step(tensor([i / 4, 1, 2]).to(gpu!)).toArrayAsync());
        return [...results, await state.toArrayAsync()];
      };
      const compiled = compile(noGrad.wrap(f));
      expect(await run(compiled)).toEqual(await run(noGrad.wrap(f)));
      expect(compiled.explain().replays).toBe(replays);
    }
  });

  it('tensors in memory that others had before are taken as they are now', async () => {
    const twice = compile(noGrad.wrap((x: Tensor, y: Tensor) => x.mul(2).add(y)));
    for (let i = 0; i < 6; i++) {
      const [x, y] = [tensor([i, 1, 2]).to(gpu!), zeros([3], { device: gpu! })];
      expect(await twice(x, y).toArrayAsync()).toEqual([2 * i, 2, 4]);
      expect(await twice(y, x).toArrayAsync()).toEqual([i, 1, 2]);
      expect(await twice(ones([3], { device: gpu! }), x).toArrayAsync()).toEqual([i + 2, 3, 4]);
    }
  });

  it('what it returned is never written again, and neither is a gradient that was read', async () => {
    const w = tensor([1, 2], { device: gpu!, requiresGrad: true });
    const step = compile((x: Tensor) => {
      w.grad = null;
      const loss = w.mul(x).sum();
      loss.backward();
      return loss.detach();
    });
    const kept: Tensor[] = [];
    const grads: Tensor[] = [];
    for (let i = 1; i <= 4; i++) {
      kept.push(step(tensor([i, i]).to(gpu!)));
      grads.push(w.grad!);
    }
    expect(await Promise.all(kept.map((t) => t.itemAsync()))).toEqual([3, 6, 9, 12]);
    expect(await Promise.all(grads.map((g) => g.toArrayAsync()))).toEqual([1, 2, 3, 4].map((i) => [i, i]));
    expect(step.explain().replays).toBeGreaterThanOrEqual(2);
  });

  it('gradients are added up where they are, and what is filled in between is filled each time', async () => {
    const run = async (wrap: (f: (x: Tensor) => Tensor) => (x: Tensor) => Tensor) => {
      const w = tensor([1, -2, 3], { device: gpu!, requiresGrad: true });
      const state = zeros([3], { device: gpu! });
      const step = wrap((x) => {
        w.mul(x).square().sum().backward();
        noGrad.run(() => {
          state.add_(w.grad!);
          w.grad!.zero_();
          w.grad!.add_(1);
        });
        return state.sum();
      });
      const all: number[] = [];
      for (let i = 1; i <= 5; i++) all.push(await step(tensor([i, 1, 0.5]).to(gpu!)).itemAsync());
      return [all, await state.toArrayAsync(), await w.grad!.toArrayAsync()];
    };
    expect(await run((f) => compile(f))).toEqual(await run((f) => f));
  });

  it('the outcome of a condition, the mode and the device are a part of what a record is for', async () => {
    let isFrozen = false;
    const w = tensor([2, 3], { device: gpu!, requiresGrad: true });
    const gated = noGrad(() => isFrozen).wrap((x: Tensor) => x.mul(w).sum());
    const f = compile((x: Tensor) => {
      const y = gated(x);
      if (y.requiresGrad) y.backward();
      return y.detach();
    });
    const x = tensor([1, 1], { device: gpu! });
    for (let i = 0; i < 3; i++) expect(await f(x).itemAsync()).toBe(5);
    const before = (await w.grad!.toArrayAsync()) as number[];
    isFrozen = true;
    for (let i = 0; i < 3; i++) expect(await f(x).itemAsync()).toBe(5);
    expect(await w.grad!.toArrayAsync()).toEqual(before);
    isFrozen = false;
    f(x);
    expect(await w.grad!.toArrayAsync()).toEqual(before.map((v) => v + 1));

    const doubled = compile(noGrad.wrap((x: Tensor) => x.mul(2).exp()));
    for (let i = 0; i < 2; i++) {
      expect(doubled(tensor([0, 0])).device).toBe('cpu');
      expect(doubled(zeros([2], { device: gpu! })).device).toBe(gpu);
    }
    expect([doubled.explain().records.length, doubled.explain().replays]).toEqual([2, 2]);
  });

  it('rows of an embedding, whose gradient is scattered, and whole numbers', async () => {
    const run = async (wrap: (f: Step) => Step) => {
      manualSeed(2);
      const table = new Embedding(7, 4).to(gpu!);
      const optimizer = new optim.SGD(table.parameters(), { lr: 0.5 });
      const step = wrap((index, y) => {
        optimizer.zeroGrad();
        const loss = table(index).sub(y).square().sum();
        loss.backward();
        optimizer.step();
        return loss.detach();
      });
      const all: number[] = [];
      for (let i = 0; i < 4; i++)
        all.push(await step(tensor([i, 6, i]).to('int32').to(gpu!), ones([3, 4], { device: gpu! })).itemAsync());
      return all;
    };
    expect(await run((f) => compile(f))).toEqual(await run((f) => f));
  });

  it('arguments and results that are made one number are so in each call', async () => {
    const f = compile(
      noGrad.wrap((x: Tensor) => {
        const y = x.fill_(3).mul(2);
        return y.fill_(7);
      }),
    );
    for (let i = 0; i < 4; i++) {
      const x = tensor([i, 1], { device: gpu! });
      const y = f(x);
      expect([await x.toArrayAsync(), await y.toArrayAsync()]).toEqual([
        [3, 3],
        [7, 7],
      ]);
      y.add_(1);
    }
    expect(f.explain().replays).toBe(3);
  });

  it('what reads values, or mixes devices, runs as it is and says why', async () => {
    const mixed = compile((x: Tensor) => noGrad.run(() => x.mul(tensor(2))));
    const x = ones([2], { device: gpu! });
    for (let i = 0; i < 2; i++) expect(await mixed(x).toArrayAsync()).toEqual([2, 2]);
    expect(mixed.explain().replays).toBe(0);
    expect(
      mixed
        .explain()
        .breaks.map(({ why }) => why)
        .join(),
    ).toMatch(/reads the values|values of JavaScript|is on cpu/);
  });
});
