import { readFileSync } from 'node:fs';
import { noGrad, randn, type Tensor, tensor } from '@gradgate/core';
import { BatchNorm1d, Dropout, Linear, optim, Parameter, Sequential } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';
import { goldenError } from '../../golden/golden.js';

// PyTorch's numbers: see make_optim.py.

interface Numbers {
  shape: number[];
  data: number[];
}
const golden = JSON.parse(readFileSync(new URL('../../golden/optim.json', import.meta.url), 'utf8')) as {
  x: Numbers;
  y: Numbers;
  paths: { name: string; options: object; w: Numbers; path: number[][]; averages: number[][] }[];
  rates: { name: string; options: object | null; rates: [lr: number, momentum: number][] }[];
  chained: number[];
};
const revive = ({ data, shape }: Numbers): Tensor => tensor(data).reshape(shape);
const classes = optim as unknown as Record<string, any>;

describe('optimizers follow the path of PyTorch', () => {
  it.each(golden.paths.map((c, i) => [`${c.name} (${i})`, c] as const))(
    '%s',
    (_, { name, options, w: start, path, averages }) => {
      const [x, y] = [revive(golden.x), revive(golden.y)];
      const run = (steps: number, w: Parameter, optimizer: optim.Optimizer<any>, from: number) => {
        for (let i = from; i < steps; i++) {
          optimizer.zeroGrad();
          x.matmul(w).tanh().sub(y).square().mean().backward();
          optimizer.step();
          expect(goldenError(w, path[i]!)).toBeLessThan(2e-5);
          if (averages.length > 0)
            expect(goldenError((optimizer as optim.ASGD).averages().get(w)!, averages[i]!)).toBeLessThan(2e-5);
        }
      };
      const w = new Parameter(revive(start));
      const first = new classes[name]([w], options);
      run(4, w, first, 0);
      // Another one goes on from its state.
      const second = new classes[name]([w], options);
      second.loadStateDict(first.stateDict());
      run(path.length, w, second, 4);
    },
  );

  it('Adafactor keeps rows and columns of matrices, and refuses the memory of another shape', () => {
    const model = new Linear(3, 2);
    const optimizer = new optim.Adafactor(model.parameters());
    model(randn([4, 3]))
      .square()
      .mean()
      .backward();
    optimizer.step();
    const saved = optimizer.stateDict();
    expect((saved.state[0]!['row_var'] as Tensor).shape).toEqual([2, 1]);
    expect((saved.state[0]!['col_var'] as Tensor).shape).toEqual([1, 3]);
    expect((saved.state[1]!['variance'] as Tensor).shape).toEqual([2]);
    saved.state[0]!['row_var'] = randn([1, 2]);
    expect(() => optimizer.loadStateDict(saved)).toThrow(/row_var has shape \[1, 2\], not \[2, 1\]/);
  });
});

describe('options that do not go together are refused', () => {
  const p = () => [new Parameter(tensor([0]))];
  const sgd = (options = {}) => new optim.SGD(p(), { lr: 1, ...options });
  it.each<[string, () => unknown, RegExp]>([
    [
      'Rprop',
      () => new optim.Rprop(p(), { etas: [1.2, 0.5] }),
      /the first of etas must be between 0 and 1 and the second above 1, got 1\.2 and 0\.5/,
    ],
    ['Rprop', () => new optim.Rprop(p(), { stepSizes: [1, 0.5] }), /stepSizes must ascend/],
    ['Adafactor', () => new optim.Adafactor(p(), { beta2Decay: 0.8 }), /beta2Decay must be at most 0, got 0\.8/],
    [
      'Adafactor',
      () => new optim.Adafactor(p(), { eps: 1 as never }),
      /Adafactor: eps must be \[a number from 0 up, or null, a number from 0 up\], got 1/,
    ],
    [
      'CyclicLR',
      () => new optim.CyclicLR(sgd(), { baseLr: [1, 2], maxLr: 3 }),
      /baseLr has 2 rates, and the optimizer 1 groups/,
    ],
    [
      'CyclicLR',
      () => new optim.CyclicLR(sgd(), { baseLr: 1 } as never),
      /CyclicLR: maxLr must be a number from 0 up, or an array/,
    ],
    ['ChainedScheduler', () => new optim.ChainedScheduler([]), /takes at least one scheduler/],
    [
      'ChainedScheduler',
      () => new optim.ChainedScheduler([0, 0].map(() => new optim.ExponentialLR(sgd(), { gamma: 1 }))),
      /must have the same optimizer/,
    ],
    ['AveragedModel', () => new optim.AveragedModel(3 as never), /expected a Module, got 3/],
    [
      'AveragedModel',
      () => new optim.AveragedModel(new Linear(3, 1)).updateParameters(new Linear(2, 1)),
      /the model has no parameter weight of shape \[1, 3\]/,
    ],
    [
      'updateBn',
      () => optim.updateBn(3 as never, new Linear(1, 1)),
      /updateBn: the loader must be an array or another iterable, got 3/,
    ],
  ])('%s', (_, make, message) => expect(make).toThrow(message));
});

