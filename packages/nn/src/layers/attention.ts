import {
  cat,
  dropout,
  empty,
  full,
  linear,
  matmul,
  pad,
  ShapeError,
  softmax,
  type Tensor,
  triu,
  where,
  zeros,
} from '@gradgate/core';
import { check, checkOptions, checkTensors, is } from '@gradgate/core/internal';
import { xavierNormal_, xavierUniform_, zeros_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { shapeText } from '../shapeText.js';
import { checkLayer } from './checkLayer.js';
import { Linear } from './linear.js';

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions {
  /** The probability of dropping attention weights in training; 0 by default. */
  dropout?: number;
  /** Whether the projections have biases; true by default. */
  bias?: boolean;
  /** Whether inputs are `[N, L, E]` rather than `[L, N, E]`; false by default. */
  batchFirst?: boolean;
  /** The number of features of keys; `embedDim` by default. */
  kdim?: number;
  /** The number of features of values; `embedDim` by default. */
  vdim?: number;
  /** Whether a learned key and value are appended to the sequence; false by default. */
  addBiasKv?: boolean;
  /** Whether a key and a value of zeros are appended to the sequence; false by default. */
  addZeroAttn?: boolean;
}

/** Masks in a call of `MultiheadAttention`. */
export interface AttentionMasks {
  /** `[N, S]`. Bool: true for keys to ignore. Floating point: added to the scores. */
  keyPaddingMask?: Tensor | null;
  /**
   * `[L, S]` or `[N * heads, L, S]`. Bool: true where attention is **not** allowed. Floating point: added to the
   * scores.
   */
  attnMask?: Tensor | null;
  /** Whether each position attends only to itself and those before it; false by default. */
  isCausal?: boolean;
  /** Whether attention weights are returned too; true by default. */
  needWeights?: boolean;
  /** Whether these are averaged over the heads; true by default. */
  averageAttnWeights?: boolean;
}

const attentionOptions = {
  dropout: is.probability,
  bias: is.boolean,
  batchFirst: is.boolean,
  kdim: is.count,
  vdim: is.count,
  addBiasKv: is.boolean,
  addZeroAttn: is.boolean,
};
const mask = is.nullable(is.tensor);
const masksKnown = {
  keyPaddingMask: mask,
  attnMask: mask,
  isCausal: is.boolean,
  needWeights: is.boolean,
  averageAttnWeights: is.boolean,
};

/** A mask to be added to the scores. As in PyTorch's modules, true in a bool mask means "ignore". */
const additive = (mask: Tensor, like: Tensor): Tensor =>
  mask.dtype === 'bool'
    ? where(mask, Number.NEGATIVE_INFINITY, zeros(mask.shape, { dtype: like.dtype, device: mask.device }))
    : mask;

/**
 * The causal mask `[n, m]`, to be added to attention scores: 0 where a position may attend, -Infinity for later
 * positions. `m` is `n` by default.
 *
 * ```ts
 * causalMask(2); // [[0, -Infinity], [0, 0]]
 * ```
 */
export function causalMask(n: number, m = n): Tensor {
  check('causalMask', 'the length', n, is.size);
  check('causalMask', 'the number of keys', m, is.size);
  return triu(full([n, m], Number.NEGATIVE_INFINITY), 1);
}

/**
 * Attention with several heads (Vaswani et al., 2017) over `query`, `key` and `value` `[L, N, E]`, `[N, L, E]` with
 * `batchFirst`, or `[L, E]`. Returns the output, in the shape of `query`, and the attention weights. Options: `dropout`
 * 0, `bias` true, `batchFirst` false, `kdim` and `vdim` `embedDim`, `addBiasKv` and `addZeroAttn` false. Parameters:
 * `inProjWeight` `[3 E, E]`, `inProjBias` `[3 E]` and the layer `outProj`. Throws where `numHeads` does not divide
 * `embedDim`.
 *
 * ```ts
 * const attention = new MultiheadAttention(16, 4, { batchFirst: true });
 * const x = randn([2, 5, 16]);
 * const [out, weights] = attention(x, x, x, { isCausal: true });
 * out.shape; // [2, 5, 16]
 * weights!.shape; // [2, 5, 5]
 * ```
 */
export class MultiheadAttention extends Module {
  /**
   * The projections of query, key and value, stacked `[3 E, E]`; null where their features differ (see `qProjWeight`).
   */
  inProjWeight: Parameter | null = null;
  /** The separate projections `[E, E]`, `[E, kdim]` and `[E, vdim]`, where the features differ; otherwise null. */
  qProjWeight: Parameter | null = null;
  /** The projection of keys `[embedDim, kdim]`, where keys or values have other features than queries; else null. */
  kProjWeight: Parameter | null = null;
  /** The projection of values `[embedDim, vdim]`, where keys or values have other features than queries; else null. */
  vProjWeight: Parameter | null = null;
  /** The biases of the projections of queries, keys and values `[3 embedDim]`; null without. */
  inProjBias: Parameter | null;
  /** A learned key behind those given `[1, 1, embedDim]`; null without. */
  biasK: Parameter | null;
  /** A learned value behind those given `[1, 1, embedDim]`; null without. */
  biasV: Parameter | null;
  /** The projection of the heads' results. */
  readonly outProj: Linear;
  /** The probability that a weight of attention is set to 0 in training. */
  readonly dropout: number;
  /** Whether the batch is the first dimension. */
  readonly batchFirst: boolean;
  /** The number of features of keys. */
  readonly kdim: number;
  /** The number of features of values. */
  readonly vdim: number;
  /** Whether a key and a value of zeros are added. */
  readonly addZeroAttn: boolean;

  constructor(
    /** The number of features of queries and results. */
    readonly embedDim: number,
    /** Among how many heads the features are divided. */
    readonly numHeads: number,
    options: MultiheadAttentionOptions = {},
  ) {
    super();
    const { name } = new.target;
    const given = checkLayer(name, { embedDim, numHeads }, options, attentionOptions, is.count);
    const { dropout = 0, bias = true, batchFirst = false, addBiasKv = false, addZeroAttn = false } = given;
    const { kdim = embedDim, vdim = embedDim } = given;
    if (embedDim % numHeads !== 0)
      throw new ShapeError(name, `${embedDim} features cannot be split into ${numHeads} heads`);
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.kdim = kdim;
    this.vdim = vdim;
    this.addZeroAttn = addZeroAttn;
    const weight = (rows: number, columns: number) => new Parameter(xavierUniform_(empty([rows, columns])));
    if (kdim === embedDim && vdim === embedDim) this.inProjWeight = weight(3 * embedDim, embedDim);
    else {
      this.qProjWeight = weight(embedDim, embedDim);
      this.kProjWeight = weight(embedDim, kdim);
      this.vProjWeight = weight(embedDim, vdim);
    }
    this.inProjBias = bias ? new Parameter(zeros([3 * embedDim])) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    if (this.outProj.bias) zeros_(this.outProj.bias);
    const row = () => new Parameter(xavierNormal_(empty([1, 1, embedDim])));
    this.biasK = addBiasKv ? row() : null;
    this.biasV = addBiasKv ? row() : null;
  }

  /**
   * Returns the output, in the shape of `query`, and the attention weights `[N, L, S]`, or null without `needWeights`.
   */
  override forward(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    masks: AttentionMasks = {},
  ): [Tensor, Tensor | null] {
    checkTensors('MultiheadAttention', query, key, value);
    checkOptions('MultiheadAttention', masks, masksKnown);
    const batched = query.ndim === 3;
    const inputs = [
      ['query', query, this.embedDim],
      ['key', key, this.kdim],
      ['value', value, this.vdim],
    ] as const;
    for (const [name, t, features] of inputs)
      if (t.ndim !== query.ndim || (t.ndim !== 2 && t.ndim !== 3) || t.shape.at(-1) !== features)
        throw new ShapeError(
          'MultiheadAttention',
          `${name} is [length, batch, ${features}], [batch, length, ${features}] with batchFirst ` +
            `or [length, ${features}], got ${shapeText(t)}`,
        );
    const toBatchFirst = (t: Tensor) => (!batched ? t.unsqueeze(0) : this.batchFirst ? t : t.transpose(0, 1));
    const [out, weights] = this.attend(toBatchFirst(query), toBatchFirst(key), toBatchFirst(value), masks);
    if (!batched) return [out.squeeze(0), weights?.squeeze(0) ?? null];
    return [this.batchFirst ? out : out.transpose(0, 1), weights];
  }

  private attend(query: Tensor, key: Tensor, value: Tensor, masks: AttentionMasks): [Tensor, Tensor | null] {
    const { embedDim: e, numHeads: heads } = this;
    const { keyPaddingMask, attnMask, isCausal = false, needWeights = true, averageAttnWeights = true } = masks;
    const [n, l] = query.shape as [number, number];
    const projections = this.inProjWeight?.chunk(3);
    const biases = this.inProjBias?.chunk(3);
    const project = (t: Tensor, i: number, own: Parameter | null, extra: Parameter | null) => {
      let y = linear(t, own ?? projections![i]!, biases?.[i]);
      if (extra) y = cat([y, extra.expand(n, 1, e)], 1);
      if (this.addZeroAttn && i > 0) y = cat([y, zeros([n, 1, e], { dtype: y.dtype, device: y.device })], 1);
      return y.reshape([n, y.shape[1]!, heads, e / heads]).transpose(1, 2);
    };
    const q = project(query, 0, this.qProjWeight, null);
    const k = project(key, 1, this.kProjWeight, this.biasK);
    const v = project(value, 2, this.vProjWeight, this.biasV);
    // Appended keys are never masked.
    const s = k.shape[2]!;
    const added = s - key.shape[1]!;
    let scores = matmul(q.mul(1 / Math.sqrt(e / heads)), k.transpose(-1, -2));
    if (isCausal && attnMask) throw new TypeError('MultiheadAttention: give attnMask or isCausal, not both');
    const mask = isCausal ? causalMask(l, s - added) : attnMask;
    if (mask) {
      const given = pad(additive(mask, scores), [0, added]);
      if (given.ndim !== 2 && given.ndim !== 3)
        throw new ShapeError(
          'MultiheadAttention',
          `attnMask must be [${l}, ${s - added}] or [${n * heads}, ${l}, ${s - added}], got ${shapeText(mask)}`,
        );
      scores = scores.add(given.ndim === 3 ? given.reshape([n, heads, l, s]) : given);
    }
    if (keyPaddingMask) scores = scores.add(pad(additive(keyPaddingMask, scores), [0, added]).reshape([n, 1, 1, s]));
    const weights = softmax(scores, -1);
    const used = dropout(weights, { p: this.dropout, training: this.training });
    const out = matmul(used, v).transpose(1, 2).reshape([n, l, e]);
    return [this.outProj(out), !needWeights ? null : averageAttnWeights ? used.mean(1) : used];
  }

  override extraRepr(): string {
    return `${this.embedDim}, ${this.numHeads}, dropout=${this.dropout}, batchFirst=${this.batchFirst}`;
  }
}
