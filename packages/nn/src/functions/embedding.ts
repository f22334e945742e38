import {
  arange,
  backend,
  DeviceError,
  embedding as denseEmbedding,
  IndexError,
  ones,
  ShapeError,
  searchsorted,
  stack,
  type Tensor,
  where,
  zeros,
} from '@gradgate/core';
import { checkOptions, checkTensors, is, named, sameShape, show } from '@gradgate/core/internal';
import { embedding as sparseEmbedding } from '@gradgate/core/sparse';
import { shapeText } from '../shapeText.js';

/** Rows of `weight`, whose gradient may be sparse. */
export const lookUp = (index: Tensor, weight: Tensor, sparse: boolean, paddingIdx: number | undefined): Tensor =>
  (sparse ? sparseEmbedding : denseEmbedding)(index, weight, { paddingIdx });

/** Options of `embeddingBag`. */
export interface EmbeddingBagOptions {
  /** The index where each bag starts, for a one-dimensional index: integers `[B]`, ascending from 0. */
  offsets?: Tensor | null;
  /** How the rows of a bag are combined; 'mean' by default. */
  mode?: 'sum' | 'mean' | 'max';
  /** The entry for padding: bags leave it out, and it gets no gradient. */
  paddingIdx?: number;
  /** What each row is multiplied by, in the shape of the index; with mode 'sum' only. */
  perSampleWeights?: Tensor | null;
  /** Whether `offsets` has one number more, where the last bag ends; false by default. */
  includeLastOffset?: boolean;
  /** Whether the gradient of `weight` is sparse: it holds only the rows that were looked up. False by default. */
  sparse?: boolean;
}

const mode = is.oneOf('sum', 'mean', 'max');
const embeddingBagOptions = {
  offsets: is.nullable(is.tensor),
  mode,
  paddingIdx: is.integer,
  perSampleWeights: is.nullable(is.tensor),
  includeLastOffset: is.boolean,
  sparse: is.boolean,
};

/** The index of an entry, where a negative one counts from the end; throws if it is out of range. */
export function resolveIndex(op: string, entries: number, paddingIdx: number): number {
  const i = paddingIdx < 0 ? entries + paddingIdx : paddingIdx;
  if (i >= 0 && i < entries) return i;
  throw new ShapeError(op, `paddingIdx ${paddingIdx} is out of range for ${entries} entries`);
}

/** The bags `[B, E]` of rows `[total, E]`, where the offsets cannot be read: each row looks up which bag it is in. */
function bagsByLookup(mode: EmbeddingBagOptions['mode'], rows: Tensor, kept: Tensor | null, offsets: Tensor): Tensor {
  const [total, width] = rows.shape as [number, number];
  const on = { device: rows.device };
  const bag = searchsorted(offsets, arange(total, on), { right: true }).sub(1);
  const counted = kept ?? ones([total], { ...on, dtype: 'bool' });
  if (mode === 'max') {
    // [B, total]: the rows of each bag that count.
    const own = bag.eq(arange(offsets.numel, on).unsqueeze(1)).logicalAnd(counted);
    return total === 0
      ? zeros([offsets.numel, width], { ...on, dtype: rows.dtype })
      : reduceBag('max', rows.unsqueeze(0), own, 1);
  }
  const added = (part: Tensor): Tensor =>
    zeros([offsets.numel, ...part.shape.slice(1)], { ...on, dtype: rows.dtype }).indexAdd(0, bag, part);
  const sum = added(where(counted.unsqueeze(1), rows, 0));
  return mode === 'sum' ? sum : sum.div(added(counted.to(rows.dtype)).clamp(1).unsqueeze(1));
}

function checkSampleWeights(weights: Tensor, index: Tensor, mode: EmbeddingBagOptions['mode']): void {
  if (mode !== 'sum') throw new TypeError(`embeddingBag: perSampleWeights go with mode 'sum' only, got '${mode}'`);
  if (!sameShape(weights.shape, index.shape))
    throw new ShapeError(
      'embeddingBag',
      `perSampleWeights must have the shape of the index, ${shapeText(index)}, got ${shapeText(weights)}`,
    );
}

