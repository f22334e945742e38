// A decoder of text with its attention written out; the embedding and the head share one weight.
import { arange, cat, evaluating, ones, slice, type Tensor, tril } from '@gradgate/core';
import {
  buffer,
  Embedding,
  functional,
  GELU,
  LayerNorm,
  Linear,
  Module,
  ModuleList,
  optim,
  Sequential,
} from '@gradgate/nn';

export interface Sizes {
  vocabulary: number;
  /** How many tokens it sees at once. */
  context: number;
  width: number;
  heads: number;
  layers: number;
}

class CausalSelfAttention extends Module {
  heads: number;
  attn: Linear;
  proj: Linear;
  mask: Tensor;

  constructor({ width, heads, context }: Sizes) {
    super();
    this.heads = heads;
    this.attn = new Linear(width, 3 * width);
    this.proj = new Linear(width, width);
    this.mask = buffer(tril(ones([context, context])).eq(0), { persistent: false });
  }

  override forward(x: Tensor): Tensor {
    const [batch, length, width] = x.shape as [number, number, number];
    const byHead = (t: Tensor) => t.view([batch, length, this.heads, width / this.heads]).transpose(1, 2);
    const [q, k, v] = this.attn(x).split(width, 2).map(byHead) as [Tensor, Tensor, Tensor];
    const scores = q.matmul(k.mT).div(Math.sqrt(width / this.heads));
    const ahead = this.mask.at(slice(0, length), slice(0, length));
    const attention = scores.maskedFill(ahead, Number.NEGATIVE_INFINITY).softmax(-1);
    return this.proj(attention.matmul(v).transpose(1, 2).reshape(x.shape));
  }
}

class Block extends Module {
  ln1: LayerNorm;
  attn: CausalSelfAttention;
  ln2: LayerNorm;
  mlp: Sequential<[Linear, GELU, Linear]>;

  constructor(sizes: Sizes) {
    super();
    const { width } = sizes;
    this.ln1 = new LayerNorm(width);
    this.attn = new CausalSelfAttention(sizes);
    this.ln2 = new LayerNorm(width);
    this.mlp = new Sequential(new Linear(width, 4 * width), new GELU(), new Linear(4 * width, width));
  }

  override forward(x: Tensor): Tensor {
    const attended = x.add(this.attn(this.ln1(x)));
    return attended.add(this.mlp(this.ln2(attended)));
  }
}

export class GPT extends Module {
  wte: Embedding;
  wpe: Embedding;
  h: ModuleList<Block>;
  lnF: LayerNorm;
  lmHead: Linear;

  constructor(readonly sizes: Sizes) {
    super();
    const { vocabulary, context, width, layers } = sizes;
    this.wte = new Embedding(vocabulary, width);
    this.wpe = new Embedding(context, width);
    this.h = new ModuleList(Array.from({ length: layers }, () => new Block(sizes)));
    this.lnF = new LayerNorm(width);
    this.lmHead = new Linear(width, vocabulary, { bias: false });
    this.wte.weight = this.lmHead.weight;
  }

  /** `[batch, length]` tokens to `[batch, length, vocabulary]` scores of the next ones. */
  override forward(tokens: Tensor): Tensor {
    let x = this.wte(tokens).add(this.wpe(arange(tokens.shape[1]!)));
    for (const block of this.h) x = block(x);
    return this.lmHead(this.lnF(x));
  }

  loss(tokens: Tensor, targets: Tensor): Tensor {
    return functional.crossEntropy(this.forward(tokens).flatten(0, 1), targets.flatten());
  }

  /** AdamW, in which only matrices decay. */
  optimizer(lr: number, weightDecay = 0.1): optim.AdamW {
    const all = [...this.parameters()];
    const groups = [
      { params: all.filter((p) => p.ndim >= 2), weightDecay },
      { params: all.filter((p) => p.ndim < 2), weightDecay: 0 },
    ];
    return new optim.AdamW(groups, { lr, betas: [0.9, 0.95] });
  }

  /** Writes `count` tokens on behind `[batch, length]` of them, each drawn from the `k` likeliest. */
  @evaluating generate(tokens: Tensor, count: number, k: number, temperature = 1): Tensor {
    let written = tokens;
    for (let i = 0; i < count; i++) {
      const window = written.at('...', slice(-this.sizes.context));
      const { values, indices } = this.forward(window).at(slice(), -1).div(temperature).topk(k);
      written = cat([written, indices.gather(1, values.softmax(-1).multinomial(1))], 1);
    }
    return written;
  }
}
