// Uses of data-parallel modules beyond plain training. Prints "right" if all results are correct.
import { deepStrictEqual as equal, ok, throws } from 'node:assert';
import { freezing, grad, manualSeed, noGrad, ones, randn, tensor } from '@gradgate/core';
import { checkpoint } from '@gradgate/core/checkpoint';
import {
  allGather,
  allReduce,
  convertSyncBatchNorm,
  DistributedDataParallel,
  DistributedSampler,
  destroy,
  init,
  newGroup,
  noSync,
  rank,
  SyncBatchNorm,
  worldSize,
  ZeroRedundancyOptimizer,
} from '@gradgate/distributed';
import { BatchNorm1d, data, evalMode, Linear, Module, optim, Parameter, Sequential, Tanh } from '@gradgate/nn';

await init({ timeout: 20_000 });
const [r, n] = [rank(), worldSize()];
const x = (seed, ...shape) => {
  manualSeed(seed);
  return randn(shape, { dtype: 'float64' });
};
const make = (...sizes) => {
  manualSeed(4);
  return new Sequential(...sizes.slice(1).flatMap((to, i) => [new Linear(sizes[i], to), new Tanh()])).to('float64');
};
const isSame = (a, b) => a.sub(b).abs().sum().item() < 1e-11;
/** Whether the gradients equal those of a process that has the batches of all ranks and the mean of their losses. */
function sameGradients(model, whole, lossOf) {
  whole.zeroGrad();
  for (let i = 0; i < n; i++) lossOf(whole, i).div(n).backward();
  const others = [...whole.parameters()];
  [...model.parameters()].forEach((p, i) => {
    equal(p.grad === null, others[i].grad === null);
    if (p.grad) ok(isSame(p.grad, others[i].grad), `gradient ${i}`);
  });
}
const square = (model, i, seed = 7) =>
  model(x(seed + 10 * i, 5, 3))
    .square()
    .mean();

