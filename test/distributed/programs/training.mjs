// Compares ranks that train together with one process that has the whole batch. Prints figures as JSON.
import { crossEntropy, manualSeed, randint, randn, setNumThreads } from '@gradgate/core';
import {
  allGather,
  convertSyncBatchNorm,
  DistributedDataParallel,
  destroy,
  init,
  noSync,
  rank,
  worldSize,
  ZeroRedundancyOptimizer,
} from '@gradgate/distributed';
import { BatchNorm1d, Linear, Module, optim } from '@gradgate/nn';

await init({ timeout: 20_000 });
setNumThreads(1);
const [r, n] = [rank(), worldSize()];
const zero = process.argv[2] === 'zero';

class Net extends Module {
  a = new Linear(10, 32);
  norm = new BatchNorm1d(32);
  unused = new Linear(3, 3);
  b = new Linear(32, 32);
  c = new Linear(32, 4);
  forward(x) {
    return this.c(this.b(this.norm(this.a(x)).tanh()).tanh());
  }
}
manualSeed(3);
const whole = new Net().to('float64');
// Each rank starts with other values; rank 0's are broadcast.
manualSeed(3 + r);
const net = convertSyncBatchNorm(new Net().to('float64'));
const ddp = new DistributedDataParallel(net, { bucketBytes: 4000 });
const make = (params) => new optim.SGD(params, { lr: 0.1, momentum: 0.9 });
const optimizer = zero ? new ZeroRedundancyOptimizer(ddp.parameters(), make) : make(ddp.parameters());
const other = make(whole.parameters());

manualSeed(5);
for (let step = 0; step < 20; step++) {
  const [x, y] = [randn([48, 10], { dtype: 'float64' }), randint(0, 4, [48])];
  const halves = 2;
  const each = 48 / n / halves;
  optimizer.zeroGrad();
  // Batch norm has the statistics of half batches, on all ranks and in the single process.
  for (let half = 0; half < halves; half++) {
    const at = half * 24 + r * each;
    noSync(() => half === 0).run(() =>
      crossEntropy(ddp(x.narrow(0, at, each)), y.narrow(0, at, each))
        .div(halves)
        .backward(),
    );
  }
  optimizer.step();
  other.zeroGrad();
  for (let half = 0; half < halves; half++)
    crossEntropy(whole(x.narrow(0, half * 24, 24)), y.narrow(0, half * 24, 24))
      .div(halves)
      .backward();
  other.step();
}
let worst = 0;
const reference = whole.stateDict();
for (const [name, t] of Object.entries(net.stateDict()))
  worst = Math.max(worst, t.double().sub(reference[name].double()).abs().max().item());
let equal = true;
for (const p of net.parameters()) for (const q of allGather(p.detach())) equal &&= q.equal(p);
const kept = zero ? Object.keys(optimizer.stateDict().state).length : null;
console.log(JSON.stringify({ rank: r, size: n, worst, equal, unused: net.unused.weight.grad === null, kept }));
await destroy();
