import {
  allclose,
  arange,
  grad as gradientsOf,
  manualSeed,
  noGrad,
  randint,
  randn,
  stack,
  type Tensor,
} from '@gradgate/core';
import { grad, hessian, jacfwd, jacrev, replaceAllBatchNormModules_, vmap } from '@gradgate/core/func';
import { gradcheck } from '@gradgate/core/gradcheck';
import * as nn from '@gradgate/nn';
import { functionalCall, Linear, type Module, Sequential, Tanh } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

type Params = Record<string, Tensor>;
const f64 = { dtype: 'float64' } as const;

/** The parameters of a module by name, without a graph. */
const paramsOf = (net: Module): Params =>
  Object.fromEntries([...net.namedParameters()].map(([name, p]) => [name, p.detach()]));

const call = (net: Module, params: Params, ...inputs: unknown[]): unknown =>
  (functionalCall as (...args: unknown[]) => unknown)(net, params, ...inputs);

const first = (out: unknown): Tensor => (Array.isArray(out) ? first(out[0]) : (out as Tensor));

describe('gradients of each sample are those of a loop', () => {
  const n = 3;
  const data = (...shape: number[]) => randn([n, ...shape], f64);
  const ids = () => randint(0, 7, [n, 4], { dtype: 'int32' });
  const families: Record<string, () => [net: Module, ...batches: Tensor[]]> = {
    Linear: () => [new Linear(3, 2), data(3)],
    Bilinear: () => [new nn.Bilinear(2, 3, 2), data(2), data(3)],
    Conv1d: () => [new nn.Conv1d(2, 3, 2, { stride: 2 }), data(2, 6)],
    Conv2d: () => [new nn.Conv2d(2, 4, 3, { padding: 1, groups: 2 }), data(2, 5, 5)],
    'Conv2d of a batch of one': () => [new nn.Conv2d(2, 2, 2), data(1, 2, 4, 4)],
    Conv3d: () => [new nn.Conv3d(1, 2, 2), data(1, 3, 3, 3)],
    ConvTranspose2d: () => [new nn.ConvTranspose2d(2, 3, 2, { stride: 2 }), data(2, 3, 3)],
    LayerNorm: () => [new nn.LayerNorm([4]), data(3, 4)],
    RMSNorm: () => [new nn.RMSNorm([4]), data(3, 4)],
    GroupNorm: () => [new nn.GroupNorm(2, 4), data(2, 4, 3, 3)],
    InstanceNorm2d: () => [new nn.InstanceNorm2d(2, { affine: true }), data(1, 2, 3, 3)],
    'BatchNorm2d in evaluation': () => [new nn.BatchNorm2d(2).eval(), data(1, 2, 3, 3)],
    'BatchNorm1d without running statistics': () => [new nn.BatchNorm1d(2, { trackRunningStats: false }), data(4, 2)],
    Embedding: () => [new nn.Embedding(7, 3, { paddingIdx: 2 }), ids()],
    EmbeddingBag: () => [new nn.EmbeddingBag(7, 3, { mode: 'mean' }), ids().unsqueeze(1)],
    PReLU: () => [new nn.PReLU(3), data(2, 3)],
    MultiheadAttention: () => {
      const x = data(1, 5, 4);
      return [new nn.MultiheadAttention(4, 2, { batchFirst: true }), x, x, x];
    },
    RNN: () => [new nn.RNN(3, 4, { batchFirst: true }), data(1, 4, 3)],
    GRU: () => [new nn.GRU(3, 4, { numLayers: 2, batchFirst: true }), data(1, 4, 3)],
    LSTM: () => [new nn.LSTM(3, 4, { bidirectional: true, batchFirst: true }), data(1, 4, 3)],
    GRUCell: () => [new nn.GRUCell(3, 4), data(1, 3)],
    TransformerEncoderLayer: () => [
      new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, dropout: 0, batchFirst: true }),
      data(1, 5, 4),
    ],
    'a network': () => [
      new Sequential(new nn.Conv2d(1, 2, 3), new nn.ReLU(), new nn.MaxPool2d(2), new nn.Flatten(), new Linear(8, 3)),
      data(1, 1, 6, 6),
    ],
  };
  it.each(Object.entries(families))('%s', (_, make) => {
    manualSeed(1);
    const [layer, ...batches] = make();
    const net = layer.to('float64');
    const params = paramsOf(net);
    const lossOf = (params: Params, ...inputs: Tensor[]) =>
      first(call(net, params, ...inputs))
        .sin()
        .sum();
    const each = vmap(grad(lossOf), { inDims: [null, ...batches.map(() => 0)] });
    const together = each(params, ...batches);
    for (let i = 0; i < n; i++) {
      const inputs = batches.map((b) => b.select(0, i));
      const alone = gradientsOf(
        first(net(...(inputs as [Tensor])))
          .sin()
          .sum(),
        [...net.parameters()],
        { allowUnused: true, materializeGrads: true },
      );
      Object.keys(params).forEach((name, k) => {
        expect(allclose(together[name]!.select(0, i), alone[k]!), name).toBe(true);
      });
    }
  });
});

