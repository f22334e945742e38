import { embedding, IndexError, ShapeError, stack, type Tensor, zeros } from '@gradgate/core';
import { checkOptions, checkTensors, is, named } from '@gradgate/core/internal';

export interface EmbeddingBagOptions {
  /** Where each bag starts in a one-dimensional index: int32 `[B]`, rising from 0. */
  offsets?: Tensor | null;
  mode?: 'sum' | 'mean' | 'max';
}

const embeddingBagOptions = { offsets: is.nullable(is.tensor), mode: is.oneOf('sum', 'mean', 'max') };

/**
 * Rows of `weight` `[V, E]`, a bag at a time, as a `mode` 'mean' (the default), 'sum' or 'max': `index` `[B, n]`, or
 * `[total]` with `offsets` `[B]`; gives `[B, E]`.
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
    const { offsets, mode = 'mean' } = checkOptions('embeddingBag', options, embeddingBagOptions);
    const reduce = (rows: Tensor, dim: number) =>
      mode === 'sum' ? rows.sum(dim) : mode === 'mean' ? rows.mean(dim) : rows.max(dim).values;
    if (index.ndim === 2) {
      if (offsets) throw new TypeError('embeddingBag: offsets go with a one-dimensional index only');
      return reduce(embedding(index, weight), 1);
    }
    if (index.ndim !== 1 || !offsets || offsets.ndim !== 1)
      throw new ShapeError(
        'embeddingBag',
        `takes an index [B, n], or [total] with offsets [B], got [${index.shape.join(', ')}]`,
      );
    if (offsets.numel === 0) throw new ShapeError('embeddingBag', 'offsets are empty; they name at least one bag');
    const starts = [...offsets.toTypedArray()];
    const ends = [...starts.slice(1), index.numel];
    if (starts[0] !== 0 || starts.some((start, i) => start > ends[i]!))
      throw new IndexError('embeddingBag', `offsets rise from 0 to at most ${index.numel}, got [${starts.join(', ')}]`);
    const rows = embedding(index, weight);
    return stack(
      starts.map((start, i) =>
        start === ends[i]
          ? zeros([weight.shape[1]!], { dtype: weight.dtype, device: weight.device })
          : reduce(rows.narrow(0, start, ends[i]! - start), 0),
      ),
    );
  },
);
