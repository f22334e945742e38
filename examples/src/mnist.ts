/** Trains a small network on all of MNIST, and evaluates it by methods that record no gradients. */
import { crossEntropy, manualSeed, noGrad, randperm, type Tensor } from '@gradgate/core';
import { Linear, Module, optim } from '@gradgate/nn';
import { progress } from 'gradgate';
import { loadMnist } from './mnistData.js';
import { numbers } from './options.js';

const { epochs, seed, lr, ...rest } = numbers('npm start --', { epochs: 4, 'batch-size': 64, lr: 0.001, seed: 0 });
const batchSize = rest['batch-size'];

/** While true, `features` records no gradients: only what comes after it would learn. */
let frozen = false;

class Classifier extends Module {
  hidden = new Linear(784, 128);
  output = new Linear(128, 10);

  @noGrad(() => frozen) features(images: Tensor): Tensor {
    return this.hidden(images).relu();
  }

  override forward(images: Tensor): Tensor {
    return this.output(this.features(images));
  }

  /** The class of each image. */
  @noGrad classify(images: Tensor): Tensor {
    return this.forward(images).argmax(1);
  }

  /** The share of images classified rightly. */
  @noGrad evaluate(images: Tensor, labels: Tensor): number {
    return this.classify(images).eq(labels).float().mean().item();
  }
}

const started = performance.now();
manualSeed(seed);
const train = loadMnist('train');
const test = loadMnist('test');
const count = train.images.size(0);
const model = new Classifier();
const optimizer = new optim.Adam(model.parameters(), { lr });

const parameters = [...model.parameters()].reduce((n, p) => n + p.numel, 0);
console.log(`${count} images to train with, ${test.images.size(0)} to test with; ${parameters} parameters`);
for (let epoch = 1; epoch <= epochs; epoch++) {
  const bar = progress(randperm(count).split(batchSize), { title: `epoch ${epoch}/${epochs}`, unit: 'batches' });
  const epochStarted = performance.now();
  let [done, total] = [0, 0];
  model.train();
  for (const batch of bar) {
    const images = train.images.indexSelect(0, batch);
    const labels = train.labels.indexSelect(0, batch);

    optimizer.zeroGrad();
    const loss = crossEntropy(model(images), labels);
    loss.backward();
    optimizer.step();

    done += labels.numel;
    total += loss.item() * labels.numel;
    bar.note({ loss: total / done });
  }
  model.eval();
  const accuracy = model.evaluate(test.images, test.labels);
  const seconds = ((performance.now() - epochStarted) / 1000).toFixed(1);
  console.log(
    `epoch ${epoch}/${epochs}: loss ${(total / count).toFixed(4)}, test accuracy ${(100 * accuracy).toFixed(2)}%, ${seconds} s`,
  );
}

const some = test.images.narrow(0, 0, 100);
const graphOf = (t: Tensor) => (t.gradFn ? `graph of ${t.gradFn.name}` : 'no graph');
console.log(
  `\nforward() recorded a ${graphOf(model(some))}; classify() under @noGrad recorded ${graphOf(model.classify(some))}`,
);
for (frozen of [false, true]) {
  const hidden = model.features(some);
  console.log(`features() under @noGrad(() => frozen), frozen = ${frozen}: ${graphOf(hidden)}`);
}
console.log(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
