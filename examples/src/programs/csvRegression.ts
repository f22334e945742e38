// The price of a house from a table, with a test set held back and early stopping: node examples/dist/programs/csvRegression.js
import { readFileSync } from 'node:fs';
import { manualSeed, mseLoss, type Tensor, tensor } from '@gradgate/core';
import { data, Linear, Module, metrics, optim, ReLU, Sequential } from '@gradgate/nn';
import { EarlyStopping, evaluate, fit, ProgressLine } from '@gradgate/train';
import { parse } from 'csv-parse/sync';

const file = new URL('../../data/houses.csv', import.meta.url);
const rows = parse(readFileSync(file), {
  columns: true,
  cast: (cell, { header }) => (header ? cell : Number(cell)),
}) as Record<string, number>[];
const { price, ...inputs } = rows[0]!;
const x = tensor(rows.map((row) => Object.keys(inputs).map((name) => row[name]!)));
const y = tensor(rows.map((row) => [row['price']!]));

manualSeed(1);
const [rest, test] = data.trainTestSplit(new data.TensorDataset(x, y), { testSize: 0.2 });
const [train, validation] = data.trainTestSplit(rest, { testSize: 0.2 });
const whole = (part: data.Dataset<readonly [Tensor, Tensor]>) => new data.DataLoader(part, { batchSize: part.length });
const [[xTrain, yTrain]] = [...whole(train)] as unknown as [[Tensor, Tensor]];
const [scaleX, scaleY] = [new data.StandardScaler().fit(xTrain), new data.StandardScaler().fit(yTrain)];

class Prices extends Module {
  error = new metrics.MeanAbsoluteError();
  body = new Sequential(new Linear(4, 32), new ReLU(), new Linear(32, 1));
  override forward(houses: Tensor): Tensor {
    return this.body(scaleX.transform(houses)) as Tensor;
  }
  trainingStep([houses, prices]: readonly [Tensor, Tensor]) {
    const scaled = this.forward(houses);
    this.error.update(scaleY.inverse(scaled), prices);
    return { loss: mseLoss(scaled, scaleY.transform(prices)), error: this.error };
  }
}

const model = new Prices();
const { history, epoch } = await fit(model, {
  train: new data.DataLoader(train, { batchSize: 32, shuffle: true }),
  validation: whole(validation),
  optimizer: new optim.Adam(model.parameters(), { lr: 0.01 }),
  epochs: Number(process.argv[2] ?? 200),
  callbacks: [new EarlyStopping({ patience: 10, restoreBest: true }), new ProgressLine()],
});
const { error } = await evaluate(model, whole(test));
console.log(
  `after ${epoch} epochs: ${error!.toFixed(1)} thousand off on the test set, at first ${history['valError']![0]!.toFixed(1)}`,
);
