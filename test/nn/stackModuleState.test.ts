import { allclose, grad as gradientsOf, manualSeed, mseLoss, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import { grad, vmap } from '@gradgate/core/func';
import {
  BatchNorm1d,
  Conv2d,
  CrossEntropyLoss,
  Dropout,
  Flatten,
  functionalCall,
  Linear,
  MultiheadAttention,
  optim,
  ReLU,
  Sequential,
  stackModuleState,
  Tanh,
} from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const net = () => new Sequential(new Linear(3, 8), new Tanh(), new Linear(8, 2));

describe('stackModuleState', () => {
  it('stacks parameters and buffers by name, as new leaves', () => {
    const models = [new BatchNorm1d(3), new BatchNorm1d(3)];
    models[0]!.weight!.requiresGrad = false;
    const [params, buffers] = stackModuleState(models);
    expect(Object.keys(params)).toEqual(['weight', 'bias']);
    expect(Object.entries(buffers).map(([name, t]) => [name, t.dtype, t.shape])).toEqual([
      ['runningMean', 'float32', [2, 3]],
      ['runningVar', 'float32', [2, 3]],
      ['numBatchesTracked', models[0]!.numBatchesTracked!.dtype, [2]],
    ]);
    expect([params['weight']!.requiresGrad, params['bias']!.requiresGrad, params['bias']!.isLeaf]).toEqual([
      false,
      true,
      true,
    ]);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no module', () => stackModuleState([]), /^stackModuleState: takes an array of at least one module, got \[\]/],
    ['one module', () => stackModuleState(net() as never), /^stackModuleState: takes an array/],
    ['a tensor', () => stackModuleState([zeros([2])] as never), /^stackModuleState: /],
    [
      'classes that differ',
      () => stackModuleState([net(), new Linear(3, 2)]),
      /^stackModuleState: the modules must be of one class, got Sequential and Linear/,
    ],
    [
      'shapes that differ',
      () => stackModuleState([new Linear(3, 2), new Linear(3, 4)]),
      /^stackModuleState: module 1 differs from the first one: only one of them has weight float32 \[4, 3\]/,
    ],
    [
      'names that differ',
      () => stackModuleState([new Linear(3, 2), new Linear(3, 2, { bias: false })]),
      /^stackModuleState: module 1 differs from the first one: only one of them has bias/,
    ],
    [
      'training and evaluation',
      () => stackModuleState([net(), net().eval()]),
      /^stackModuleState: some modules are in training and some in evaluation/,
    ],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message);
  });
});

describe('an ensemble by vmap', () => {
  it.each<[string, () => Sequential, number[]]>([
    ['a perceptron', net, [5, 3]],
    [
      'a convolutional network',
      () => new Sequential(new Conv2d(1, 4, 3), new ReLU(), new Flatten(), new Linear(64, 2)),
      [5, 1, 6, 6],
    ],
    ['batch norm in evaluation', () => new Sequential(new Linear(3, 4), new BatchNorm1d(4)).eval(), [5, 3]],
  ])('%s gives what the models give one by one, and their gradients', (_, make, shape) => {
    manualSeed(1);
    const models = [make(), make(), make()];
    const [base] = models;
    const [params, buffers] = stackModuleState(models);
    const x = randn(shape);
    const ensemble = vmap((p, b, x: Tensor) => functionalCall(base!, { ...p, ...b }, x) as Tensor, {
      inDims: [0, 0, null],
    });
    const all = ensemble(params, buffers, x);
    const single = models.map((model) => model(x) as Tensor);
    single.forEach((y, i) => {
      expect(allclose(all.select(0, i), y, { rtol: 1e-4, atol: 1e-5 })).toBe(true);
    });
    all.square().sum().backward();
    single.forEach((y, i) => {
      const own = [...models[i]!.namedParameters()];
      const grads = gradientsOf(
        y.square().sum(),
        own.map(([, p]) => p),
      );
      own.forEach(([name], k) => {
        expect(allclose(params[name]!.grad!.select(0, i), grads[k]!, { rtol: 1e-3, atol: 1e-3 })).toBe(true);
      });
    });
  });

  it('learns as its models would', () => {
    manualSeed(2);
    const models = [net(), net()];
    const [params] = stackModuleState(models);
    const [x, y] = [randn([16, 3]), randn([16, 2])];
    const losses = vmap((p: Record<string, Tensor>) => mseLoss(functionalCall(models[0]!, p, x) as Tensor, y));
    const together = new optim.SGD(Object.values(params), { lr: 0.1 });
    const apart = models.map((model) => new optim.SGD(model.parameters(), { lr: 0.1 }));
    for (let i = 0; i < 5; i++) {
      together.zeroGrad();
      losses(params).sum().backward();
      together.step();
      models.forEach((model, m) => {
        apart[m]!.zeroGrad();
        mseLoss(model(x) as Tensor, y).backward();
        apart[m]!.step();
      });
    }
    models.forEach((model, m) => {
      for (const [name, p] of model.namedParameters())
        expect(allclose(params[name]!.detach().select(0, m), p.detach(), { rtol: 1e-3, atol: 1e-4 })).toBe(true);
    });
  });
});

