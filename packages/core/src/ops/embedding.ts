import { checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import { checkIntegers, checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { indexSelect } from './indexing.js';
import { ne } from './relational.js';
import { reshape } from './shape.js';
import { where } from './where.js';

const embeddingOptions = { paddingIdx: is.integer };

/**
 * The rows of `weight` `[V, E]` that `index` (integers) names: `[..., E]`. Row `paddingIdx` gets no gradient.
 *
 * ```ts
 * embedding(tensor([1, 0], { dtype: 'int32' }), tensor([[1, 2], [3, 4]])); // [[3, 4], [1, 2]]
 * ```
 */
export const embedding = /* @__PURE__ */ named(
  'embedding',
  (index: Tensor, weight: Tensor, options?: { paddingIdx?: number }): Tensor => {
    const { paddingIdx } = checkOptions('embedding', options, embeddingOptions);
    checkTensors('embedding', index, weight);
    checkIntegers('embedding', 'indices', index);
    if (weight.ndim !== 2)
      throw new ShapeError('embedding', `weight must be [entries, features], got ${formatShape(weight.shape)}`);
    const flat = reshape(index, -1);
    let rows = indexSelect(weight, 0, flat);
    if (paddingIdx !== undefined) rows = where(ne(flat, paddingIdx).unsqueeze(1), rows, rows.detach());
    return reshape(rows, [...index.shape, weight.shape[1]!]);
  },
);
