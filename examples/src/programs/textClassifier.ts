// Tells whether a review is kind, from its words: node examples/dist/programs/textClassifier.js
import { crossEntropy, evaluating, manualSeed, type Tensor, tensor } from '@gradgate/core';
import { data, Embedding, Linear, Module, metrics, optim } from '@gradgate/nn';
import { fit, ProgressLine } from '@gradgate/train';
import { reviews } from './reviews.js';

manualSeed(0);
const words = (text: string) => text.toLowerCase().match(/\p{L}+/gu) ?? [];
const vocabulary = new Map([...new Set(reviews.flatMap(({ text }) => words(text)))].map((word, i) => [word, i + 1]));
// Numbers of words, 0 for those that are not known, and for places that are left.
const idsOf = (text: string) => Array.from({ length: 12 }, (_, i) => vocabulary.get(words(text)[i] ?? '') ?? 0);

class Classifier extends Module {
  accuracy = new metrics.Accuracy();
  embedding = new Embedding(vocabulary.size + 1, 16, { paddingIdx: 0 });
  head = new Linear(16, 2);
  override forward(ids: Tensor): Tensor {
    return this.head(this.embedding(ids).mean(1));
  }
  trainingStep([ids, labels]: readonly [Tensor, Tensor]) {
    const scores = this.forward(ids);
    this.accuracy.update(scores, labels);
    return { loss: crossEntropy(scores, labels), accuracy: this.accuracy };
  }
  @evaluating isKind(text: string): boolean {
    return (
      this.forward(tensor([idsOf(text)], { dtype: 'int64' }))
        .argmax(1)
        .item() === 1
    );
  }
}

const model = new Classifier();
const [ids, labels] = [reviews.map(({ text }) => idsOf(text)), reviews.map(({ label }) => label)];
const samples = new data.TensorDataset(tensor(ids, { dtype: 'int64' }), tensor(labels, { dtype: 'int64' }));
const [train, validation] = data.trainTestSplit(samples, { testSize: 0.25, labels });
await fit(model, {
  train: new data.DataLoader(train, { batchSize: 16, shuffle: true }),
  validation: new data.DataLoader(validation, { batchSize: 16 }),
  optimizer: new optim.Adam(model.parameters(), { lr: 0.02 }),
  epochs: Number(process.argv[2] ?? 12),
  callbacks: [new ProgressLine()],
});
for (const text of ['The room was bright, a joy!', 'Dull food, and cold'])
  console.log(`${text} ${model.isKind(text) ? 'kind' : 'unkind'}`);
