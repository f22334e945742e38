import { check, checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { mul } from '../ops/elementwise.js';
import { indexSelect, scatterReduce as reduceOthers, scatter } from '../ops/indexing.js';
import { prod } from '../ops/reduce.js';
import { expand } from '../ops/shape.js';
import { checkIntegers, checkTensors } from '../tensor/check.js';
import { elementsOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';

/** Options of reductions into the elements that an index selects. */
export interface ReduceOptions {
  /** Whether the elements of `x` take part, by default true. */
  includeSelf?: boolean;
}

const reduceOptions = { includeSelf: is.boolean };
const reductions = is.oneOf('sum', 'prod', 'mean', 'amax', 'amin');

/**
 * Like core's `scatterReduce`, and also for 'prod': `x` in which the elements of `src` that `index` sends to one
 * position along `dim` are reduced into it.
 *
 * ```ts
 * const index = tensor([0, 0, 1], { dtype: 'int32' });
 * more.scatterReduce(ones([2]), 0, index, tensor([2, 5, 3]), 'prod'); // [10, 3]
 * ```
 */
export const scatterReduce = /* @__PURE__ */ named(
  'scatterReduce',
  (
    x: Tensor,
    dim: number,
    index: Tensor,
    src: Tensor,
    reduce: 'sum' | 'prod' | 'mean' | 'amax' | 'amin',
    options?: ReduceOptions,
  ): Tensor => {
    check('scatterReduce', 'reduce', reduce, reductions);
    if (reduce !== 'prod') return reduceOthers(x, dim, index, src, reduce, options);
    checkTensors('scatterReduce', x, index, src);
    // Bad arguments of the others are refused by the sum.
    reduceOthers(x.detach(), dim, index, src.detach(), 'sum', options);
    const { includeSelf = true } = checkOptions('scatterReduce', options, reduceOptions);
    return products(x, normalizeDim('scatterReduce', dim, x.ndim), index, src, includeSelf);
  },
);

/** The elements of each position side by side, padded with ones: the product of a row is theirs, with all gradients. */
function products(x: Tensor, d: number, index: Tensor, src: Tensor, includeSelf: boolean): Tensor {
  if (index.numel === 0) return x.clone();
  const part = index.shape.reduce((t, n, i) => t.narrow(i, 0, n), src).reshape(-1);
  const targets = positions(x, d, index);
  const lines = new Map<number, number>();
  const counts: number[] = [];
  const places = new Int32Array(targets.length);
  const nth = new Int32Array(targets.length);
  targets.forEach((target, i) => {
    let line = lines.get(target);
    if (line === undefined) {
      line = lines.size;
      lines.set(target, line);
      counts.push(0);
    }
    places[i] = line;
    nth[i] = counts[line]!++;
  });
  const width = counts.reduce((a, b) => Math.max(a, b));
  const { backend } = x.storage;
  const ints = (values: Int32Array) => Tensor.of(values, 'int32', [values.length], backend);
  const ones = Tensor.zeros(x.dtype, [lines.size * width], backend).add(1);
  const filled = scatter(ones.to(x.dtype), 0, ints(places.map((line, i) => line * width + nth[i]!)), part);
  const product = prod(filled.reshape(lines.size, width), 1).to(x.dtype);
  const at = ints(Int32Array.from(lines.keys()));
  const flat = x.reshape(-1);
  const values = includeSelf ? mul(indexSelect(flat, 0, at), product) : product;
  return scatter(flat, 0, at, values).reshape(x.shape);
}

/** The position in the flattened tensor that each element of an index selects. */
function positions({ shape, ndim }: Tensor, d: number, index: Tensor): number[] {
  const along = elementsOf(index, 'scatterReduce');
  const at = new Array<number>(ndim).fill(0);
  return Array.from(along, (name) => {
    let position = 0;
    for (let i = 0; i < ndim; i++) position = position * shape[i]! + (i === d ? name : at[i]!);
    for (let i = ndim - 1; i >= 0 && ++at[i]! === index.shape[i]; i--) at[i] = 0;
    return position;
  });
}

/**
 * `x` with the slices of `source` along `dim` reduced into the slices that `index` (integers, one dimension) selects.
 *
 * ```ts
 * const index = tensor([0, 0], { dtype: 'int32' });
 * indexReduce(ones([2, 2]), 0, index, tensor([[2, 3], [4, 5]]), 'prod'); // [[8, 15], [1, 1]]
 * ```
 */
export const indexReduce = /* @__PURE__ */ named(
  'indexReduce',
  (
    x: Tensor,
    dim: number,
    index: Tensor,
    source: Tensor,
    reduce: 'sum' | 'prod' | 'mean' | 'amax' | 'amin',
    options?: ReduceOptions,
  ): Tensor => {
    checkTensors('indexReduce', x, index, source);
    checkIntegers('indexReduce', 'indices', index);
    const d = normalizeDim('indexReduce', dim, x.ndim);
    const expected = x.shape.map((n, i) => (i === d ? index.numel : n));
    if (index.ndim > 1 || formatShape(source.shape) !== formatShape(expected))
      throw new ShapeError('indexReduce', `source must be ${formatShape(expected)}, got ${formatShape(source.shape)}`);
    const column = index.reshape(x.shape.map((_, i) => (i === d ? -1 : 1)));
    return scatterReduce(x, d, expand(column, expected), source, reduce, options);
  },
);
