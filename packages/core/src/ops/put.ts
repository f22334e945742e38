import { entered } from '../errors.js';
import { record } from '../graph/node.js';
import { type Along, clearAlong, copyOf, gatherAlong, readTo, writeTo } from '../graph/positions.js';
import type { Shape } from '../memory/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { eq } from './relational.js';
import { where } from './where.js';

/** `x` with the elements of `src` where `index` names elements; of repeated ones the last wins. */
export function putAlong(op: string, x: Tensor, dim: Along, index: Tensor, src: Tensor): Tensor {
  entered.op = op;
  const out = writeTo(copyOf(x), op, 'set', dim, index, src);
  const { shape } = x;
  return record(
    op,
    [x, src],
    out,
    (g, ctx) => {
      const index = ctx.saved[0]!;
      return [
        ctx.needs(0) ? clearAlong(g, dim, index) : null,
        ctx.needs(1) ? where(isLast(dim, index, shape), gatherAlong('gather', g, dim, index), 0) : null,
      ];
    },
    [index],
  );
}

/**
 * Which elements of a write to a tensor of `shape` are not overwritten by later ones: bool, in the shape of the index.
 */
function isLast(dim: Along, index: Tensor, shape: Shape): Tensor {
  const { backend } = index.storage;
  const numbers = Tensor.of(
    Int32Array.from({ length: index.numel }, (_, i) => i),
    'int32',
    index.shape,
    backend,
  );
  const writers = writeTo(Tensor.zeros('int32', shape, backend), 'scatter', 'set', dim, index, numbers);
  const last = Tensor.uninitialized('int32', index.shape, backend);
  readTo(last, 'gather', writers, dim, index);
  return eq(last, numbers);
}
