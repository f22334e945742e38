/**
 * The network of mnist.ts, trained by several processes, each with its share of the images:
 *
 *   npx gradgate launch -n 2 examples/dist/distributed/mnist.js --epochs 2
 *
 * By itself it is one process that does the same.
 */
import { crossEntropy, evaluating, manualSeed, type Tensor, tensor } from '@gradgate/core';
import {
  allGather,
  allReduce,
  DistributedDataParallel,
  DistributedSampler,
  destroy,
  init,
  onMain,
  rank,
  worldSize,
} from '@gradgate/distributed';
import { data, Linear, Module, optim } from '@gradgate/nn';
import { loadMnist } from '../mnistData.js';
import { numbers } from '../options.js';

const {
  epochs,
  images: most,
  seed,
  lr,
  ...rest
} = numbers('gradgate launch -n 2 dist/distributed/mnist.js', {
  ...{ epochs: 2, images: 60000, 'batch-size': 64, lr: 0.001, seed: 0 },
});

class Classifier extends Module {
  hidden = new Linear(784, 128);
  output = new Linear(128, 10);

  override forward(images: Tensor): Tensor {
    return this.output(this.hidden(images).relu());
  }

  /** How many images of a share are classified rightly. */
  @evaluating right(images: Tensor, labels: Tensor): number {
    return this.forward(images).argmax(1).eq(labels).float().sum().item();
  }
}

await init({ timeout: 60_000 });
manualSeed(seed);
const model = new Classifier();
const ddp = new DistributedDataParallel(model);
const optimizer = new optim.Adam(model.parameters(), { lr });
const train = loadMnist('train');
const test = loadMnist('test');
const images = train.images.narrow(0, 0, Math.min(most, train.images.size(0)));
const sampler = new DistributedSampler({ length: images.size(0) }, { seed });
// The batch is that of all ranks together.
const batches = new data.BatchSampler(sampler, Math.max(1, Math.round(rest['batch-size'] / worldSize())));
await onMain(() => console.log(`${images.size(0)} images for ${worldSize()} ranks, ${sampler.length} each`));

for (let epoch = 1; epoch <= epochs; epoch++) {
  sampler.setEpoch(epoch);
  let total = 0;
  for (const indices of batches) {
    const batch = tensor(Int32Array.from(indices));
    optimizer.zeroGrad();
    const loss = crossEntropy(ddp(images.indexSelect(0, batch)), train.labels.indexSelect(0, batch));
    loss.backward();
    optimizer.step();
    total += loss.item() * indices.length;
  }
  // Each rank looks at its share of the images to test with.
  const share = Math.floor(test.images.size(0) / worldSize());
  const right = model.right(test.images.narrow(0, rank() * share, share), test.labels.narrow(0, rank() * share, share));
  const sums = allReduce(tensor([total / sampler.length / worldSize(), right / share / worldSize()]));
  const [loss, accuracy] = sums.toTypedArray() as Float32Array;
  await onMain(() =>
    console.log(`epoch ${epoch}/${epochs}: loss ${loss!.toFixed(4)}, test accuracy ${(100 * accuracy!).toFixed(2)}%`),
  );
}
const weights = allGather(model.hidden.weight.detach());
await onMain(() => console.log(`ranks are equal: ${weights.every((w) => w.equal(weights[0]!))}`));
await destroy();