describe('MAML by functions: the gradient goes through steps', () => {
  const net = new Sequential(new Linear(1, 8), new Tanh(), new Linear(8, 1)).to('float64');
  const params = paramsOf(net);
  const error = (params: Params, x: Tensor, y: Tensor) => (call(net, params, x) as Tensor).sub(y).square().mean();
  const adapted = (params: Params, x: Tensor, y: Tensor, steps: number): Params => {
    let own = params;
    for (let i = 0; i < steps; i++) {
      const grads = grad(error)(own, x, y);
      own = Object.fromEntries(Object.entries(own).map(([name, p]) => [name, p.sub(grads[name]!.mul(0.1))]));
    }
    return own;
  };
  const outer = (params: Params, x: Tensor, y: Tensor, x2: Tensor, y2: Tensor) =>
    error(adapted(params, x, y, 2), x2, y2);
  const tasks = [randn([4, 5, 1], f64), randn([4, 5, 1], f64), randn([4, 6, 1], f64), randn([4, 6, 1], f64)] as const;

  it('as that of steps written out with createGraph', () => {
    const [x, y, x2, y2] = tasks.map((t) => t.select(0, 0)) as [Tensor, Tensor, Tensor, Tensor];
    const meta = grad(outer)(params, x, y, x2, y2);
    const names = Object.keys(params);
    const leaves = names.map((name) => params[name]!.clone().requiresGrad_());
    let own: Tensor[] = leaves;
    const byName = (list: readonly Tensor[]): Params => Object.fromEntries(names.map((name, i) => [name, list[i]!]));
    for (let i = 0; i < 2; i++) {
      const grads = gradientsOf(error(byName(own), x, y), own, { createGraph: true });
      own = own.map((p, k) => p.sub(grads[k]!.mul(0.1)));
    }
    const expected = gradientsOf(error(byName(own), x2, y2), leaves);
    names.forEach((name, k) => {
      expect(allclose(meta[name]!, expected[k]!), name).toBe(true);
      // A first-order approximation would have other numbers.
      const plain = grad(error)(adapted(params, x, y, 2), x2, y2)[name]!;
      expect(allclose(meta[name]!, plain), name).toBe(false);
    });
  });

  it('is right by differences, in several tasks at once, and as the mean of a loop', () => {
    const loss = (weight: Tensor) =>
      vmap((...task: [Tensor, Tensor, Tensor, Tensor]) => outer({ ...params, '2.weight': weight }, ...task))(
        ...tasks,
      ).mean();
    expect(gradcheck(loss, [params['2.weight']!.clone().requiresGrad_()])).toBe(true);
    const all = grad((p: Params) =>
      vmap((...task: [Tensor, Tensor, Tensor, Tensor]) => outer(p, ...task))(...tasks).mean(),
    )(params);
    const each = vmap(grad(outer), { inDims: [null, 0, 0, 0, 0] })(params, ...tasks);
    const loop = [0, 1, 2, 3].map((i) =>
      grad(outer)(params, ...(tasks.map((t) => t.select(0, i)) as [Tensor, Tensor, Tensor, Tensor])),
    );
    for (const name of Object.keys(params)) {
      const mean = stack(loop.map((g) => g[name]!)).mean(0);
      expect(allclose(all[name]!, mean), name).toBe(true);
      expect(allclose(each[name]!.mean(0), mean), name).toBe(true);
    }
  });

  it('learns to learn', () => {
    manualSeed(3);
    const net = new Sequential(new Linear(1, 24), new Tanh(), new Linear(24, 1));
    const optimizer = new nn.optim.Adam(net.parameters(), { lr: 0.01 });
    const params: Params = Object.fromEntries(net.namedParameters());
    const error = (params: Params, x: Tensor, y: Tensor) => (call(net, params, x) as Tensor).sub(y).square().mean();
    const task = (height: Tensor, x: Tensor, x2: Tensor) => {
      const grads = grad(error)(params, x, x.sin().mul(height));
      const own = Object.fromEntries(Object.entries(params).map(([name, p]) => [name, p.sub(grads[name]!.mul(0.2))]));
      return error(own, x2, x2.sin().mul(height));
    };
    const losses: number[] = [];
    for (let i = 0; i < 100; i++) {
      optimizer.zeroGrad();
      const loss = vmap(task)(randn([8]), randn([8, 10, 1]), randn([8, 10, 1])).mean();
      loss.backward();
      optimizer.step();
      losses.push(loss.item());
    }
    const mean = (list: number[]) => list.reduce((a, b) => a + b) / list.length;
    expect(mean(losses.slice(-10))).toBeLessThan(mean(losses.slice(0, 10)) / 2);
  });
});

