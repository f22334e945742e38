import { check, checkOptions, show } from '../check.js';
import { DTypeError, named, ShapeError } from '../errors.js';
import { isFloat } from '../memory/dtype.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { add, exp, log, mul, sub } from '../ops/elementwise.js';
import { indexAdd, indexSelect } from '../ops/indexing.js';
import { matmul as denseMatmul } from '../ops/matmul.js';
import { logSoftmax as denseLogSoftmax, softmax as denseSoftmax } from '../ops/softmax.js';
import { sum as denseSum } from '../ops/sum.js';
import { elementsOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { beside, placesOf, ranked } from './entries.js';
import { SparseTensor } from './sparseTensor.js';

// PyTorch's torch.sparse: functions of sparse tensors.

function checkEither(op: string, name: string, x: unknown): void {
  if (!SparseTensor.is(x) && !Tensor.is(x))
    throw new TypeError(`${op}: ${name} must be a tensor, sparse or dense, got ${show(x)}`);
}

function checkSparse(op: string, name: string, x: unknown): asserts x is SparseTensor {
  checkEither(op, name, x);
  if (!SparseTensor.is(x))
    throw new TypeError(`${op}: ${name} must be a sparse tensor, got a dense one; use toSparse()`);
}

function checkDense(op: string, name: string, x: unknown): asserts x is Tensor {
  checkEither(op, name, x);
  if (SparseTensor.is(x)) throw new TypeError(`${op}: ${name} must be dense, got a sparse tensor; use toDense()`);
}

/**
 * The product of matrices of which one or both are sparse. With a dense one it is dense: `[m, n]` times `[n]` or
 * `[n, k]`, and `[k, m]` or `[m]` times `[m, n]`. Of two sparse ones it is sparse and coalesced.
 *
 * ```ts
 * const a = sparseCooTensor([[0], [1]], [2], [2, 2]);
 * sparse.matmul(a, tensor([[1], [3]])); // [[6], [0]]
 * sparse.matmul(tensor([1, 3]), a); // [0, 2]
 * sparse.matmul(a, a.t()).toDense(); // [[4, 0], [0, 0]]
 * ```
 */
export function matmul(a: SparseTensor, b: SparseTensor): SparseTensor;
/** The product of a sparse or dense factor and a dense one: dense. */
export function matmul(a: SparseTensor | Tensor, b: Tensor): Tensor;
/** The product of a dense factor and a sparse or dense one: dense. */
export function matmul(a: Tensor, b: SparseTensor | Tensor): Tensor;
/** The product: sparse if both factors are, else dense. */
export function matmul(a: SparseTensor | Tensor, b: SparseTensor | Tensor): SparseTensor | Tensor;
export function matmul(a: SparseTensor | Tensor, b: SparseTensor | Tensor): SparseTensor | Tensor {
  checkEither('matmul', 'a', a);
  checkEither('matmul', 'b', b);
  if (SparseTensor.is(a)) return a.matmul(b);
  if (!SparseTensor.is(b)) return denseMatmul(a, b);
  if (a.ndim < 1 || a.ndim > 2 || b.ndim !== 2 || a.shape.at(-1) !== b.shape[0])
    throw new ShapeError(
      'matmul',
      `takes [m] or [k, m] and [m, n], got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  const turned = b.t();
  return a.ndim === 1 ? turned.matmul(a) : turned.matmul(a.transpose(0, 1)).transpose(0, 1);
}

/**
 * The product of two matrices, `[m, n]` and `[n, k]`, of which one or both are sparse: like `matmul`, without vectors.
 *
 * ```ts
 * sparse.mm(sparseCooTensor([[0], [1]], [2], [2, 2]), eye(2)); // [[0, 2], [0, 0]]
 * ```
 */
export const mm = /* @__PURE__ */ named('mm', ((a: SparseTensor | Tensor, b: SparseTensor | Tensor) => {
  checkEither('mm', 'a', a);
  checkEither('mm', 'b', b);
  if (a.ndim !== 2 || b.ndim !== 2)
    throw new ShapeError('mm', `takes two matrices, got ${formatShape(a.shape)} and ${formatShape(b.shape)}`);
  return matmul(a, b);
}) as typeof matmul);

/** Options of `addmm` and `sampledAddmm`. */
export interface AddmmOptions {
  /** The factor of the input, by default 1. */
  beta?: number;
  /** The factor of the product, by default 1. */
  alpha?: number;
}

const addmmOptions = { beta: is.number, alpha: is.number };

/**
 * `beta * input + alpha * (a @ b)` for dense `input` that broadcasts to `[m, k]`, sparse `a` `[m, n]` and dense `b`
 * `[n, k]`: dense `[m, k]`.
 *
 * ```ts
 * const a = sparseCooTensor([[0], [1]], [2], [2, 2]);
 * sparse.addmm(ones([2, 2]), a, eye(2), { alpha: 10 }); // [[1, 21], [1, 1]]
 * ```
 */
export const addmm = /* @__PURE__ */ named(
  'addmm',
  (input: Tensor, a: SparseTensor, b: Tensor, options?: AddmmOptions): Tensor => {
    const { beta = 1, alpha = 1 } = checkOptions('addmm', options, addmmOptions);
    checkDense('addmm', 'input', input);
    checkSparse('addmm', 'a', a);
    checkDense('addmm', 'b', b);
    const product = mul(mm(a, b) as Tensor, alpha);
    // As in PyTorch, beta 0 ignores the input, even where it is NaN.
    const out = beta === 0 ? product : add(mul(input, beta), product);
    if (out.ndim === 2 && out.shape[0] === product.shape[0] && out.shape[1] === product.shape[1]) return out;
    throw new ShapeError(
      'addmm',
      `the input ${formatShape(input.shape)} does not broadcast to ${formatShape(product.shape)}`,
    );
  },
);

/**
 * The elements of `alpha * (a @ b)` where `input` `[m, k]` stores entries, plus `beta * input`: sparse, with the
 * entries of `input`. The product of dense `a` `[m, n]` and `b` `[n, k]` is computed only there, as for the weights of
 * edges in graph attention.
 *
 * ```ts
 * const edges = sparseCooTensor([[0], [1]], [1], [2, 2]);
 * sampledAddmm(edges, tensor([[1], [2]]), tensor([[3, 4]]), { beta: 0 }).values(); // [4]
 * ```
 */
export const sampledAddmm = /* @__PURE__ */ named(
  'sampledAddmm',
  (input: SparseTensor, a: Tensor, b: Tensor, options?: AddmmOptions): SparseTensor => {
    const op = 'sampledAddmm';
    const { beta = 1, alpha = 1 } = checkOptions(op, options, addmmOptions);
    checkSparse(op, 'input', input);
    checkDense(op, 'a', a);
    checkDense(op, 'b', b);
    const [m, k] = input.shape;
    const fits = input.ndim === 2 && input.sparseDim === 2 && a.ndim === 2 && b.ndim === 2;
    if (!fits || a.shape[0] !== m || b.shape[1] !== k || a.shape[1] !== b.shape[0])
      throw new ShapeError(
        op,
        `takes [m, k], [m, n] and [n, k], got ${[input, a, b].map(({ shape }) => formatShape(shape)).join(', ')}`,
      );
    if (a.dtype !== input.dtype || b.dtype !== input.dtype)
      throw new DTypeError(op, `the tensors are ${input.dtype}, ${a.dtype} and ${b.dtype}; convert them with to()`);
    return input.coalesce().mapEntries(op, (values, indices) => {
      const rows = indexSelect(a, 0, indices.select(0, 0));
      const columns = indexSelect(b.t(), 0, indices.select(0, 1));
      const products = mul(denseSum(mul(rows, columns), 1), alpha);
      return beta === 0 ? products : add(mul(values, beta), products);
    });
  },
);

/** What a dense softmax along `dim` is over the stored entries alone. */
function over(op: string, x: SparseTensor, dim: number, isLog: boolean): SparseTensor {
  checkSparse(op, 'x', x);
  const along = normalizeDim(op, dim, x.ndim);
  if (!isFloat(x.dtype)) throw new DTypeError(op, `takes floating point tensors, got ${x.dtype}; use .to('float32')`);
  const own = x.coalesce();
  const { sparseDim, shape } = own;
  return own.mapEntries(op, (values, indices) => {
    if (along >= sparseDim) return (isLog ? denseLogSoftmax : denseSoftmax)(values, along - sparseDim + 1);
    if (own.nnz === 0) return values;
    // Entries that differ only in this coordinate belong together.
    const others = shape.slice(0, sparseDim).flatMap((_, d) => (d === along ? [] : [d]));
    const { order, slots } = ranked(placesOf(op, { shape, indices, values, isCoalesced: true }, others));
    const group = beside(indices, slots);
    const most = indexSelect(largest(op, values, slots, order.length), 0, group);
    const shifted = sub(values, most);
    const zeros = Tensor.zeros(values.dtype, most.shape.with(0, order.length), values.storage.backend);
    const sizes = log(indexAdd(zeros, 0, group, exp(shifted)));
    const logs = sub(shifted, indexSelect(sizes, 0, group));
    return isLog ? logs : exp(logs);
  });
}

/** The largest value of each group; it only keeps exponentials in range, so it has no gradient. */
function largest(op: string, values: Tensor, slots: Int32Array, groups: number): Tensor {
  const from = elementsOf(values.detach(), op);
  const width = from.length / slots.length;
  const most = new Float64Array(groups * width).fill(Number.NEGATIVE_INFINITY);
  slots.forEach((slot, i) => {
    for (let k = 0; k < width; k++) most[slot * width + k] = Math.max(most[slot * width + k]!, from[i * width + k]!);
  });
  // An infinite one would make differences NaN.
  for (let i = 0; i < most.length; i++) if (most[i] === Number.NEGATIVE_INFINITY) most[i] = 0;
  const shape = [groups, ...values.shape.slice(1)];
  return Tensor.of(most, 'float64', shape, values.storage.backend).to(values.dtype);
}

/**
 * Softmax along `dim` over the stored entries: elements that are not stored count as minus infinity, so that they
 * stay 0. The result is coalesced and has the entries of `x`.
 *
 * ```ts
 * const scores = sparseCooTensor([[0, 0, 1], [0, 2, 1]], [1, 1, 5], [2, 3]);
 * sparse.softmax(scores, 1).toDense(); // [[0.5, 0, 0.5], [0, 1, 0]]
 * ```
 */
export const softmax = /* @__PURE__ */ named(
  'softmax',
  (x: SparseTensor, dim: number): SparseTensor => over('softmax', x, dim, false),
);

/**
 * The logarithm of `softmax` of the stored entries along `dim`; elements that are not stored stay unstored. Shapes are
 * those of `softmax`.
 *
 * ```ts
 * sparse.logSoftmax(sparseCooTensor([[0, 2]], [1, 1], [3]), 0).values(); // [-0.6931, -0.6931]
 * ```
 */
export const logSoftmax = /* @__PURE__ */ named(
  'logSoftmax',
  (x: SparseTensor, dim: number): SparseTensor => over('logSoftmax', x, dim, true),
);

/**
 * The sum of a sparse tensor over `dim`, by default over all elements: dense, where PyTorch's is sparse for a `dim`.
 *
 * ```ts
 * sparse.sum(sparseCooTensor([[0, 1], [2, 0]], [3, 4], [2, 3]), 0); // [4, 0, 3]
 * ```
 */
export const sum = /* @__PURE__ */ named('sum', (x: SparseTensor, dim?: number | readonly number[]): Tensor => {
  checkSparse('sum', 'x', x);
  return x.sum(dim);
});

/**
 * A matrix of `shape` `[m, n]` with diagonals: row `i` of `diagonals` `[count, length]` lies on the diagonal
 * `offsets[i]`, above the main one if that is positive. As in PyTorch and SciPy element `j` of a row is in column `j`;
 * what lies outside of the matrix is left out.
 *
 * ```ts
 * spdiags(tensor([[1, 2, 3], [4, 5, 6]]), [0, 1], [3, 3]).toDense(); // [[1, 5, 0], [0, 2, 6], [0, 0, 3]]
 * ```
 */
export const spdiags = /* @__PURE__ */ named(
  'spdiags',
  (diagonals: Tensor, offsets: Tensor | readonly number[], shape: readonly [number, number]): SparseTensor => {
    const op = 'spdiags';
    checkDense(op, 'diagonals', diagonals);
    check(op, 'the shape', shape, is.tuple(is.size, is.size));
    check(op, 'offsets', offsets, is.either(is.tensor, is.arrayOf(is.integer)));
    const own = Tensor.is(offsets) ? [...elementsOf(offsets, op)] : [...offsets];
    const rows = diagonals.ndim === 1 ? diagonals.unsqueeze(0) : diagonals;
    if (rows.ndim !== 2 || rows.shape[0] !== own.length)
      throw new ShapeError(
        op,
        `takes diagonals [count, length] with an offset for each, got ${formatShape(diagonals.shape)} and ${own.length} offsets`,
      );
    if (new Set(own).size < own.length) throw new RangeError(`${op}: offsets must differ, got ${own.join(', ')}`);
    const [m, n] = shape;
    const [taken, at, to]: [number[], number[], number[]] = [[], [], []];
    own.forEach((offset, k) => {
      const last = Math.min(rows.shape[1]!, n, m + offset);
      for (let column = Math.max(0, offset); column < last; column++) {
        taken.push(k * rows.shape[1]! + column);
        at.push(column - offset);
        to.push(column);
      }
    });
    const indices = Tensor.of(Int32Array.from([...at, ...to]), 'int32', [2, taken.length], rows.storage.backend);
    const values = indexSelect(rows.reshape(-1), 0, beside(indices, Int32Array.from(taken)));
    return new SparseTensor({ shape: [m, n], indices, values, isCoalesced: false }).coalesce();
  },
);
