import { kernelsOf } from '../backend/backends.js';
import { check, checkOptions, show } from '../check.js';
import { DTypeError, entered, IndexError, named, ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { addAlong, clearAlong, copyOf, gatherAlong, repeated, selectSlices, writeTo } from '../graph/positions.js';
import { checkFits, isFloat } from '../memory/dtype.js';
import { broadcastShapes, formatShape, normalizeDim, type Shape, sameShape } from '../memory/shape.js';
import { checkIntegers, checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { floorDivide } from './arithmetic.js';
import { to } from './copy.js';
import { realOnly, withInPlace } from './define.js';
import { div, mul } from './elementwise.js';
import type * as self from './indexing.js';
import { narrow, stack } from './joining.js';
import { nonzeroCoordinates, nonzeroPositions } from './nonzero.js';
import { putAlong } from './put.js';
import { eq } from './relational.js';
import { expand } from './shape.js';

/** Refuses an `index`, of any integer dtype, that does not name elements of `x` along `dim`. */
function checkAlong(op: string, { shape }: Tensor, dim: number, index: Tensor): void {
  checkIndex(op, index);
  if (index.ndim !== shape.length || index.shape.some((n, i) => i !== dim && n > shape[i]!))
    throw new ShapeError(
      op,
      `an index of shape ${formatShape(index.shape)} does not fit ${formatShape(shape)}: the same rank, and no size larger beside dimension ${dim}`,
    );
  checkWithin(op, shape, dim, index);
}

function checkWithin(op: string, shape: Shape, dim: number, index: Tensor): void {
  const n = shape[dim] ?? 1;
  const refuse = (at: number) => new IndexError(op, `index ${at} is out of range for dimension ${dim} of size ${n}`);
  kernelsOf(op, index).checkRange(index, 0, n - 1, refuse);
}

/**
 * `out[i][j] = x[index[i][j]][j]` for dim 0, and so on: the elements that `index` (integers) names along `dim`.
 *
 * ```ts
 * gather(tensor([[1, 2], [3, 4]]), 1, tensor([[0], [1]], { dtype: 'int32' })); // [[1], [4]]
 * ```
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensors('gather', x, index);
  const d = normalizeDim('gather', dim, x.ndim);
  checkAlong('gather', x, d, index);
  return gatherAlong('gather', x, d, index);
}

/**
 * A copy of `x` with `src` added at the positions that `index` names along `dim`; positions may repeat.
 *
 * ```ts
 * scatterAdd(zeros([2]), 0, tensor([0, 0, 1], { dtype: 'int32' }), tensor([1, 2, 3])); // [3, 3]
 * ```
 */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  checkTensors('scatterAdd', x, index, src);
  const d = normalizeDim('scatterAdd', dim, x.ndim);
  const part = covering('scatterAdd', src, index, x);
  checkAlong('scatterAdd', x, d, index);
  return addTo(x, d, index, part);
}

function addTo(x: Tensor, d: number, index: Tensor, part: Tensor): Tensor {
  entered.op = 'scatterAdd';
  const out = writeTo(copyOf(x), 'scatterAdd', 'add', d, index, part);
  return record(
    'scatterAdd',
    [x, part],
    out,
    (g, ctx) => [g, ctx.needs(1) ? gatherAlong('gather', g, d, ctx.saved[0]!) : null],
    [index],
  );
}

/**
 * The slices of `x` along `dim` at the positions `index` (integers, `[n]`): the shape of `x`, with size n in that
 * dimension. Throws for indices out of range.
 *
 * ```ts
 * indexSelect(tensor([[1, 2], [3, 4]]), 0, tensor([1], { dtype: 'int32' })); // [[3, 4]]
 * ```
 */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensors('indexSelect', x, index);
  const d = normalizeDim('indexSelect', dim, x.ndim);
  checkIndex('indexSelect', index);
  if (index.ndim > 1)
    throw new ShapeError('indexSelect', `the index must have one dimension, got ${formatShape(index.shape)}`);
  checkWithin('indexSelect', x.shape, d, index);
  return selectSlices('indexSelect', x, d, index);
}

/**
 * A copy of `x` with the slices of `src` added at the slices that `index` names along `dim`.
 *
 * ```ts
 * indexAdd(zeros([2, 2]), 0, tensor([1], { dtype: 'int32' }), tensor([[1, 2]])); // [[0, 0], [1, 2]]
 * ```
 */
