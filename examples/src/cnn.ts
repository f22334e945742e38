/** A convolutional network on MNIST: over 99% in a few epochs, with images moved about by a pixel or two. */
import { crossEntropy, manualSeed, noGrad, type Tensor } from '@gradgate/core';
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  data,
  Flatten,
  Linear,
  MaxPool2d,
  Module,
  optim,
  ReLU,
  Sequential,
} from '@gradgate/nn';
import { progress } from 'gradgate';
import { loadMnist } from './mnistData.js';
import { numbers } from './options.js';

const {
  epochs,
  images: most,
  seed,
  ...rest
} = numbers('node dist/cnn.js', { epochs: 4, images: 60000, seed: 0, 'batch-size': 64, lr: 0.004 });

class Net extends Module {
  readonly layers = new Sequential(
    ...[new Conv2d(1, 16, 3, { padding: 1 }), new BatchNorm2d(16), new ReLU(), new MaxPool2d(2)],
    ...[new Conv2d(16, 32, 3, { padding: 1 }), new BatchNorm2d(32), new ReLU(), new MaxPool2d(2)],
    ...[new Flatten(), new Dropout(0.25), new Linear(32 * 7 * 7, 10)],
  );

  override forward(images: Tensor): Tensor {
    return this.layers(images) as Tensor;
  }

  /** The share of images classified rightly, in batches: no graph, and the layers as in use. */
  @noGrad evaluate(batches: Iterable<readonly [Tensor, Tensor]>): number {
    this.eval();
    let [right, all] = [0, 0];
    for (const [images, labels] of batches) {
      right += this.forward(images).argmax(1).eq(labels).sum().item();
      all += labels.numel;
    }
    this.train();
    return right / all;
  }
}

const load = (part: 'train' | 'test', count: number) => {
  const { images, labels } = loadMnist(part);
  const n = Math.min(count, labels.numel);
  return new data.TensorDataset(images.reshape(-1, 1, 28, 28).narrow(0, 0, n), labels.narrow(0, 0, n));
};

const started = performance.now();
manualSeed(seed);
const pictures = load('train', most);
const train = new data.DataLoader(pictures, { batchSize: rest['batch-size'], shuffle: true });
const test = new data.DataLoader(load('test', 10000), { batchSize: 250 });
const net = new Net();
const optimizer = new optim.AdamW(net.parameters(), { lr: rest.lr, weightDecay: 0.01 });
const scheduler = new optim.OneCycleLR(optimizer, { maxLr: rest.lr, totalSteps: epochs * train.length });
const moved = data.transforms.randomCrop(28, { padding: 2 });

for (let epoch = 1; epoch <= epochs; epoch++) {
  const bar = progress(train, { title: `epoch ${epoch}/${epochs}`, unit: 'batches' });
  const epochStarted = performance.now();
  let [done, total] = [0, 0];
  for (const [images, labels] of bar) {
    optimizer.zeroGrad();
    const loss = crossEntropy(net(moved(images)), labels);
    loss.backward();
    optimizer.step();
    scheduler.step();
    done += labels.numel;
    total += loss.item() * labels.numel;
    bar.note({ loss: total / done });
  }
  const accuracy = net.evaluate(test);
  const seconds = ((performance.now() - epochStarted) / 1000).toFixed(1);
  console.log(
    `epoch ${epoch}/${epochs}: loss ${(total / done).toFixed(4)}, test accuracy ${(100 * accuracy).toFixed(2)}%, ${seconds} s`,
  );
}
console.log(`done in ${((performance.now() - started) / 1000).toFixed(1)} s`);
