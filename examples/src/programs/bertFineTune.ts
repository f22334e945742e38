// Tells whether a review is kind, by a BERT that is given: node examples/dist/programs/bertFineTune.js
import { readFileSync } from 'node:fs';
import { crossEntropy, evaluating, manualSeed, noGrad, type Tensor, tensor } from '@gradgate/core';
import { data, Linear, Module, metrics, optim } from '@gradgate/nn';
import { EarlyStopping, fit, ProgressLine } from '@gradgate/train';
import { parse } from 'csv-parse/sync';
import { type Bert, encode, pretrained } from './bert.js';

manualSeed(0);

class Classifier extends Module {
  accuracy = new metrics.Accuracy();
  head = new Linear(32, 2);
  constructor(readonly bert: Bert) {
    super();
  }
  // The backbone is frozen: nothing is recorded in it, and backward() ends before it.
  @noGrad features(ids: Tensor): Tensor {
    return this.bert(ids).pooled;
  }
  override forward(ids: Tensor): Tensor {
    return this.head(this.features(ids));
  }
  trainingStep([ids, labels]: readonly [Tensor, Tensor]) {
    const scores = this.forward(ids);
    return { loss: crossEntropy(scores, labels), accuracy: this.accuracy.update(scores, labels) };
  }
  @evaluating isKind(text: string): boolean {
    return (
      this.forward(tensor([encode(text)], { dtype: 'int32' }))
        .argmax(1)
        .item() === 1
    );
  }
}

const file = new URL('../../data/reviews.csv', import.meta.url);
const reviews = parse<{ text: string; label: number }>(readFileSync(file), { columns: true, cast: true });
const model = new Classifier(await pretrained());
const before = model.bert.clone();
const labels = reviews.map(({ label }) => label);
const samples = new data.TensorDataset(
  tensor(
    reviews.map(({ text }) => encode(text)),
    { dtype: 'int32' },
  ),
  tensor(labels, { dtype: 'int64' }),
);
const [train, validation] = data.trainTestSplit(samples, { testSize: 0.25, labels });
const { history } = await fit(model, {
  train: new data.DataLoader(train, { batchSize: 16, shuffle: true }),
  validation: new data.DataLoader(validation, { batchSize: 16 }),
  optimizer: new optim.Adam(model.head.parameters(), { lr: 0.02 }),
  epochs: 30,
  callbacks: [new EarlyStopping({ patience: 4 }), new ProgressLine()],
});
console.log(`right: ${(100 * history['valAccuracy']!.at(-1)!).toFixed(0)}%`);
const isAsBefore = Object.entries(model.bert.stateDict()).every(([name, t]) => t.equal(before.stateDict()[name]!));
console.log(`the backbone is as it was: ${isAsBefore}`);
for (const text of ['The room was fresh and bright', 'This book seemed dull and slow'])
  console.log(`${text}: ${model.isKind(text) ? 'kind' : 'unkind'}`);
