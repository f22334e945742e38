import { cpu } from '../backend/cpu.js';
import { elementsOf } from '../backend/host/data.js';
import { DeviceError, DTypeError, named } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { recordManyCustom } from '../graph/node.js';
import { ne, where } from '../ops/elementwise.js';
import { embedding as denseEmbedding } from '../ops/embedding.js';
import { indexAdd } from '../ops/indexing.js';
import { checkTensors } from '../tensor/check.js';
import { Tensor } from '../tensor/tensor.js';
import { type RowsDType, RowsStorage, summed } from './rows.js';

/**
 * The rows of `weight` `[V, E]` that `index` (integers) names: `[..., E]`. As `embedding` of core, but the gradient of `weight` is
 * sparse: it has the rows that were named alone, so that a large table costs no more than what is read of it. Row `paddingIdx` gets
 * none. A gradient that is recorded itself, by `createGraph`, is dense. For float32 and float64 on the CPU.
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
    throw new DTypeError('embedding', `a sparse gradient is float32 or float64, this weight is ${dtype}`);
  if (storage.backend !== cpu)
    throw new DeviceError('embedding', `a sparse gradient is that of a weight on cpu, this one is on ${device}`);
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
