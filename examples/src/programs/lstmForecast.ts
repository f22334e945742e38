// Forecasts two years of passengers, month by month, by an LSTM: node examples/dist/programs/lstmForecast.js
import { readFileSync } from 'node:fs';
import { evaluating, manualSeed, mseLoss, type Tensor, tensor } from '@gradgate/core';
import { data, Linear, LSTM, Module, optim } from '@gradgate/nn';
import { fit } from '@gradgate/train';
import { parse } from 'csv-parse/sync';
import { curvesText } from 'gradgate';

const file = new URL('../../data/passengers.csv', import.meta.url);
const months = parse(readFileSync(file), { from_line: 2 }).map(([, passengers]) => Math.log(Number(passengers)));
const [window, held] = [12, 24];
// What is learnt is the growth from month to month; the last two years are held back.
const growth = tensor(months.slice(1).map((v, i) => [10 * (v - months[i]!)]));
const seen = growth.narrow(0, 0, growth.shape[0]! - held);
const windows = seen.unfold(0, window + 1, 1).transpose(1, 2); // [count, window + 1, 1]

class Forecaster extends Module {
  lstm = new LSTM(1, 24, { batchFirst: true });
  head = new Linear(24, 1);
  override forward(x: Tensor): Tensor {
    return this.head(this.lstm(x)[0].select(1, -1));
  }
  trainingStep([whole]: readonly [Tensor]) {
    return mseLoss(this.forward(whole.narrow(1, 0, window)), whole.select(1, window));
  }
  @evaluating forecast(past: Tensor, count: number): Tensor {
    if (count === 0) return past;
    const next = this.forward(past.narrow(0, past.shape[0]! - window, window).unsqueeze(0));
    return this.forecast(past.cat([next]), count - 1);
  }
}

manualSeed(1);
const model = new Forecaster();
const train = new data.DataLoader(new data.TensorDataset(windows), { batchSize: 16, shuffle: true });
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
await fit(model, { train, optimizer, epochs: Number(process.argv[2] ?? 60), clipGradNorm: 1 });

const steps = model.forecast(seen, held).narrow(0, seen.shape[0]!, held).flatten().cumsum(0).div(10);
const forecast = steps
  .add(months.at(-held - 1)!)
  .exp()
  .toArray() as number[];
const truth = months.slice(-held).map(Math.exp);
console.log(curvesText({ truth, forecast }));
const error = truth.reduce((sum, v, i) => sum + Math.abs(v - forecast[i]!) / v, 0) / held;
console.log(`off by ${(100 * error).toFixed(1)}% on average over ${held} months`);