export function indexAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  checkTensors('indexAdd', x, index, src);
  const d = normalizeDim('indexAdd', dim, x.ndim);
  checkIndex('indexAdd', index);
  const expected = x.shape.map((v, i) => (i === d ? index.numel : v));
  if (index.ndim > 1 || formatShape(src.shape) !== formatShape(expected))
    throw new ShapeError('indexAdd', `src has shape ${formatShape(src.shape)}, expected ${formatShape(expected)}`);
  checkWithin('indexAdd', x.shape, d, index);
  if (src.dtype !== x.dtype)
    throw new DTypeError('indexAdd', `src is ${src.dtype} and the tensor ${x.dtype}; they must be equal`);
  const out = copyOf(x);
  kernelsOf('indexAdd', x, index, src).indexAdd(d, index, src, out);
  return record(
    'indexAdd',
    [x, src],
    out,
    (g, ctx) => [g, ctx.needs(1) ? selectSlices('indexSelect', g, d, ctx.saved[0]!) : null],
    [index],
  );
}

/**
 * `x` with the elements of `src`, or one value, at the positions that `index` (integers) names along `dim`.
 *
 * ```ts
 * scatter(zeros([3]), 0, tensor([0, 2], { dtype: 'int32' }), tensor([1, 2])); // [1, 0, 2]
 * ```
 */
export const scatter = /* @__PURE__ */ named(
  'scatter',
  (x: Tensor, dim: number, index: Tensor, src: Tensor | number): Tensor => {
    checkTensors('scatter', x, index);
    const d = normalizeDim('scatter', dim, x.ndim);
    const source = Tensor.is(src) ? covering('scatter', src, index, x) : repeatedValue('scatter', src, index.shape, x);
    checkAlong('scatter', x, d, index);
    return putAlong('scatter', x, d, index, source);
  },
);

/** A number, which the dtype of `x` must hold, everywhere. */
function repeatedValue(op: string, value: number, shape: Shape, x: Tensor): Tensor {
  check(op, 'the value', value, is.either(is.number, is.boolean));
  checkFits(op, Number(value), x.dtype);
  return repeated(value, shape, x);
}

/** The part of `src` that an index of this shape reads. */
function covering(op: string, src: Tensor, index: Tensor, x: Tensor): Tensor {
  if (src.ndim !== index.ndim || index.shape.some((n, i) => n > src.shape[i]!))
    throw new ShapeError(op, `src ${formatShape(src.shape)} must cover the index ${formatShape(index.shape)}`);
  if (src.dtype !== x.dtype)
    throw new DTypeError(op, `src is ${src.dtype} and the tensor ${x.dtype}; they must be equal`);
  return index.shape.reduce((part, n, i) => (part.shape[i] === n ? part : narrow(part, i, 0, n)), src);
}

const scatterReduceOptions = { includeSelf: is.boolean };

/**
 * `x` with the elements of `src` that `index` (integers) sends to the same position along `dim` reduced into it. Equal
 * extremes share the gradient. With `includeSelf: false`, the old element of `x` is ignored at these positions.
 *
 * ```ts
 * scatterReduce(zeros([2]), 0, tensor([0, 0, 1], { dtype: 'int32' }), tensor([1, 5, 3]), 'amax'); // [5, 3]
 * ```
 */
export const scatterReduce = /* @__PURE__ */ named(
  'scatterReduce',
  (
    x: Tensor,
    dim: number,
    index: Tensor,
    src: Tensor,
    reduce: 'sum' | 'mean' | 'amax' | 'amin',
    options?: { includeSelf?: boolean },
  ): Tensor => {
    const { includeSelf = true } = checkOptions('scatterReduce', options, scatterReduceOptions);
    checkTensors('scatterReduce', x, index, src);
    const d = normalizeDim('scatterReduce', dim, x.ndim);
    check('scatterReduce', 'reduce', reduce, is.oneOf('sum', 'mean', 'amax', 'amin'));
    const part = covering('scatterReduce', src, index, x);
    checkAlong('scatterReduce', x, d, index);
    if (reduce === 'amax' || reduce === 'amin') return extremes(x, d, index, part, reduce, includeSelf);
    const sum = addTo(includeSelf ? x : clearAlong(x, d, index), d, index, part);
    return reduce === 'sum' ? sum : divide(sum, countOf(x, d, index, includeSelf));
  },
);

