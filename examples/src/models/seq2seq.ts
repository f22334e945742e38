// Sequence to sequence: a recurrent encoder over packed sentences, and a decoder that looks at all of them (Bahdanau et al., 2014).
import { bmm, cat, evaluating, full, stack, type Tensor } from '@gradgate/core';
import {
  Embedding,
  functional,
  GRU,
  GRUCell,
  Linear,
  Module,
  packPaddedSequence,
  padPackedSequence,
} from '@gradgate/nn';

/** What fills sentences up to the length of the longest. */
export const padding = 0;

class Encoder extends Module {
  embedding: Embedding;
  gru: GRU;

  constructor(vocabulary: number, width: number) {
    super();
    this.embedding = new Embedding(vocabulary, width, { paddingIdx: padding });
    this.gru = new GRU(width, width, { batchFirst: true });
  }

  /** `[batch, length]` tokens to `[batch, length, width]` states, and the last of each sentence, `[batch, width]`. */
  override forward(tokens: Tensor, lengths: Tensor): [states: Tensor, last: Tensor] {
    const options = { batchFirst: true, enforceSorted: false };
    const [states, last] = this.gru(packPaddedSequence(this.embedding(tokens), lengths, options));
    const [padded] = padPackedSequence(states, { batchFirst: true });
    return [padded, last.at(-1)];
  }
}

class Decoder extends Module {
  embedding: Embedding;
  gru: GRUCell;
  out: Linear;

  constructor(vocabulary: number, width: number) {
    super();
    this.embedding = new Embedding(vocabulary, width, { paddingIdx: padding });
    this.gru = new GRUCell(2 * width, width);
    this.out = new Linear(2 * width, vocabulary);
  }

  /** A token of each sentence, `[batch]`, to scores of the next, and the state after it. */
  override forward(token: Tensor, state: Tensor, encoded: Tensor, hidden: Tensor): [scores: Tensor, state: Tensor] {
    const match = bmm(encoded, state.unsqueeze(2)).squeeze(2).maskedFill(hidden, Number.NEGATIVE_INFINITY);
    const context = bmm(match.softmax(1).unsqueeze(1), encoded).squeeze(1);
    const next = this.gru(cat([this.embedding(token), context], 1), state);
    return [this.out(cat([next, context], 1)), next];
  }
}

export class Seq2Seq extends Module {
  encoder: Encoder;
  decoder: Decoder;

  constructor(vocabulary: number, width: number) {
    super();
    this.encoder = new Encoder(vocabulary, width);
    this.decoder = new Decoder(vocabulary, width);
  }

  /** Scores of each token of `target` but the first, given those before it: `[batch, length - 1, vocabulary]`. */
  override forward(tokens: Tensor, lengths: Tensor, target: Tensor): Tensor {
    const [encoded, last] = this.encoder(tokens, lengths);
    const hidden = tokens.eq(padding);
    const all: Tensor[] = [];
    let [scores, state]: [Tensor | null, Tensor] = [null, last];
    for (let i = 0; i < target.shape[1]! - 1; i++) {
      [scores, state] = this.decoder(target.select(1, i), state, encoded, hidden);
      all.push(scores);
    }
    return stack(all, 1);
  }

  loss(tokens: Tensor, lengths: Tensor, target: Tensor): Tensor {
    const scores = this.forward(tokens, lengths, target);
    return functional.crossEntropy(scores.flatten(0, 1), target.narrow(1, 1, target.shape[1]! - 1).flatten(), {
      ignoreIndex: padding,
    });
  }

  /** The likeliest `count` tokens behind `start`, one by one: `[batch, count]`. */
  @evaluating translate(tokens: Tensor, lengths: Tensor, start: number, count: number): Tensor {
    const [encoded, last] = this.encoder(tokens, lengths);
    const hidden = tokens.eq(padding);
    const written = [full([tokens.shape[0]!], start, { dtype: 'int32' })];
    let state = last;
    for (let i = 0; i < count; i++) {
      const [scores, next] = this.decoder(written.at(-1)!, state, encoded, hidden);
      written.push(scores.argmax(1));
      state = next;
    }
    return stack(written.slice(1), 1);
  }
}