describe('schedulers give the rates of PyTorch', () => {
  it.each(golden.rates.map((c, i) => [`${c.name} (${i})`, c] as const))('%s', (_, { name, options, rates }) => {
    const optimizer = new optim.SGD([new Parameter(tensor([0]))], { lr: 0.2, momentum: 0.5 });
    const scheduler = new classes[name](optimizer, options ?? ((e: number) => 0.9 + 0.01 * e)) as optim.LRScheduler;
    const group = optimizer.paramGroups[0]!;
    for (const [i, [lr, momentum]] of rates.entries()) {
      if (i > 0) scheduler.step();
      expect(group.lr, `step ${i}`).toBeCloseTo(lr, 10);
      expect(group.momentum, `step ${i}`).toBeCloseTo(momentum, 10);
    }
  });

  it('a chained scheduler, and its state', () => {
    const make = () => {
      const optimizer = new optim.SGD([new Parameter(tensor([0]))], { lr: 0.2 });
      const all = [
        new optim.ConstantLR(optimizer, { factor: 0.1, totalIters: 3 }),
        new optim.ExponentialLR(optimizer, { gamma: 0.9 }),
      ];
      return new optim.ChainedScheduler(all);
    };
    const [first, second] = [make(), make()];
    for (const [i, lr] of golden.chained.entries()) {
      if (i > 0) first.step();
      expect(first.getLastLr()[0]).toBeCloseTo(lr, 10);
      if (i === 2) second.loadStateDict(first.stateDict());
      if (i > 2) second.step();
      if (i >= 2) expect(second.getLastLr()[0]).toBeCloseTo(lr, 10);
    }
    expect(() => second.loadStateDict({})).toThrow(/not a state of 2 schedulers/);
  });
});

describe('averaged weights', () => {
  it('are the mean of those that were taken in, and another average by a function', () => {
    const model = new Linear(1, 1);
    const [mean, last] = [new optim.AveragedModel(model), new optim.AveragedModel(model, (_, current) => current)];
    for (const v of [1, 2, 6]) {
      noGrad.run(() => void model.weight.copy_(v));
      mean.updateParameters(model);
      last.updateParameters(model);
    }
    expect([mean.module.weight.item(), last.module.weight.item(), mean.count]).toEqual([3, 6, 3]);
    expect(mean(tensor([[2]])).requiresGrad).toBe(false);
    expect(model.weight.requiresGrad).toBe(true);
  });

  it('updateBn computes the statistics of BatchNorm over all batches, and leaves all else as it was', () => {
    const model = new Sequential(new BatchNorm1d(1, { momentum: 0.3 }), new Dropout()).eval();
    model[1]!.train();
    const batches = [[tensor([[1], [3]]), 'label'] as const, [tensor([[5], [7]]), 'label'] as const];
    // What broken training left goes, too.
    for (const buffer of model.buffers()) if (buffer.dtype === 'float32') buffer.fill_(Number.NaN);
    optim.updateBn(batches, model);
    const norm = model[0] as BatchNorm1d;
    expect([norm.runningMean!.item(), norm.runningVar!.item(), norm.momentum]).toEqual([4, 2, 0.3]);
    expect([norm.training, model[1]!.training, model.training]).toEqual([false, true, false]);
  });
});
