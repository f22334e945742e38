import { checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { floatOnly } from './define.js';
import { dropout } from './dropout.js';
import { add, mul } from './elementwise.js';
import { matmul } from './matmul.js';
import { transpose } from './shape.js';
import { attentionWeights, softmax } from './softmax.js';
import { where } from './where.js';

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** Bool: true where attention is allowed; floating point: added to the scores. Broadcasts to `[..., L, S]`. */
  attnMask?: Tensor | null;
  /** The probability that a weight is set to 0; 0 by default. */
  dropoutP?: number;
  /** Each position attends to itself and to earlier ones only. */
  isCausal?: boolean;
  /** The factor of the scores; `1 / sqrt(E)` by default. */
  scale?: number;
}

const attentionOptions = {
  attnMask: is.nullable(is.tensor),
  dropoutP: is.probability,
  isCausal: is.boolean,
  scale: is.number,
};

/**
 * `softmax(query @ key.T * scale) @ value`: `[..., L, E]`, `[..., S, E]`, `[..., S, V]` to `[..., L, V]`.
 *
 * ```ts
 * scaledDotProductAttention(randn([2, 5, 8]), randn([2, 7, 8]), randn([2, 7, 4])).shape; // [2, 5, 4]
 * ```
 */
export const scaledDotProductAttention = /* @__PURE__ */ named(
  'scaledDotProductAttention',
  (query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): Tensor => {
    checkTensors('scaledDotProductAttention', query, key, value);
    const op = 'scaledDotProductAttention';
    for (const t of [query, key, value]) {
      floatOnly(op, t);
      if (t.ndim < 2) throw new ShapeError(op, `takes [..., length, features], got ${formatShape(t.shape)}`);
    }
    if (query.shape.at(-1) !== key.shape.at(-1) || key.shape.at(-2) !== value.shape.at(-2))
      throw new ShapeError(
        op,
        `query ${formatShape(query.shape)}, key ${formatShape(key.shape)} and value ${formatShape(value.shape)}: expected [..., L, E], [..., S, E] and [..., S, V]`,
      );
    const {
      attnMask,
      dropoutP = 0,
      isCausal = false,
      scale = 1 / Math.sqrt(query.shape.at(-1)!),
    } = checkOptions(op, options, attentionOptions);
    if (isCausal && attnMask) throw new TypeError(`${op}: give attnMask or isCausal, not both`);
    const products = matmul(query, transpose(key, -1, -2));
    const weights = attnMask
      ? softmax(masked(mul(products, scale), attnMask), -1)
      : attentionWeights(products, scale, isCausal);
    const dropped = dropout(weights, { p: dropoutP, training: dropoutP > 0 });
    return matmul(dropped, value);
  },
);

const masked = (scores: Tensor, mask: Tensor): Tensor =>
  mask.dtype === 'bool' ? where(mask, scores, Number.NEGATIVE_INFINITY) : add(scores, mask);