describe('gradients of each sample by vmap of grad', () => {
  it.each<[string, () => Sequential, number[]]>([
    ['a perceptron', net, [6, 3]],
    [
      'a convolutional network',
      () => new Sequential(new Conv2d(1, 4, 3), new ReLU(), new Flatten(), new Linear(64, 2)),
      [6, 1, 6, 6],
    ],
  ])('%s', (_, make, shape) => {
    const model = make();
    const x = randn(shape);
    const labels = tensor([0, 1, 1, 0, 1, 0], { dtype: 'int32' });
    const loss = new CrossEntropyLoss();
    const params = Object.fromEntries([...model.namedParameters()].map(([name, p]) => [name, p.detach()]));
    const lossOf = (p: Record<string, Tensor>, x: Tensor, label: Tensor) =>
      loss(functionalCall(model, p, x.unsqueeze(0)) as Tensor, label.unsqueeze(0)) as Tensor;
    const all = vmap(grad(lossOf), { inDims: [null, 0, 0] })(params, x, labels);
    for (let i = 0; i < 6; i++) {
      const own = [...model.namedParameters()];
      const one = gradientsOf(
        loss(model(x.narrow(0, i, 1)) as Tensor, labels.narrow(0, i, 1)) as Tensor,
        own.map(([, p]) => p),
      );
      own.forEach(([name], k) => {
        expect(allclose(all[name]!.select(0, i), one[k]!, { rtol: 1e-4, atol: 1e-5 })).toBe(true);
      });
    }
  });

  it('dropout and attention inside say what they need, or work', () => {
    const x = randn([4, 5, 8]);
    const attention = new MultiheadAttention(8, 2, { batchFirst: true });
    const attend = (x: Tensor) =>
      (attention(x.unsqueeze(0), x.unsqueeze(0), x.unsqueeze(0)) as [Tensor, Tensor])[0].squeeze(0);
    const together = vmap(attend)(x);
    for (let i = 0; i < 4; i++)
      expect(allclose(together.select(0, i), attend(x.select(0, i)), { rtol: 1e-4, atol: 1e-5 })).toBe(true);
    const drop = new Dropout(0.5);
    expect(() => vmap((x: Tensor) => drop(x) as Tensor)(x)).toThrow(/^Dropout: .*draws random numbers inside of vmap/);
  });

  it('statistics of a batch, which an example has none of, are refused by name', () => {
    const norm = new BatchNorm1d(3);
    expect(() => vmap((x: Tensor) => norm(x.unsqueeze(0)) as Tensor)(randn([4, 3, 2]))).toThrow(
      /inside of vmap, values that differ between the examples are written to a tensor of shape \[3\] from outside/,
    );
  });
});