/** The number of elements in each sum. */
function countOf({ shape, storage }: Tensor, d: number, index: Tensor, includeSelf: boolean): Tensor {
  const count = Tensor.uninitialized('int32', shape, storage.backend);
  count.storage.backend.kernels.fill(1, count);
  if (!includeSelf) writeTo(count, 'scatterReduce', 'set', d, index, repeated(0, index.shape, count));
  return writeTo(count, 'scatterReduce', 'add', d, index, repeated(1, index.shape, count));
}

const divide = (sum: Tensor, count: Tensor): Tensor =>
  isFloat(sum.dtype) ? div(sum, to(count, sum.dtype)) : to(floorDivide(sum, to(count, 'int64')), sum.dtype);

function extremes(
  x: Tensor,
  d: number,
  index: Tensor,
  part: Tensor,
  reduce: 'amax' | 'amin',
  includeSelf: boolean,
): Tensor {
  realOnly('scatterReduce', x);
  const out = copyOf(x);
  // Where the old element of `x` is ignored, one of the values replaces it first.
  if (!includeSelf) writeTo(out, 'scatterReduce', 'set', d, index, part);
  writeTo(out, 'scatterReduce', reduce, d, index, part);
  const { shape } = x;
  return record(
    'scatterReduce',
    [x, part],
    out,
    (g, ctx) => {
      const [x, part, y, index] = ctx.saved as [Tensor, Tensor, Tensor, Tensor];
      const fromSelf = eq(x, y);
      const selfHits = to(includeSelf ? fromSelf : clearAlong(fromSelf, d, index), g.dtype);
      const srcHits = to(eq(part, gatherAlong('gather', y, d, index)), g.dtype);
      const share = div(g, selfHits.add(addAlong(srcHits, d, index, shape)));
      return [mul(share, selfHits), mul(gatherAlong('gather', share, d, index), srcHits)];
    },
    [x, part, out, index],
  );
}

/**
 * The elements of the flattened `x` at the positions in `index` (integers), in the shape of `index`.
 *
 * ```ts
 * take(tensor([[1, 2], [3, 4]]), tensor([0, 3], { dtype: 'int32' })); // [1, 4]
 * ```
 */
export function take(x: Tensor, index: Tensor): Tensor {
  checkTensors('take', x);
  checkIndex('take', index);
  const n = x.numel;
  const refuse = (i: number) => new IndexError('take', `index ${i} is out of range for ${n} elements`);
  kernelsOf('take', x, index).checkRange(index, -n, n - 1, refuse);
  return gatherAlong('take', x, null, index);
}

function checkIndex(op: string, index: Tensor): void {
  check(op, 'the index', index, is.tensor);
  checkIntegers(op, 'indices', index);
}

/**
 * `gather` with all other dimensions broadcast: for indices as returned by `argmax` and `argsort`.
 *
 * ```ts
 * const x = tensor([3, 1, 2]);
 * takeAlongDim(x, argsort(x), 0); // [1, 2, 3]
 * ```
 */
export const takeAlongDim = /* @__PURE__ */ named('takeAlongDim', (x: Tensor, index: Tensor, dim: number): Tensor => {
  checkTensors('takeAlongDim', x, index);
  const d = normalizeDim('takeAlongDim', dim, x.ndim);
  checkIndex('takeAlongDim', index);
  if (index.ndim !== x.ndim)
    throw new ShapeError(
      'takeAlongDim',
      `index ${formatShape(index.shape)} and tensor ${formatShape(x.shape)} have the same rank`,
    );
  const without = (shape: Shape) => shape.map((n, i) => (i === d ? 1 : n));
  const common = broadcastShapes('takeAlongDim', without(x.shape), without(index.shape));
  const sized = (n: number) => common.map((v, i) => (i === d ? n : v));
  return gather(expand(x, sized(x.shape[d]!)), d, expand(index, sized(index.shape[d]!)));
});

/**
 * The elements where `mask` is true, as one dimension; `mask` broadcasts with `x`.
 *
 * ```ts
 * const x = tensor([1, -2, 3]);
 * maskedSelect(x, gt(x, 0)); // [1, 3]
 * ```
 */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  const [t, positions] = masked('maskedSelect', x, mask);
  return gatherAlong('maskedSelect', t, null, positions);
}

/**
 * `x` with the elements of `src`, in order, wherever `mask` is true; `mask` broadcasts.
 *
 * ```ts
 * maskedScatter(zeros([3]), tensor([true, false, true]), tensor([1, 2])); // [1, 0, 2]
 * ```
 */
