import { dropout, empty, linear, matmul, ShapeError, softmax, type Tensor, where, zeros } from '@gradgate/core';
import { check, checkOptions, checkTensors, is } from '@gradgate/core/internal';
import { xavierUniform_, zeros_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { checkLayer } from './checkLayer.js';
import { Linear } from './linear.js';

export interface MultiheadAttentionOptions {
  /** Probability with which attention weights are dropped in training. */
  dropout?: number;
  bias?: boolean;
  /** `[N, L, E]` rather than `[L, N, E]`. */
  batchFirst?: boolean;
}

export interface AttentionMasks {
  /** Bool `[N, S]`: true for keys to be left out; floating point: added to the scores. */
  keyPaddingMask?: Tensor | null;
  /** Bool `[L, S]` or `[N * heads, L, S]`: true where attention is **not** allowed; floating point: added. */
  attnMask?: Tensor | null;
  /** Each position sees itself and those before. */
  isCausal?: boolean;
  /** Whether the weights are given too; averaged over the heads unless `averageAttnWeights` is false. */
  needWeights?: boolean;
  averageAttnWeights?: boolean;
}

const attentionOptions = { dropout: is.probability, bias: is.boolean, batchFirst: is.boolean };
const mask = is.nullable(is.tensor);
const masksKnown = {
  keyPaddingMask: mask,
  attnMask: mask,
  isCausal: is.boolean,
  needWeights: is.boolean,
  averageAttnWeights: is.boolean,
};

/** A mask as numbers to be added to scores: bool masks leave out what is true, as PyTorch's modules do. */
const additive = (mask: Tensor, like: Tensor): Tensor =>
  mask.dtype === 'bool' ? where(mask, Number.NEGATIVE_INFINITY, zeros(mask.shape, { dtype: like.dtype })) : mask;

/**
 * The `[n, m]` mask that keeps each position from seeing those after it: 0 where it may look, -Infinity elsewhere. It
 * is added to the scores; `m` is `n` by default.
 *
 * ```ts
 * causalMask(2); // [[0, -Infinity], [0, 0]]
 * ```
 */
export function causalMask(n: number, m = n): Tensor {
  check('causalMask', 'the length', n, is.size);
  check('causalMask', 'the number of keys', m, is.size);
  const mask = zeros([n, m]);
  const data = mask.writableElements();
  for (let i = 0; i < n; i++) for (let j = i + 1; j < m; j++) data[i * m + j] = Number.NEGATIVE_INFINITY;
  return mask;
}

/**
 * Attention of several heads (Vaswani et al., 2017) over `[L, N, E]`, `[N, L, E]` with `batchFirst`, or `[L, E]`. Gives
 * the output, shaped as `query`, and the weights. Options: `dropout` 0, `bias` true, `batchFirst` false. Parameters:
 * `inProjWeight` `[3 E, E]`, `inProjBias` `[3 E]`, and the layer `outProj`. Throws where `numHeads` does not divide
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
  inProjWeight: Parameter;
  inProjBias: Parameter | null;
  readonly outProj: Linear;
  readonly dropout: number;
  readonly batchFirst: boolean;

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    options: MultiheadAttentionOptions = {},
  ) {
    super();
    const { name } = new.target;
    const given = checkLayer(name, { embedDim, numHeads }, options, attentionOptions, is.count);
    const { dropout = 0, bias = true, batchFirst = false } = given;
    if (embedDim % numHeads !== 0)
      throw new ShapeError(name, `${embedDim} features cannot be split into ${numHeads} heads`);
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.inProjWeight = new Parameter(xavierUniform_(empty([3 * embedDim, embedDim])));
    this.inProjBias = bias ? new Parameter(zeros([3 * embedDim])) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias });
    if (this.outProj.bias) zeros_(this.outProj.bias);
  }

  /** Gives the output, shaped as `query`, and the attention weights `[N, L, S]`, or null if they are not wanted. */
  override forward(
    query: Tensor,
    key: Tensor = query,
    value: Tensor = key,
    masks: AttentionMasks = {},
  ): [Tensor, Tensor | null] {
    checkTensors('MultiheadAttention', query, key, value);
    checkOptions('MultiheadAttention', masks, masksKnown);
    const batched = query.ndim === 3;
    for (const t of [query, key, value])
      if (t.ndim !== query.ndim || (t.ndim !== 2 && t.ndim !== 3) || t.shape.at(-1) !== this.embedDim)
        throw new ShapeError(
          'MultiheadAttention',
          `query, key and value are [length, batch, ${this.embedDim}], [batch, length, ${this.embedDim}] with batchFirst ` +
            `or [length, ${this.embedDim}], got [${t.shape.join(', ')}]`,
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
    const s = key.shape[1]!;
    const project = (t: Tensor, i: number) => {
      const y = linear(t, this.inProjWeight.narrow(0, i * e, e), this.inProjBias?.narrow(0, i * e, e));
      return y.reshape([n, t.shape[1]!, heads, e / heads]).transpose(1, 2);
    };
    const [q, k, v] = [project(query, 0), project(key, 1), project(value, 2)];
    let scores = matmul(q.mul(1 / Math.sqrt(e / heads)), k.transpose(-1, -2));
    if (isCausal && attnMask) throw new TypeError('MultiheadAttention: give attnMask or isCausal, not both');
    const mask = isCausal ? causalMask(l, s) : attnMask;
    if (mask) {
      const given = additive(mask, scores);
      if (given.ndim !== 2 && given.ndim !== 3)
        throw new ShapeError(
          'MultiheadAttention',
          `attnMask is [${l}, ${s}] or [${n * heads}, ${l}, ${s}], got [${mask.shape.join(', ')}]`,
        );
      scores = scores.add(given.ndim === 3 ? given.reshape([n, heads, l, s]) : given);
    }
    if (keyPaddingMask) scores = scores.add(additive(keyPaddingMask, scores).reshape([n, 1, 1, s]));
    const weights = softmax(scores, -1);
    const used = dropout(weights, { p: this.dropout, training: this.training });
    const out = matmul(used, v).transpose(1, 2).reshape([n, l, e]);
    return [this.outProj(out), !needWeights ? null : averageAttnWeights ? used.mean(1) : used];
  }

  override extraRepr(): string {
    return `${this.embedDim}, ${this.numHeads}, dropout=${this.dropout}, batchFirst=${this.batchFirst}`;
  }
}
