import { cpu } from '../backend/cpu.js';
import { elementsOf } from '../backend/host/data.js';
import { DeviceError, DTypeError, named } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { recordManyCustom } from '../graph/node.js';
import { embedding as denseEmbedding } from '../ops/embedding.js';
import { indexAdd } from '../ops/indexing.js';
import { ne } from '../ops/relational.js';
import { where } from '../ops/where.js';
import { checkTensors } from '../tensor/check.js';
import { Tensor } from '../tensor/tensor.js';
import { type RowsDType, RowsStorage, summed } from './rows.js';

/**
 * The rows of `weight` `[V, E]` that `index` (integers, any shape) selects: `[..., E]`. Like core's `embedding`, but
 * the gradient of `weight` is sparse: it holds only the rows that were selected, so the cost depends on those and not
 * on the size of the table. Row `paddingIdx` gets no gradient. A gradient that is itself recorded (`createGraph`) is
 * dense. For float32 and float64 on the CPU.
 *
 * ```ts
 * const weight = zeros([1000, 2]).requiresGrad_();
 * sparse.embedding(tensor([7, 7], { dtype: 'int32' }), weight).sum().backward();
 * isSparse(weight.grad!); // true
 * toSparse(weight.grad!).values(); // [[2, 2]]
 * ```
 */
export const embedding = /* @__PURE__ */ named(
  'embedding',
  (index: Tensor, weight: Tensor, options?: { paddingIdx?: number }): Tensor => {
    checkTensors('embedding', index, weight);
    const { shape } = weight;
    if (weight.requiresGrad && isGradEnabled()) checkWeight(weight);
    const out = denseEmbedding(index, weight.detach(), options);
    const paddingIdx = options?.paddingIdx;
    recordManyCustom(
      'embedding',
      [weight],
      [out],
      ([g], ctx) => {
        const [at] = ctx.saved as [Tensor];
        return [isGradEnabled() ? denseGradient(g!, at, shape, paddingIdx) : sparseGradient(g!, at, shape, paddingIdx)];
      },
      [index],
    );
    return out;
  },
);

function checkWeight({ dtype, storage, device }: Tensor): void {
  if (dtype !== 'float32' && dtype !== 'float64')
    throw new DTypeError('embedding', `the weight must be float32 or float64, got ${dtype}`);
  if (storage.backend !== cpu)
    throw new DeviceError('embedding', `the weight must be on cpu, got ${device}; sparse gradients are there only`);
}

function sparseGradient(g: Tensor, at: Tensor, shape: Tensor['shape'], paddingIdx: number | undefined): Tensor {
  const width = shape[1]!;
  const [index, values] = [elementsOf(at), elementsOf(g)];
  const storage = new RowsStorage(g.dtype as RowsDType, shape[0]! * width);
  storage.rows = summed(index, values, width, storage.dtype, paddingIdx);
  return new Tensor(storage, g.dtype, shape);
}

function denseGradient(g: Tensor, at: Tensor, shape: Tensor['shape'], paddingIdx: number | undefined): Tensor {
  const index = at.reshape(-1);
  const rows = g.reshape(-1, shape[1]!);
  const kept = paddingIdx === undefined ? rows : where(ne(index, paddingIdx).unsqueeze(1), rows, 0);
  return indexAdd(Tensor.zeros(g.dtype, shape, g.storage.backend), 0, index, kept);
}
