/** Trains the network that reads digits and writes it to `public/digits.bin`. Build the packages first. */
import { writeFileSync } from 'node:fs';
import { crossEntropy, manualSeed, noGrad, randperm } from '@gradgate/core';
import { Linear, Module, optim } from '@gradgate/nn';
import { loadMnist } from './mnist.mjs';
import { quantize } from './quantize.mjs';

const epochs = 12;
const batchSize = 64;

class Digits extends Module {
  hidden = new Linear(784, 32);
  output = new Linear(32, 10);
  forward(images) {
    return this.output(this.hidden(images).relu());
  }
}

manualSeed(1);
const train = loadMnist('train');
const test = loadMnist('t10k');
const count = train.images.size(0);
const model = new Digits();
// Small weights lose less when they are rounded.
const optimizer = new optim.AdamW(model.parameters(), { lr: 2e-3, weightDecay: 0.05 });
const scheduler = new optim.CosineAnnealingLR(optimizer, { tMax: epochs });
const accuracy = noGrad.wrap(() => model(test.images).argmax(1).eq(test.labels).float().mean().item());

for (let epoch = 1; epoch <= epochs; epoch++) {
  const order = randperm(count);
  for (let start = 0; start < count; start += batchSize) {
    const batch = order.narrow(0, start, Math.min(batchSize, count - start));
    optimizer.zeroGrad();
    crossEntropy(model(train.images.indexSelect(0, batch)), train.labels.indexSelect(0, batch)).backward();
    optimizer.step();
  }
  scheduler.step();
  console.log(`epoch ${epoch}/${epochs}: test accuracy ${(100 * accuracy()).toFixed(2)}%`);
}

const file = new URL('../public/digits.bin', import.meta.url);
const bytes = Buffer.concat([quantize(model.hidden), quantize(model.output)]);
writeFileSync(file, bytes);
console.log(`public/digits.bin: ${bytes.length} bytes`);
