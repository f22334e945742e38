import { manualSeed, mseLoss, packTensor, rand, type Tensor } from '@gradgate/core';
import { data, Linear, Module, optim } from '@gradgate/nn';
import { fit } from '@gradgate/train';
import type { Message } from './messages.js';

const tell = (message: Message) => postMessage(message);
const controller = new AbortController();
// The only thing that the page says: stop.
addEventListener('message', () => controller.abort());

class Line extends Module {
  layer = new Linear(1, 1);
  override forward(x: Tensor): Tensor {
    return this.layer(x);
  }
  trainingStep([x, y]: readonly [Tensor, Tensor]) {
    return mseLoss(this.forward(x), y);
  }
}

manualSeed(0);
const x = rand([256, 1]);
const model = new Line();
await fit(model, {
  train: new data.DataLoader(new data.TensorDataset(x, x.mul(2).add(1)), { batchSize: 32, shuffle: true }),
  optimizer: new optim.Adam(model.parameters(), { lr: 0.1 }),
  epochs: 40,
  callbacks: [{ onEpochEnd: ({ epoch, figures }) => tell({ kind: 'epoch', epoch, loss: figures['loss']! }) }],
  signal: controller.signal,
}).catch((reason) => {
  if (!controller.signal.aborted) throw reason;
});
tell({ kind: 'done', weight: packTensor(model.layer.weight), bias: packTensor(model.layer.bias!) });