export function maskedScatter(x: Tensor, mask: Tensor, src: Tensor): Tensor {
  checkTensors('maskedScatter', x, src);
  const [t, positions] = masked('maskedScatter', x, mask);
  const count = positions.numel;
  if (src.numel < count)
    throw new ShapeError('maskedScatter', `the mask holds for ${count} elements, and src has ${src.numel}`);
  if (src.dtype !== x.dtype)
    throw new DTypeError('maskedScatter', `src is ${src.dtype} and the tensor ${x.dtype}; they must be equal`);
  return putAlong('maskedScatter', t, null, positions, narrow(src.flatten(), 0, 0, count));
}

/** `x` broadcast with the mask, and the positions in its flattened form where the mask is true. */
function masked(op: string, x: Tensor, mask: Tensor): [Tensor, Tensor] {
  checkTensors(op, x);
  if (!Tensor.is(mask) || mask.dtype !== 'bool')
    throw new DTypeError(
      op,
      `the mask must be a bool tensor, got ${Tensor.is(mask) ? mask.dtype : show(mask)}; compare first`,
    );
  const shape = broadcastShapes(op, x.shape, mask.shape);
  const positions = nonzeroPositions(op, expand(mask, shape));
  return [expand(x, shape), Tensor.of(positions, 'int32', [positions.length], x.storage.backend)];
}

/**
 * `x` with `value` in the slices that `index` (integers, one dimension) names along `dim`.
 *
 * ```ts
 * indexFill(zeros([3]), 0, tensor([1], { dtype: 'int32' }), 5); // [0, 5, 0]
 * ```
 */
export const indexFill = /* @__PURE__ */ named(
  'indexFill',
  (x: Tensor, dim: number, index: Tensor, value: number): Tensor => {
    checkTensors('indexFill', x, index);
    const d = normalizeDim('indexFill', dim, x.ndim);
    const shape = x.shape.map((n, i) => (i === d ? index.numel : n));
    return indexCopy(x, d, index, repeatedValue('indexFill', value, shape, x));
  },
);

/**
 * `x` with the slices of `src` in place of those that `index` (integers, one dimension) names along `dim`.
 *
 * ```ts
 * indexCopy(zeros([3]), 0, tensor([2, 0], { dtype: 'int32' }), tensor([1, 2])); // [2, 0, 1]
 * ```
 */
export function indexCopy(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  checkTensors('indexCopy', x, index, src);
  const d = normalizeDim('indexCopy', dim, x.ndim);
  checkIndex('indexCopy', index);
  const expected = x.shape.map((n, i) => (i === d ? index.numel : n));
  if (index.ndim > 1 || !sameShape(src.shape, expected))
    throw new ShapeError('indexCopy', `src has shape ${formatShape(src.shape)}, expected ${formatShape(expected)}`);
  if (src.dtype !== x.dtype)
    throw new DTypeError('indexCopy', `src is ${src.dtype} and the tensor ${x.dtype}; they must be equal`);
  const column = index.reshape(x.shape.map((_, i) => (i === d ? -1 : 1)));
  checkWithin('indexCopy', x.shape, d, index);
  return putAlong('indexCopy', x, d, expand(column, expected), src);
}

/**
 * The coordinates of the elements that are not 0: int32, one row for each.
 *
 * ```ts
 * nonzero(tensor([[0, 1], [1, 0]])); // [[0, 1], [1, 0]]
 * ```
 */
export const nonzero = /* @__PURE__ */ madeOf('nonzero', (x: Tensor): Tensor => {
  if (x.ndim === 0) return Tensor.zeros('int32', [nonzeroPositions('nonzero', x).length, 0], x.storage.backend);
  return stack(nonzeroCoordinates('nonzero', x), 1);
});

/**
 * `nonzero` under NumPy's name: the coordinates of the elements that are not 0, `[count, ndim]`, int32. Reads the
 * values.
 *
 * ```ts
 * argwhere(tensor([[0, 1], [1, 0]])); // [[0, 1], [1, 0]]
 * ```
 */
export const argwhere = /* @__PURE__ */ named('argwhere', (x: Tensor): Tensor => nonzero(x));

const plain = { argwhere, gather, indexSelect, take, takeAlongDim, maskedSelect, nonzero };
methods(plain);

const withForms = { scatter, scatterAdd, scatterReduce, indexAdd, indexCopy, indexFill, maskedScatter };
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