describe('norms with running statistics in training', () => {
  const x = randn([3, 4, 2], f64);

  it('are refused where the examples share the statistics, before anything is counted', () => {
    const net = new nn.BatchNorm1d(2).to('float64');
    expect(() => vmap((x: Tensor) => net(x) as Tensor)(x)).toThrow(
      /batchNorm: inside of vmap, values that differ between the examples are written to a tensor of shape \[2\] from outside/,
    );
    expect([net.runningMean!.toArray(), net.numBatchesTracked!.item()]).toEqual([[0, 0], 0]);
  });

  it('work without running statistics, which replaceAllBatchNormModules_ removes', () => {
    const net = new Sequential(new nn.BatchNorm1d(2), new Sequential(new Linear(2, 2), new nn.BatchNorm1d(2))).to(
      'float64',
    );
    expect(replaceAllBatchNormModules_(net)).toBe(net);
    expect(Object.keys(net.stateDict()).filter((name) => /running|num/.test(name))).toEqual([]);
    const out = vmap((x: Tensor) => net(x) as Tensor)(x);
    expect(allclose(out, stack([...x].map((x) => net(x) as Tensor)))).toBe(true);
    const { weight } = net.at(0) as nn.BatchNorm1d;
    const params = paramsOf(net);
    const loss = (params: Params, x: Tensor) => (call(net, params, x) as Tensor).sin().sum();
    const each = vmap(grad(loss), { inDims: [null, 0] })(params, x)['0.weight']!;
    [...x].forEach((x, i) => {
      expect(allclose(each.select(0, i), gradientsOf((net(x) as Tensor).sin().sum(), weight!))).toBe(true);
    });
    for (const wrong of [3, null, {}, randn([2])])
      expect(() => replaceAllBatchNormModules_(wrong as never)).toThrow(
        /^replaceAllBatchNormModules_: the net must be a module, got/,
      );
  });

  it('keep statistics for each model of an ensemble, which are returned and not written to the caller', () => {
    const models = [0, 1].map(() => new Sequential(new nn.BatchNorm1d(2), new Linear(2, 1)).to('float64'));
    const [params, buffers] = nn.stackModuleState(models);
    const run = vmap((p: Params, b: Params, x: Tensor) => [call(models[0]!, { ...p, ...b }, x) as Tensor, b] as const, {
      inDims: [0, 0, null],
    });
    const batch = randn([5, 2], f64);
    const [out, after] = run(params, buffers, batch);
    models.forEach((model, i) => {
      expect(allclose(out.select(0, i), model(batch) as Tensor)).toBe(true);
      expect(allclose(after['0.runningVar']!.select(0, i), (model.at(0) as nn.BatchNorm1d).runningVar!)).toBe(true);
    });
    expect(after['0.numBatchesTracked']!.toArray()).toEqual([1, 1]);
    expect(buffers['0.numBatchesTracked']!.toArray()).toEqual([0, 0]);
  });
});

it('Hessians and Jacobians by columns and rows of a model agree', () => {
  const net = new Sequential(new Linear(2, 3), new Tanh(), new Linear(3, 1)).to('float64');
  const params = paramsOf(net);
  const x = arange(8).to('float64').reshape(4, 2).sin();
  const loss = (params: Params) => (call(net, params, x) as Tensor).square().sum();
  const h = hessian(loss)(params);
  const byColumns = jacfwd(jacrev(loss))(params);
  for (const a of Object.keys(params))
    for (const b of Object.keys(params)) {
      expect(allclose(h[a]![b]!, byColumns[a]![b]!)).toBe(true);
      expect(allclose(h[a]![b]!.reshape(params[a]!.numel, -1).t(), h[b]![a]!.reshape(params[b]!.numel, -1))).toBe(true);
    }
  expect(noGrad.run(() => hessian(loss)(params))['0.weight']!['2.bias']!.shape).toEqual([3, 2, 1]);
});
