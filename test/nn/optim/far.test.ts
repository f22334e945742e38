// Every optimizer on a device whose values are not there at once takes the steps that it takes on the host; so do schedulers,
// clipping, averages, checkpoints of optimizers, training loops and gradients of functions.
import { manualSeed, mseLoss, noGrad, randn, registerBackend, type Tensor, tensor } from '@gradgate/core';
import { grad, vmap } from '@gradgate/core/func';
import { Linear, type Module, optim, ReLU, Sequential, Tanh } from '@gradgate/nn';
import { fit } from '@gradgate/train';
import { describe, expect, it } from 'vitest';
import { far } from '../../core/backend/far.js';

registerBackend(far);

type Make = (params: Iterable<Tensor>) => optim.Optimizer;
const optimizers: Record<string, Make> = {
  SGD: (p) => new optim.SGD(p, { lr: 0.1, weightDecay: 0.1 }),
  'SGD with momentum': (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true }),
  Adam: (p) => new optim.Adam(p, { lr: 0.01 }),
  'Adam with amsgrad': (p) => new optim.Adam(p, { lr: 0.01, amsgrad: true }),
  AdamW: (p) => new optim.AdamW(p, { lr: 0.01 }),
  Adamax: (p) => new optim.Adamax(p),
  NAdam: (p) => new optim.NAdam(p),
  RAdam: (p) => new optim.RAdam(p),
  Lion: (p) => new optim.Lion(p),
  Adagrad: (p) => new optim.Adagrad(p),
  Adadelta: (p) => new optim.Adadelta(p),
  ASGD: (p) => new optim.ASGD(p),
  RMSprop: (p) => new optim.RMSprop(p, { centered: true, momentum: 0.9 }),
  Rprop: (p) => new optim.Rprop(p),
  Muon: (p) => new optim.Muon([...p].filter((t) => t.ndim === 2)),
  Adafactor: (p) => new optim.Adafactor(p),
};
/** LBFGS looks at the loss, and SparseAdam at which rows a gradient has: both are refused by name. */
const refused = ['LBFGS', 'SparseAdam'];

function model(): Sequential {
  manualSeed(3);
  return new Sequential(new Linear(3, 8), new Tanh(), new Linear(8, 2));
}

async function stepped(make: Make, device: string): Promise<unknown[]> {
  const net = model().to(device);
  const optimizer = make(net.parameters());
  const [x, y] = [randn([5, 3]), randn([5, 2])].map((t) => t.to(device)) as [Tensor, Tensor];
  for (let step = 0; step < 4; step++) {
    optimizer.zeroGrad();
    mseLoss(net(x), y).backward();
    optimizer.step();
  }
  return valuesOf(net);
}

const valuesOf = (net: Module): Promise<unknown[]> => Promise.all([...net.parameters()].map((p) => p.toArrayAsync()));

describe('optimizers on a device that cannot be read at once', () => {
  it.each(Object.keys(optimizers))('%s takes the steps that it takes on the host', async (name) => {
    const got = await stepped(optimizers[name]!, 'far');
    expect(got).toEqual(await stepped(optimizers[name]!, 'cpu'));
  });

  it('every optimizer is among them', () => {
    const all = Object.entries(optim)
      .filter(([, value]) => typeof value === 'function' && value.prototype instanceof optim.Optimizer)
      .map(([name]) => name);
    expect(all.filter((name) => !(name in optimizers) && !refused.includes(name))).toEqual([]);
  });

  it('their state is read and put back, and a scheduler moves the rate', async () => {
    const net = model().to('far');
    const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 });
    const scheduler = new optim.StepLR(optimizer, { stepSize: 1 });
    const x = randn([5, 3]).to('far');
    net(x).square().mean().backward();
    optimizer.step();
    scheduler.step();
    expect(optimizer.paramGroups[0]!.lr).toBeCloseTo(0.001);
    const other = new optim.Adam(net.parameters(), { lr: 0.01 });
    other.loadStateDict(optimizer.stateDict());
    const before = await valuesOf(net);
    optimizer.step();
    const want = await valuesOf(net);
    noGrad.run(() => {
      [...net.parameters()].forEach((p, i) => void p.copy_(tensor(before[i] as number[]).to('far')));
    });
    other.paramGroups[0]!.lr = optimizer.paramGroups[0]!.lr;
    other.step();
    expect(await valuesOf(net)).toEqual(want);
  });

  it('a moving average of parameters and one of a model are made there', async () => {
    const [there, here] = [model().to('far'), model()];
    const averages = [there, here].map((net) => new optim.AveragedModel(net));
    for (const [i, net] of [there, here].entries()) {
      averages[i]!.updateParameters(net);
      noGrad.run(() => {
        for (const p of net.parameters()) p.mul_(3);
      });
      averages[i]!.updateParameters(net);
    }
    expect(await valuesOf(averages[0]!)).toEqual(await valuesOf(averages[1]!));
  });
});

it('an in-place form whose operand is on the device too writes there', async () => {
  const [x, y] = [tensor([1, 2]).to('far'), tensor([3, 4]).to('far')];
  x.add_(y)
    .mul_(y)
    .sub_(y.narrow(0, 0, 1));
  expect(await x.toArrayAsync()).toEqual([9, 21]);
});

it('fit trains a model there, with the losses of the host', async () => {
  const losses: number[][] = [];
  for (const device of ['far', 'cpu']) {
    manualSeed(4);
    const net = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 1)).to(device);
    const batches = Array.from({ length: 3 }, () => [randn([4, 3]).to(device), randn([4, 1]).to(device)]);
    const { history } = await fit(net, {
      train: batches as [Tensor, Tensor][],
      epochs: 2,
      trainingStep: ([x, y]: [Tensor, Tensor]) => mseLoss(net(x), y),
      optimizer: new optim.SGD(net.parameters(), { lr: 0.1 }),
    });
    losses.push(history['loss']!);
  }
  expect(losses[0]!.length).toBeGreaterThan(0);
  expect(losses[0]).toEqual(losses[1]);
});

it('gradients of functions, for many inputs at once too, are made there', async () => {
  const f = (t: Tensor) => t.sin().mul(t).sum();
  const x = randn([4, 3]);
  const want = vmap(grad(f))(x) as Tensor;
  const got = vmap(grad(f))(x.to('far')) as Tensor;
  expect([got.device, await got.toArrayAsync()]).toEqual(['far', want.toArray()]);
});
