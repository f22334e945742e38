/** A small BERT whose weights have the names that Hugging Face's `BertModel` gives them. */
import { readFileSync } from 'node:fs';
import { scaledDotProductAttention, slice, type Tensor } from '@gradgate/core';
import { Embedding, functional, LayerNorm, Linear, load, Module, ModuleList } from '@gradgate/nn';

const file = (name: string) => new URL(`../../data/bert/${name}`, import.meta.url);
const vocabulary: Record<string, number> = JSON.parse(readFileSync(file('vocab.json'), 'utf8'));
const [places, hidden, heads] = [16, 32, 4];

/** Numbers of words, between those of [CLS] and [SEP], and 0 behind them. */
export function encode(text: string): number[] {
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  const ids = [
    vocabulary['[CLS]']!,
    ...words.map((word) => vocabulary[word] ?? vocabulary['[UNK]']!),
    vocabulary['[SEP]']!,
  ];
  return Array.from({ length: places }, (_, i) => ids[i] ?? 0);
}

// Fields are named as the weights of BertModel are: wordEmbeddings is word_embeddings.

class Embeddings extends Module {
  wordEmbeddings = new Embedding(Object.keys(vocabulary).length, hidden, { paddingIdx: 0 });
  positionEmbeddings = new Embedding(places, hidden);
  tokenTypeEmbeddings = new Embedding(2, hidden);
  layerNorm = new LayerNorm(hidden, { eps: 1e-12 });
  override forward(ids: Tensor): Tensor {
    const words = this.wordEmbeddings(ids).add(this.positionEmbeddings.weight);
    return this.layerNorm(words.add(this.tokenTypeEmbeddings.weight.at(0)));
  }
}

class SelfAttention extends Module {
  query = new Linear(hidden, hidden);
  key = new Linear(hidden, hidden);
  value = new Linear(hidden, hidden);
  override forward(x: Tensor, mask: Tensor): Tensor {
    const split = (t: Tensor) => t.reshape([-1, places, heads, hidden / heads]).transpose(1, 2);
    const [q, k, v] = [split(this.query(x)), split(this.key(x)), split(this.value(x))];
    return scaledDotProductAttention(q, k, v, { attnMask: mask }).transpose(1, 2).reshape([-1, places, hidden]);
  }
}

class Output extends Module {
  dense: Linear;
  layerNorm = new LayerNorm(hidden, { eps: 1e-12 });
  constructor(size: number) {
    super();
    this.dense = new Linear(size, hidden);
  }
  override forward(x: Tensor, before: Tensor): Tensor {
    return this.layerNorm(this.dense(x).add(before));
  }
}

class Attention extends Module {
  self = new SelfAttention();
  output = new Output(hidden);
  override forward(x: Tensor, mask: Tensor): Tensor {
    return this.output(this.self(x, mask), x);
  }
}

class Dense extends Module {
  dense: Linear;
  constructor(size: number) {
    super();
    this.dense = new Linear(hidden, size);
  }
  override forward(x: Tensor): Tensor {
    return this.dense(x);
  }
}

class Layer extends Module {
  attention = new Attention();
  intermediate = new Dense(64);
  output = new Output(64);
  override forward(x: Tensor, mask: Tensor): Tensor {
    const seen = this.attention(x, mask);
    return this.output(functional.gelu(this.intermediate(seen)), seen);
  }
}

class Encoder extends Module {
  layer = new ModuleList([new Layer(), new Layer()]);
  override forward(x: Tensor, mask: Tensor): Tensor {
    return [...this.layer].reduce((y, layer) => (layer as Layer)(y, mask), x);
  }
}

export class Bert extends Module {
  embeddings = new Embeddings();
  encoder = new Encoder();
  pooler = new Dense(hidden);
  override forward(ids: Tensor): { sequence: Tensor; pooled: Tensor } {
    const mask = ids.ne(0).unsqueeze(1).unsqueeze(1);
    const sequence = this.encoder(this.embeddings(ids), mask);
    return { sequence, pooled: this.pooler(sequence.at(slice(), 0)).tanh() };
  }
}

/** The model with the weights of its file. `LayerNorm` is the one name there that no field has here. */
export async function pretrained(): Promise<Bert> {
  const bert = new Bert();
  const weights = Object.entries(await load(file('model.safetensors')));
  bert.loadStateDict(Object.fromEntries(weights.map(([name, t]) => [name.replace('LayerNorm', 'layer_norm'), t])));
  return bert;
}
