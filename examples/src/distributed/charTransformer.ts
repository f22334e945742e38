/**
 * The character-level transformer, trained by several processes that share out each batch and the optimizer's memory:
 *
 *   npx gradgate launch -n 2 examples/dist/distributed/charTransformer.js --steps 200
 */
import { crossEntropy, Generator, manualSeed, tensor } from '@gradgate/core';
import {
  allReduce,
  DistributedDataParallel,
  destroy,
  init,
  onMain,
  rank,
  worldSize,
  ZeroRedundancyOptimizer,
} from '@gradgate/distributed';
import { optim } from '@gradgate/nn';
import { alphabet, CharTransformer, draw } from '../charModel.js';
import { numbers } from '../options.js';

const { steps, seed, ...rest } = numbers('gradgate launch -n 2 dist/distributed/charTransformer.js', {
  ...{ steps: 500, context: 64, width: 64, heads: 4, layers: 2, sample: 200, seed: 0 },
  ...{ 'batch-size': 32, lr: 0.003, temperature: 0.8 },
});
await init({ timeout: 120_000 });
manualSeed(seed);
const model = new CharTransformer(rest);
const ddp = new DistributedDataParallel(model);
const optimizer = new ZeroRedundancyOptimizer(ddp.parameters(), (params) => new optim.AdamW(params, { lr: rest.lr }));
const scheduler = new optim.OneCycleLR(optimizer, { maxLr: rest.lr, totalSteps: steps, pctStart: 0.1 });
// Windows of its own in each rank; the batch is that of all ranks together.
const generator = new Generator(seed + rank());
const batch = Math.max(1, Math.round(rest['batch-size'] / worldSize()));

let smooth = Math.log(alphabet.length);
for (let step = 1; step <= steps; step++) {
  const [x, y] = draw(batch, rest.context, generator);
  optimizer.zeroGrad();
  const loss = crossEntropy(ddp(x).flatten(0, 1), y.flatten());
  loss.backward();
  optim.clipGradNorm_(model.parameters(), 1);
  optimizer.step();
  scheduler.step();
  smooth += 0.05 * (loss.item() - smooth);
}
const mean = allReduce(tensor([smooth]), { op: 'mean' }).item();
await onMain(async () => {
  console.log(
    `${worldSize()} ranks: loss ${Math.log(alphabet.length).toFixed(3)} of chance, ${mean.toFixed(3)} after ${steps} steps`,
  );
  let count = 0;
  let written = '';
  for await (const character of model.write('\n', rest.temperature, new Generator(seed))) {
    written += character;
    if (++count === rest.sample) break;
  }
  console.log(written);
});
await destroy();