{
  // Buckets in kernel memory: steps equal those of one process, and gradients outlive the module.
  const wide = () => {
    manualSeed(4);
    return new Sequential(new Linear(37, 61), new Tanh(), new Linear(61, 45, { bias: false }));
  };
  const input = (i) => x(50 + i, 6, 37).float();
  let [net, whole] = [wide(), wide()];
  const kept = [];
  // The last module's gradients come after the other two modules have finished.
  for (const bucketBytes of [1000, 1e6, 2000]) {
    const ddp = new DistributedDataParallel(net, { bucketBytes });
    const optimizers = [net, whole].map((m) => new optim.AdamW(m.parameters(), { lr: 1e-3 }));
    for (let step = 0; step < 3; step++) {
      for (const o of optimizers) o.zeroGrad({ setToNull: step !== 1 });
      ddp(input(r)).square().mean().backward();
      for (let i = 0; i < n; i++) whole(input(i)).square().mean().div(n).backward();
      const others = [...whole.parameters()];
      for (const [i, { grad }] of [...net.parameters()].entries()) {
        const most = others[i].grad.abs().max().item();
        ok(grad.sub(others[i].grad).abs().max().item() <= 1e-5 * most, `gradient ${i} in step ${step}`);
      }
      for (const o of optimizers) o.step();
    }
    kept.push([net[0].weight.grad, net[0].weight.grad.clone()]);
    [net, whole] = [wide(), wide()];
  }
  for (const [grad, copy] of kept.slice(0, 2)) equal(grad.toArray(), copy.toArray());
}
{
  // A step makes no more garbage than one whose gradients are not sent; else each step would cause a collection.
  const net = new Sequential(new Linear(512, 512), new Linear(512, 4));
  const ddp = new DistributedDataParallel(net, { bucketBytes: 5e5 });
  const step = () => {
    net.zeroGrad();
    ddp(ones([4, 512]))
      .square()
      .mean()
      .backward();
  };
  const bytesOf = (run) => {
    const { allocUnsafeSlow } = Buffer;
    let bytes = 0;
    Buffer.allocUnsafeSlow = (size) => {
      bytes += size;
      return allocUnsafeSlow(size);
    };
    try {
      run();
    } finally {
      Buffer.allocUnsafeSlow = allocUnsafeSlow;
    }
    return bytes;
  };
  for (let i = 0; i < 3; i++) step();
  const [sent, alone] = [bytesOf(step), bytesOf(() => noSync.run(step))];
  ok(sent < alone + 1e5, `a step takes ${sent} bytes, and ${alone} under noSync`);
}
if (n > 1) {
  // Gradients are sent during the backward pass: the last layer's have been summed when the first layer's are computed.
  const net = make(3, 8, 2);
  const ddp = new DistributedDataParallel(net, { bucketBytes: 64 });
  const { weight } = net[2];
  const alone = Array.from({ length: n }, (_, i) => {
    const same = make(3, 8, 2);
    square(same, i).backward();
    return same[2].weight.grad;
  });
  const sum = alone.reduce((a, b) => a.add(b));
  let passes = 0;
  net[0].weight.registerPostAccumulateGradHook(() => {
    const started = Date.now();
    while (!isSame(weight.grad, sum) && Date.now() - started < 10_000) {}
    ok(isSame(weight.grad, sum), 'the last layer is not sent before the pass ends');
    passes++;
  });
  for (let pass = 0; pass < 2; pass++) {
    net.zeroGrad();
    square(ddp, r).backward();
  }
  equal(passes, 2);
}
{
  // A pass that fails on all ranks after some buckets were sent leaves nothing behind, with or without another forward pass.
  const [net, whole] = [make(3, 8, 8, 2), make(3, 8, 8, 2)];
  const ddp = new DistributedDataParallel(net, { bucketBytes: 64 });
  let fails = true;
  const hook = net[0].weight.registerHook(() => {
    if (fails) throw new Error('on purpose');
  });
  const loss = square(ddp, r);
  throws(() => loss.backward({ retainGraph: true }), /on purpose/);
  fails = false;
  net.zeroGrad();
  loss.backward({ retainGraph: true });
  sameGradients(net, whole, square);
  // Two passes through one graph add up, and so do two losses.
  loss.backward();
  square(ddp, r, 8).backward();
  sameGradients(net, whole, (m, i) =>
    square(m, i)
      .mul(2)
      .add(square(m, i, 8)),
  );
  // A gradient that is zeroed in place stays in its bucket.
  net.zeroGrad({ setToNull: false });
  square(ddp, r).backward();
  sameGradients(net, whole, square);
  hook.remove();
  // Frozen, then trainable again.
  for (const frozen of [true, false]) {
    for (const model of [net, whole]) model[0].requiresGrad_(!frozen);
    net.zeroGrad();
    square(ddp, r).backward();
    sameGradients(net, whole, square);
  }
  // In evaluation, under noGrad and with one rank, nothing is sent.
  if (r === 0) {
    ddp.eval();
    noGrad.run(() => ddp(x(1, 2, 3)));
    ddp.train();
    noGrad.run(() => ddp(x(1, 2, 3)));
    evalMode.run(() => ddp(x(1, 2, 3)));
  }
  throws(() => ddp.clone(), /DistributedDataParallel: clone ddp\.module/);
  throws(() => new DistributedDataParallel(make(3, 2).half()), /0\.weight is float16; use module\.float\(\)/);
  throws(() => new DistributedDataParallel(make(3, 2), { bucketSize: 3 }), /there is no option 'bucketSize'/);
  throws(
    () => new DistributedDataParallel(make(3, 2).requiresGrad_(false)),
    /no parameter of the module requires grad/,
  );
  throws(() => new DistributedDataParallel({}), /DistributedDataParallel: module must be a Module, got an object/);
}
{
  // Frozen in one flow while another one is between its passes: all ranks have the same gradients, accumulated ones too.
  const [net, whole] = [make(3, 8, 8, 2), make(3, 8, 8, 2)];
  const ddp = freezing(net[0]).run(() => new DistributedDataParallel(net, { bucketBytes: 64 }));
  const loss = square(ddp, r);
  freezing(net[0]).run(() => square(ddp, r, 8).backward());
  ok(net[0].weight.grad === null && net[2].weight.grad !== null);
  loss.backward();
  for (let i = 0; i < n; i++) square(whole, i).div(n).backward();
  ok(isSame(net[0].weight.grad, whole[0].weight.grad), 'the gradient of what another flow has frozen');
  noSync.run(() => freezing(net[2]).run(() => square(ddp, r, 9).backward()));
  square(ddp, r, 6).backward();
  const frozen = (m, part, i, seed) => freezing(m[part]).run(() => square(m, i, seed));
  whole.zeroGrad();
  for (let i = 0; i < n; i++) {
    frozen(whole, 0, i, 8).div(n).backward();
    freezing(whole[2]).run(() => square(whole, i, 9).div(n).backward());
    square(whole, i)
      .add(square(whole, i, 6))
      .div(n)
      .backward();
  }
  const others = [...whole.parameters()];
  [...net.parameters()].forEach((p, i) => {
    ok(isSame(p.grad, others[i].grad), `frozen: gradient ${i}`);
  });
  const made = freezing(net).run(() => convertSyncBatchNorm(new Sequential(new BatchNorm1d(3))));
  ok([...made.parameters()].every((p) => p.requiresGrad));
}
{
  // The order of gradients changes from pass to pass, and some are missing.
  class Branches extends Module {
    a = make(3, 4);
    b = make(3, 4);
    forward(input, which) {
      return which === 0
        ? this.a(this.b(input).narrow(1, 0, 3))
        : which === 1
          ? this.b(this.a(input).narrow(1, 0, 3))
          : this.a(input);
    }
  }
  const [net, whole] = [new Branches(), new Branches()];
  const ddp = new DistributedDataParallel(net, { bucketBytes: 64 });
  for (const which of [0, 1, 2, 0]) {
    net.zeroGrad();
    const lossOf = (m, i) =>
      m(x(i, 5, 3), which)
        .square()
        .mean();
    lossOf(ddp, r).backward();
    sameGradients(net, whole, lossOf);
  }
  // Each rank takes another branch: parameters that no rank reached get no gradient.
  net.zeroGrad();
  const lossOf = (m, i) =>
    m(x(i, 5, 3), i % 2)
      .square()
      .mean();
  lossOf(ddp, r).backward();
  sameGradients(net, whole, lossOf);
}
{
  // A layer used twice, with nested passes too.
  class Tied extends Module {
    first = new Linear(3, 3).to('float64');
    again = this.first;
    last = new Linear(3, 3).to('float64');
    forward(input) {
      return this.last(checkpoint((t) => this.again(t).tanh(), this.first(input).tanh()));
    }
  }
  manualSeed(2);
  const net = new Tied();
  manualSeed(2);
  const whole = new Tied();
  const ddp = new DistributedDataParallel(net, { overlap: false });
  square(ddp, r).backward();
  sameGradients(net, whole, square);
}
{
  // An empty parameter, one that is used twice, and one that only some ranks reach.
  class Odd extends Module {
    none = new Parameter(x(1, 0, 2));
    twice = new Parameter(x(2, 3));
    some = new Parameter(x(3, 3));
    forward(input, i) {
      const y = input.mul(this.twice).mul(this.twice.exp()).sum().add(this.none.sum());
      return i === 0 ? y.add(this.some.sum()) : y;
    }
  }
  const [net, whole] = [new Odd(), new Odd()];
  const ddp = new DistributedDataParallel(net);
  const lossOf = (m, i) => m(x(i, 5, 3), i);
  lossOf(ddp, r).backward();
  sameGradients(net, whole, lossOf);
  if (n > 1)
    throws(
      () => lossOf(ddp, r).backward({ createGraph: true }),
      /DistributedDataParallel: backward\(\{ createGraph: true \}\) makes gradients that require grad, which cannot be sent/,
    );
  // A gradient penalty, whose gradients are sent like any others.
  const penalized = (m, i) => {
    const input = x(i, 5, 3).requiresGrad_(true);
    const [g] = grad(m(input, 0), [input], { createGraph: true });
    return g.square().sum();
  };
  net.zeroGrad();
  penalized(ddp, r).backward();
  sameGradients(net, whole, penalized);
}
{
  // noSync in all forms of a gate. What counts is where backward() is called, in each flow separately.
  const net = make(3, 2);
  const ddp = new DistributedDataParallel(net);
  const own = [...net.parameters()][0];
  const pass = () => square(ddp, r).backward();
  const isSent = (run) => {
    net.zeroGrad();
    run();
    return allGather(own.grad).every((g) => g.equal(own.grad));
  };
  const alone = n === 1;
  equal(isSent(pass), true);
  equal(
    isSent(() => noSync.run(pass)),
    alone,
  );
  equal(isSent(noSync.wrap(pass)), alone);
  equal(isSent(noSync(() => true).wrap(pass)), alone);
  equal(isSent(noSync(() => false).wrap(pass)), true);
  equal(
    isSent(() => {
      const scope = noSync.enter();
      pass();
      scope[Symbol.dispose]();
    }),
    alone,
  );
  const steps = noSync.wrap(function* () {
    pass();
    yield;
    pass();
  })();
  equal(
    isSent(() => steps.next()),
    alone,
  );
  equal(isSent(pass), true);
  equal(
    isSent(() => steps.next()),
    alone,
  );
  // Two interleaved flows: one sends, the other does not.
  const turns = [];
  const flow = async (name) => {
    for (let i = 0; i < 3; i++) {
      turns.push([name, isSent(pass)]);
      await null;
    }
  };
  await Promise.all([noSync.run(() => flow('kept')), flow('sent')]);
  equal(
    turns,
    Array.from({ length: 3 }, () => [
      ['kept', alone],
      ['sent', true],
    ]).flat(),
  );
}
{
  // Two models in one pass, with noSync and without; and groups.
  const [g, d] = [make(3, 3), make(3, 2)];
  const [wholeG, wholeD] = [make(3, 3), make(3, 2)];
  const [dg, dd] = [new DistributedDataParallel(g), new DistributedDataParallel(d)];
  noSync.run(() =>
    dd(dg(x(r, 4, 3)))
      .square()
      .mean()
      .backward(),
  );
  dd(dg(x(r + 50, 4, 3)))
    .square()
    .mean()
    .backward();
  wholeD.zeroGrad();
  sameGradients(g, wholeG, (m, i) =>
    wholeD(m(x(i, 4, 3)))
      .square()
      .mean()
      .add(
        wholeD(m(x(i + 50, 4, 3)))
          .square()
          .mean(),
      ),
  );
  [...d.parameters()].forEach((p, i) => {
    ok(isSame(p.grad, [...wholeD.parameters()][i].grad));
  });
  const half = newGroup([0]);
  if (half.rank === 0)
    new DistributedDataParallel(make(3, 2), { group: half })(x(1, 2, 3))
      .sum()
      .backward();
  else throws(() => new DistributedDataParallel(make(3, 2), { group: half }), /does not belong to the group/);
}
{
  // Batch norm layers anywhere in the model are converted once each; state names are PyTorch's.
  const shared = new BatchNorm1d(3);
  class Net extends Module {
    list = [new BatchNorm1d(2), { inner: shared }];
    map = new Map([['a', new BatchNorm1d(2)]]);
    set = new Set([shared, new Linear(2, 2)]);
    row = new Sequential(new Linear(3, 3), shared);
    alone = shared;
  }
  const net = new Net();
  const names = Object.keys(net.stateDict());
  convertSyncBatchNorm(net);
  ok(![...net.modules()].some((m) => m instanceof BatchNorm1d));
  equal([...net.modules()].filter((m) => m instanceof SyncBatchNorm).length, 3);
  ok(net.alone === net.row[1] && net.set.has(net.alone) && net.list[1].inner === net.alone);
  equal(Object.keys(net.stateDict()), names);
  ok(names.includes('row.1.running_mean'));
  const copy = net.alone.eval().clone();
  ok(copy instanceof SyncBatchNorm && copy.weight !== net.alone.weight && !copy.training);
  equal(copy.stateDict().running_var.toArray(), [1, 1, 1]);
  throws(
    () => net.alone(x(1, 4, 4)),
    /SyncBatchNorm: takes \[N, 3, \.\.\.\] of 2 or 3 or 4 or 5 dimensions, got \[4, 4\]/,
  );
  throws(() => net.alone(null), /SyncBatchNorm: expected a Tensor, got null/);
  throws(() => convertSyncBatchNorm(5), /convertSyncBatchNorm: module must be a Module, got 5/);
}
{
  // Clipping and ZeRO follow the path of one process; the state equals that of the plain optimizer, for any number of ranks.
  const [net, whole] = [make(3, 6, 6, 2), make(3, 6, 6, 2)];
  const ddp = new DistributedDataParallel(net);
  const adam = (params) =>
    new optim.AdamW(
      [1, 2].map((dims) => ({ params: params.filter((p) => p.ndim === dims), weightDecay: dims === 1 ? 0 : 0.1 })),
      { lr: 0.05 },
    );
  let zero = new ZeroRedundancyOptimizer(ddp.parameters(), adam);
  let alone = adam([...whole.parameters()]);
  let scheduler = new optim.StepLR(zero, { stepSize: 2, gamma: 0.5 });
  let schedulerAlone = new optim.StepLR(alone, { stepSize: 2, gamma: 0.5 });
  for (let step = 0; step < 8; step++) {
    zero.zeroGrad();
    square(ddp, r, step).backward();
    sameGradients(net, whole, (m, i) => square(m, i, step));
    const norms = [net, whole].map((m) => optim.clipGradNorm_(m.parameters(), 0.01));
    ok(Math.abs(norms[0] - norms[1]) < 1e-12);
    equal(
      [...allGather(tensor([norms[0]], { dtype: 'float64' }))].map((t) => t.item()),
      Array(n).fill(norms[0]),
    );
    zero.step();
    alone.step();
    scheduler.step();
    schedulerAlone.step();
    [...net.parameters()].forEach((p, i) => {
      ok(isSame(p, [...whole.parameters()][i]), `step ${step}`);
    });
    if (step === 3) {
      // Gathered on each rank in turn, and loaded by new optimizers, in both directions.
      for (let to = 0; to < n; to++) zero.consolidateStateDict(to);
      const states = { zero: zero.stateDict(), alone: alone.stateDict() };
      equal(states.zero.param_groups, states.alone.param_groups);
      equal(Object.keys(states.zero.state), Object.keys(states.alone.state));
      zero = new ZeroRedundancyOptimizer(ddp.parameters(), adam);
      zero.loadStateDict(states.alone);
      alone = adam([...whole.parameters()]);
      alone.loadStateDict(states.zero);
      const at = scheduler.stateDict();
      scheduler = new optim.StepLR(zero, { stepSize: 2, gamma: 0.5 });
      schedulerAlone = new optim.StepLR(alone, { stepSize: 2, gamma: 0.5 });
      scheduler.loadStateDict(at);
      schedulerAlone.loadStateDict(at);
    }
  }
  const share = zero.stateDict();
  zero.loadStateDict(share);
  if (n > 1) {
    throws(
      () => zero.loadStateDict({ ...share, rank: (r + 1) % n }),
      /the state is the share of rank \d of \d.*call consolidateStateDict/,
    );
    const kept = allReduce(tensor([Object.keys(share.state).length])).item();
    equal(kept, [...net.parameters()].length);
  }
  throws(
    () => zero.loadStateDict(null),
    /ZeroRedundancyOptimizer\.loadStateDict: takes a state from stateDict\(\), got null/,
  );
  throws(() => new ZeroRedundancyOptimizer([tensor([1])], () => ({})), /make must return an optimizer, got an object/);
}
{
  // Samples: each one on some rank, in another order each epoch, resumed in the middle.
  const dataset = new data.TensorDataset(tensor([...Array(10).keys()]));
  const sampler = new DistributedSampler(dataset, { seed: 3 });
  sampler.setEpoch(1);
  const first = [...sampler];
  equal(first.length, Math.ceil(10 / n));
  const all = allGather(tensor(first)).flatMap((t) => t.toArray());
  equal(new Set(all).size, 10);
  sampler.setEpoch(2);
  ok([...sampler].join() !== first.join());
  sampler.setEpoch(1);
  const loop = sampler[Symbol.iterator]();
  loop.next();
  const state = sampler.stateDict();
  const other = new DistributedSampler(dataset, { seed: 3 });
  other.loadStateDict(state);
  equal([...other], first.slice(1));
  equal(new DistributedSampler(dataset, { shuffle: false, dropLast: true }).length, Math.floor(10 / n));
  // With a loader all ranks take equally many steps with batches of equal lengths; the last ones are shorter on all ranks.
  for (const [size, options] of [
    [10, {}],
    [10, { dropLast: true }],
    [1, {}],
    [4 * n + 1, { shuffle: false }],
  ]) {
    const values = new data.TensorDataset(tensor([...Array(size).keys()]));
    const loader = new data.DataLoader(values, { batchSize: 2, sampler: new DistributedSampler(values, options) });
    const batches = [...loader].map(([t]) => t.toArray());
    const lengths = allGather(tensor(batches.map((b) => b.length))).map((t) => t.toArray());
    ok(lengths.every((l) => l.join() === lengths[0].join()));
    const count = options.dropLast ? Math.floor(size / n) : Math.ceil(size / n);
    equal(batches.flat().length, count);
    const seen = allGather(tensor(batches.flat())).flatMap((t) => t.toArray());
    // As in PyTorch, the order is extended by samples from its beginning.
    equal(new Set(seen).size, options.dropLast ? count * n : size);
    if (options.shuffle === false && n > 1) equal([...seen].sort((a, b) => a - b)[1], 0);
  }
  throws(() => new DistributedSampler(3), /dataset must be a dataset, or anything else with a length, got 3/);
  throws(() => sampler.setEpoch(-1), /the epoch must be a whole number from 0 up, got -1/);
}
await destroy();
console.log('right');
