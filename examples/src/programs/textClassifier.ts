// Tells whether a review is kind, from its words: node examples/dist/programs/textClassifier.js
import { readFileSync } from 'node:fs';
import { crossEntropy, evaluating, manualSeed, type Tensor } from '@gradgate/core';
import { data, EmbeddingBag, Linear, Module, metrics, optim, Sequential } from '@gradgate/nn';
import { fit, ProgressLine } from '@gradgate/train';
import { parse } from 'csv-parse/sync';

const file = new URL('../../data/reviews.csv', import.meta.url);
const reviews = parse<{ text: string; label: number }>(readFileSync(file), { columns: true, cast: true });
manualSeed(0);
const [train, validation] = data.trainTestSplit(reviews, { labels: reviews.map(({ label }) => label) });
const vectorizer = new data.TextVectorizer().fit(train.indices.map((i) => reviews[i]!.text));

class Classifier extends Module {
  accuracy = new metrics.Accuracy();
  body = new Sequential(new EmbeddingBag(vectorizer.size, 16, { paddingIdx: 0 }), new Linear(16, 2));
  override forward(texts: readonly string[]): Tensor {
    return this.body(vectorizer.transform(texts)) as Tensor;
  }
  trainingStep({ text, label }: { text: string[]; label: Tensor }) {
    const scores = this.forward(text);
    return { loss: crossEntropy(scores, label.long()), accuracy: this.accuracy.update(scores, label) };
  }
  @evaluating isKind(text: string): boolean {
    return this.forward([text]).argmax(1).item() === 1;
  }
}

const model = new Classifier();
await fit(model, {
  train: new data.DataLoader(train, { batchSize: 16, shuffle: true }),
  validation: new data.DataLoader(validation, { batchSize: 16 }),
  optimizer: new optim.Adam(model.parameters(), { lr: 0.02 }),
  epochs: Number(process.argv[2] ?? 12),
  callbacks: [new ProgressLine()],
});
for (const text of ['The room was bright, a joy!', 'Dull food, and cold'])
  console.log(`${text} ${model.isKind(text) ? 'kind' : 'unkind'}`);
