// Compares ranks that call fit together, each with its part of the data, with one process that has all of it.
import { manualSeed, mseLoss, randn, setNumThreads } from '@gradgate/core';
import * as distributed from '@gradgate/distributed';
import { data, Linear, metrics, optim } from '@gradgate/nn';
import { fit } from '@gradgate/train';

await distributed.init({ timeout: 20_000 });
setNumThreads(1);
const [r, n] = [distributed.rank(), distributed.worldSize()];
manualSeed(3);
const x = randn([16, 3], { dtype: 'float64' });
const y = x.sum(1, { keepdim: true });
const model = new Linear(3, 1).to('float64');
const alone = model.clone();

async function train(callable, batch, sampler, options) {
  const error = new metrics.MeanAbsoluteError();
  const step = ([input, target]) => {
    const output = callable(input);
    error.update(output, target);
    return { loss: mseLoss(output, target), error };
  };
  const loader = () => new data.DataLoader(new data.TensorDataset(x, y), { batchSize: batch, sampler: sampler() });
  const optimizer = options.zero
    ? new distributed.ZeroRedundancyOptimizer(callable.parameters(), (params) => new optim.SGD(params, { lr: 0.3 }))
    : new optim.SGD(callable.parameters(), { lr: 0.3 });
  return fit(callable, {
    ...{ train: loader(), validation: loader(), optimizer, epochs: 3, clipGradNorm: 0.5, ranks: options.ranks },
    ...{ trainingStep: step, validationStep: step },
  });
}

const whole = await train(alone, 8, () => undefined, {});
const ddp = new distributed.DistributedDataParallel(model);
const sampler = () => new distributed.DistributedSampler({ length: 16 }, { shuffle: false });
const shared = await train(ddp, 8 / n, sampler, { zero: process.argv[2] === 'zero', ranks: distributed });
const difference = (name) =>
  Math.max(...shared.history[name].map((value, epoch) => Math.abs(value - whole.history[name][epoch])));
// Losses are means over the batch, so those of the steps differ only by rounding.
const worst = Math.max(...Object.keys(whole.history).map(difference));
const isMain = shared.isMain === (r === 0);
await distributed.destroy();
console.log(worst < 1e-12 && isMain ? 'right' : JSON.stringify({ worst, isMain, history: shared.history }));
