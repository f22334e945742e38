/** Trains one network on MNIST as it is, and the same by a compiled step: equal losses, in less time. */
import { crossEntropy, manualSeed, randperm, type Tensor } from '@gradgate/core';
import { compile } from '@gradgate/core/compile';
import { Linear, optim, ReLU, Sequential } from '@gradgate/nn';
import { loadMnist } from './mnistData.js';
import { numbers } from './options.js';

const { epochs, seed, ...rest } = numbers('node examples/dist/compiled.js', {
  epochs: 2,
  'batch-size': 64,
  batches: 10_000,
  seed: 0,
});
const { images, labels } = loadMnist('train');

/** Trains a new network; gives the mean loss of the last epoch, and prints what each took. */
function train(name: string, isCompiled: boolean): number {
  manualSeed(seed);
  const model = new Sequential(new Linear(784, 128), new ReLU(), new Linear(128, 10));
  const optimizer = new optim.Adam(model.parameters());
  const run = (x: Tensor, y: Tensor): Tensor => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    return loss;
  };
  const step = isCompiled ? compile(run) : run;
  let mean = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const started = performance.now();
    // The last batch of an epoch is smaller: it gets a record of its own.
    const batches = randperm(images.size(0)).split(rest['batch-size']).slice(0, rest.batches);
    let total = 0;
    for (const batch of batches) total += step(images.indexSelect(0, batch), labels.indexSelect(0, batch)).item();
    mean = total / batches.length;
    const seconds = ((performance.now() - started) / 1000).toFixed(2);
    console.log(`${name}, epoch ${epoch}: loss ${mean.toFixed(4)}, ${seconds} s`);
  }
  return mean;
}

const losses = [train('as it is', false), train('compiled', true)] as const;
console.log(`the losses ${losses[0] === losses[1] ? 'are equal to the last bit' : `differ: ${losses.join(' and ')}`}`);
