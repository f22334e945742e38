// Trains two epochs with a checkpoint in the middle of the second, and prints a digest of the final parameters. With `fails` a
// rank is killed after the checkpoint; with `resumes` training goes on from there.
import { createHash } from 'node:crypto';
import { crossEntropy, manualSeed, randint, randn } from '@gradgate/core';
import {
  DistributedDataParallel,
  DistributedSampler,
  destroy,
  init,
  onMain,
  rank,
  worldSize,
  ZeroRedundancyOptimizer,
} from '@gradgate/distributed';
import { data, Linear, loadCheckpoint, optim, ReLU, Sequential, saveCheckpoint } from '@gradgate/nn';

const [file, how] = process.argv.slice(2);
await init({ timeout: 20_000 });
manualSeed(1);
const dataset = new data.TensorDataset(randn([50, 8]), randint(0, 3, [50]));
manualSeed(how === 'resumes' ? 77 : 2);
const model = new Sequential(new Linear(8, 16), new ReLU(), new Linear(16, 3));
const ddp = new DistributedDataParallel(model);
const optimizer = new ZeroRedundancyOptimizer(ddp.parameters(), (params) => new optim.AdamW(params, { lr: 0.01 }));
const scheduler = new optim.StepLR(optimizer, { stepSize: 3, gamma: 0.9 });
const sampler = new DistributedSampler(dataset, { seed: 5 });
const loader = new data.DataLoader(dataset, { batchSize: 4, sampler });

let epoch = 0;
if (how === 'resumes') ({ epoch } = await loadCheckpoint(file, { model, optimizer, scheduler, loader, epoch }));
for (; epoch < 2; epoch++) {
  sampler.setEpoch(epoch);
  let batch = 0;
  for (const [x, y] of loader) {
    optimizer.zeroGrad();
    crossEntropy(ddp(x), y).backward();
    optim.clipGradNorm_(model.parameters(), 1);
    optimizer.step();
    scheduler.step();
    if (epoch !== 1 || ++batch !== 2 || how === 'resumes') continue;
    optimizer.consolidateStateDict();
    await onMain(() => saveCheckpoint(file, { model, optimizer, scheduler, loader, epoch }));
    if (how === 'fails' && rank() === worldSize() - 1) process.kill(process.pid, 'SIGKILL');
  }
}
const digest = createHash('sha256');
for (const p of model.parameters()) digest.update(JSON.stringify(p.toArray()));
console.log(digest.digest('hex').slice(0, 16));
await destroy();
