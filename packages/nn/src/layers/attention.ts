import { gelu, linear, relu, ShapeError, scaledDotProductAttention, type Tensor, zeros } from '@gradgate/core';
import { xavierUniform_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { ModuleList } from './container.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norm.js';

export interface AttentionMaskOptions {
  /** Bool: true where attention is allowed; floating point: added to the scores. Broadcasts to `[N, heads, L, S]`. */
  attnMask?: Tensor | null;
  isCausal?: boolean;
}

/** Attention with several heads (Vaswani et al., 2017), batch first: `[N, L, E]`, `[N, S, E]`, `[N, S, E]` to `[N, L, E]`. */
export class MultiheadAttention extends Module {
  readonly inProjWeight: Parameter;
  readonly inProjBias: Parameter | null;
  readonly outProj: Linear;

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    readonly options: { dropout?: number; bias?: boolean } = {},
  ) {
    super();
    if (embedDim % numHeads !== 0)
      throw new RangeError(`MultiheadAttention: ${embedDim} features cannot be split into ${numHeads} heads`);
    const { bias = true } = options;
    this.inProjWeight = xavierUniform_(new Parameter(zeros([3 * embedDim, embedDim])));
    this.inProjBias = bias ? new Parameter(zeros([3 * embedDim])) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    if (this.outProj.bias) this.outProj.bias.detach().zero_();
  }

  override forward(query: Tensor, key: Tensor = query, value: Tensor = key, mask: AttentionMaskOptions = {}): Tensor {
    for (const t of [query, key, value])
      if (t.ndim !== 3 || t.shape[2] !== this.embedDim)
        throw new ShapeError('MultiheadAttention', `takes [N, L, ${this.embedDim}], got [${t.shape.join(', ')}]`);
    const weights = this.inProjWeight.chunk(3);
    const biases = this.inProjBias?.chunk(3);
    // [N, L, E] to [N, heads, L, E / heads]
    const [q, k, v] = [query, key, value].map((t, i) =>
      linear(t, weights[i]!, biases?.[i]).unflatten(2, [this.numHeads, -1]).transpose(1, 2),
    ) as [Tensor, Tensor, Tensor];
    const out = scaledDotProductAttention(q, k, v, {
      ...mask,
      dropoutP: this.training ? (this.options.dropout ?? 0) : 0,
    });
    return this.outProj(out.transpose(1, 2).flatten(2));
  }
}

export interface TransformerLayerOptions {
  dimFeedforward?: number;
  dropout?: number;
  activation?: 'relu' | 'gelu';
  /** Normalise before attention and feed-forward rather than after. */
  normFirst?: boolean;
}

/** Self-attention and a feed-forward network, each with residual, dropout and layer norm; `[N, L, E]` to the same. */
export class TransformerEncoderLayer extends Module {
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout: Dropout;

  constructor(
    dModel: number,
    numHeads: number,
    readonly options: TransformerLayerOptions = {},
  ) {
    super();
    const { dimFeedforward = 2048, dropout = 0.1 } = options;
    this.selfAttn = new MultiheadAttention(dModel, numHeads, { dropout });
    this.linear1 = new Linear(dModel, dimFeedforward);
    this.linear2 = new Linear(dimFeedforward, dModel);
    this.norm1 = new LayerNorm(dModel);
    this.norm2 = new LayerNorm(dModel);
    this.dropout = new Dropout(dropout);
  }

  protected feedForward(x: Tensor): Tensor {
    const activation = this.options.activation === 'gelu' ? gelu : relu;
    return this.dropout(this.linear2(this.dropout(activation(this.linear1(x)))));
  }

  override forward(x: Tensor, mask: AttentionMaskOptions = {}): Tensor {
    const attend = (t: Tensor) => this.dropout(this.selfAttn(t, t, t, mask));
    if (this.options.normFirst) {
      const y = x.add(attend(this.norm1(x)));
      return y.add(this.feedForward(this.norm2(y)));
    }
    const y = this.norm1(x.add(attend(x)));
    return this.norm2(y.add(this.feedForward(y)));
  }
}

/** Encoder layers in a row, of one kind: `make` is called for each. */
export class TransformerEncoder extends Module {
  readonly layers: ModuleList<TransformerEncoderLayer>;
  readonly norm: LayerNorm | null;

  constructor(
    make: () => TransformerEncoderLayer,
    numLayers: number,
    { norm = null }: { norm?: LayerNorm | null } = {},
  ) {
    super();
    this.layers = new ModuleList(Array.from({ length: numLayers }, make));
    this.norm = norm;
  }

  override forward(x: Tensor, mask: AttentionMaskOptions = {}): Tensor {
    for (const layer of this.layers) x = layer(x, mask);
    return this.norm ? this.norm(x) : x;
  }
}

/** Causal self-attention, attention to an encoder's output `memory`, and a feed-forward network. */
export class TransformerDecoderLayer extends TransformerEncoderLayer {
  readonly multiheadAttn: MultiheadAttention;
  readonly norm3: LayerNorm;

  constructor(dModel: number, numHeads: number, options: TransformerLayerOptions = {}) {
    super(dModel, numHeads, options);
    this.multiheadAttn = new MultiheadAttention(dModel, numHeads, { dropout: options.dropout ?? 0.1 });
    this.norm3 = new LayerNorm(dModel);
  }

  override forward(
    x: Tensor,
    memory: Tensor | AttentionMaskOptions = x,
    mask: AttentionMaskOptions = { isCausal: true },
  ): Tensor {
    const context = memory as Tensor;
    const attend = (t: Tensor) => this.dropout(this.selfAttn(t, t, t, mask));
    const cross = (t: Tensor) => this.dropout(this.multiheadAttn(t, context, context));
    if (this.options.normFirst) {
      const y = x.add(attend(this.norm1(x)));
      const z = y.add(cross(this.norm2(y)));
      return z.add(this.feedForward(this.norm3(z)));
    }
    const y = this.norm1(x.add(attend(x)));
    const z = this.norm2(y.add(cross(y)));
    return this.norm3(z.add(this.feedForward(z)));
  }
}