/** Combines the rows of each bag along `dim`. `kept` marks the rows that count; a bag without any gives 0. */
function reduceBag(mode: EmbeddingBagOptions['mode'], rows: Tensor, kept: Tensor | null, dim: number): Tensor {
  if (!kept) return mode === 'sum' ? rows.sum(dim) : mode === 'mean' ? rows.mean(dim) : rows.max(dim).values;
  const counted = kept.unsqueeze(-1);
  if (mode === 'max') {
    const maxima = where(counted, rows, Number.NEGATIVE_INFINITY).max(dim).values;
    return where(counted.any(dim), maxima, 0);
  }
  const sum = where(counted, rows, 0).sum(dim);
  return mode === 'sum' ? sum : sum.div(counted.to(rows.dtype).sum(dim).clamp(1));
}

/**
 * Combines rows of `weight` `[V, E]` by bags, as their mean, sum or maximum (option `mode`, 'mean' by default): `index`
 * `[B, n]`, or `[total]` with `offsets` `[B]`, to `[B, E]`. Entries equal to `paddingIdx` are left out; with
 * `perSampleWeights` a sum is weighted. Throws for an index out of range.
 *
 * ```ts
 * const index = tensor([[0, 1]], { dtype: 'int32' });
 * functional.embeddingBag(index, tensor([[1, 2], [3, 4]])); // [[2, 3]]
 * ```
 */
export const embeddingBag = /* @__PURE__ */ named(
  'embeddingBag',
  (index: Tensor, weight: Tensor, options?: EmbeddingBagOptions): Tensor => {
    checkTensors('embeddingBag', index, weight);
    const {
      offsets,
      mode = 'mean',
      paddingIdx,
      perSampleWeights,
      includeLastOffset = false,
      sparse = false,
    } = checkOptions('embeddingBag', options, embeddingBagOptions);
    const padding = paddingIdx === undefined ? undefined : resolveIndex('embeddingBag', weight.shape[0]!, paddingIdx);
    const kept = padding === undefined ? null : index.ne(padding);
    if (perSampleWeights) checkSampleWeights(perSampleWeights, index, mode);
    // What is left out of a bag has a gradient of 0, which needs no row.
    const look = () => {
      const rows = lookUp(index, weight, sparse, sparse ? padding : undefined);
      return perSampleWeights ? rows.mul(perSampleWeights.unsqueeze(-1)) : rows;
    };
    if (index.ndim === 2) {
      if (offsets) throw new TypeError('embeddingBag: offsets go with a one-dimensional index only');
      return reduceBag(mode, look(), kept, 1);
    }
    if (index.ndim !== 1 || !offsets || offsets.ndim !== 1)
      throw new ShapeError(
        'embeddingBag',
        `takes an index [B, n], or [total] with offsets [B], got ${shapeText(index)}`,
      );
    const bags = offsets.numel - Number(includeLastOffset);
    if (bags < 1) throw new ShapeError('embeddingBag', 'offsets are empty: give the start of at least one bag');
    if (backend(offsets.device).isAsync) {
      // Rows behind the last bag belong to none, and how many there are is a number in `offsets`.
      if (includeLastOffset)
        throw new DeviceError(
          'embeddingBag',
          `where the last bag ends can't be read on ${offsets.device}; cut the index, and leave includeLastOffset out`,
        );
      return bagsByLookup(mode, look(), kept, offsets);
    }
    const given = [...offsets.toTypedArray()];
    const starts = given.slice(0, bags);
    const ends = includeLastOffset ? given.slice(1) : [...starts.slice(1), index.numel];
    if (starts[0] !== 0 || starts.some((start, i) => start > ends[i]!) || ends[bags - 1]! > index.numel)
      throw new IndexError('embeddingBag', `offsets must ascend from 0 to at most ${index.numel}, got ${show(given)}`);
    const rows = look();
    return stack(
      starts.map((start, i) =>
        start === ends[i]
          ? zeros([weight.shape[1]!], { dtype: weight.dtype, device: weight.device })
          : reduceBag(
              mode,
              rows.narrow(0, start, ends[i]! - start),
              kept?.narrow(0, start, ends[i]! - start) ?? null,
              0,
            ),
      ),
    );
  },
);
