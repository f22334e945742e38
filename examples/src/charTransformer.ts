/** A character-level transformer on Shakespeare's sonnets, with text sampled as a stream while nothing is recorded. */
import { crossEntropy, Generator, manualSeed } from '@gradgate/core';
import { optim } from '@gradgate/nn';
import { progress } from 'gradgate';
import { alphabet, CharTransformer, draw, text } from './charModel.js';
import { numbers } from './options.js';

const { steps, context, width, heads, layers, sample, seed, ...rest } = numbers('node dist/charTransformer.js', {
  ...{ steps: 1500, context: 64, width: 64, heads: 4, layers: 2, sample: 400, seed: 0 },
  ...{ 'batch-size': 32, lr: 0.003, temperature: 0.8 },
});

const started = performance.now();
manualSeed(seed);
const generator = new Generator(seed);
const model = new CharTransformer({ context, width, heads, layers });
const optimizer = new optim.AdamW(model.parameters(), { lr: rest.lr, betas: [0.9, 0.95] });
const scheduler = new optim.OneCycleLR(optimizer, {
  maxLr: rest.lr,
  totalSteps: steps,
  pctStart: 0.1,
  cycleMomentum: false,
});
const batch = rest['batch-size'];
const parameters = [...model.parameters()].reduce((n, p) => n + p.numel, 0);
console.log(`${text.length} characters of sonnets, ${alphabet.length} different; ${parameters} parameters`);

const bar = progress(Array(steps).keys(), { title: 'training', unit: 'steps', total: steps });
let smooth = Math.log(alphabet.length);
const first = smooth;
for (const _ of bar) {
  const [x, y] = draw(batch, context, generator);
  optimizer.zeroGrad();
  const loss = crossEntropy(model(x).flatten(0, 1), y.flatten());
  loss.backward();
  optim.clipGradNorm_(model.parameters(), 1);
  optimizer.step();
  scheduler.step();
  smooth += 0.05 * (loss.item() - smooth);
  bar.note({ loss: smooth });
}
const seconds = (performance.now() - started) / 1000;
console.log(
  `loss ${first.toFixed(3)} of chance, ${smooth.toFixed(3)} after ${steps} steps in ${seconds.toFixed(1)} s\n`,
);

let graphs = 0;
let count = 0;
for await (const character of model.write('\n', rest.temperature, new Generator(seed))) {
  process.stdout.write(character);
  // The reader's mode is its own: this is recorded, although the writer between two characters is not.
  if (model.head.weight.mul(1).gradFn !== null) graphs++;
  if (++count === sample) break;
}
console.log(`\n\n${count} characters written under @noGrad, the reader recorded ${graphs} times`);
