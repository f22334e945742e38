import { record } from '../autograd/node.js';
import { clear, exactArray, put, putAdd, take as takePositions } from '../autograd/positions.js';
import { codedOf, dataOf } from '../backend/host/data.js';
import { checkOptions, show } from '../check.js';
import { DTypeError, IndexError, ShapeError } from '../errors.js';
import { checkIntegers, checkTensors } from '../tensor/check.js';
import { full } from '../tensor/creation.js';
import { isFloat, type TypedArray } from '../tensor/dtype.js';
import * as is from '../tensor/kinds.js';
import {
  broadcastShapes,
  checkSize,
  contiguousStrides,
  formatShape,
  normalizeDim,
  type Shape,
  sameShape,
} from '../tensor/shape.js';
import { type InPlaceOf, type MethodsFrom, methods, Tensor } from '../tensor/tensor.js';
import { nonzeroPlaces } from './at.js';
import { div, eq, mul, withInPlace } from './elementwise.js';
import type * as self from './indexing.js';
import { floorDivide } from './math.js';
import { expand, narrow, stack, to } from './shape.js';

/** Flat positions that `index`, of any integer dtype, names along `dim` of a row-major tensor of `shape`. */
function positionsAlong(op: string, shape: Shape, dim: number, index: Tensor): Int32Array {
  checkIndex(op, index);
  if (index.ndim !== shape.length || index.shape.some((n, i) => i !== dim && n > shape[i]!))
    throw new ShapeError(
      op,
      `an index of shape ${formatShape(index.shape)} does not fit ${formatShape(shape)}: the same rank, and no size larger beside dimension ${dim}`,
    );
  const strides = contiguousStrides(shape);
  const n = shape[dim] ?? 1;
  const values = index.elements();
  const out = new Int32Array(values.length);
  const steps = contiguousStrides(index.shape);
  for (let i = 0; i < out.length; i++) {
    const at = values[i]!;
    if (at < 0 || at >= n) throw new IndexError(op, `index ${at} is out of range for dimension ${dim} of size ${n}`);
    let position = 0;
    for (let d = 0, rest = i; d < shape.length; d++) {
      const c = Math.floor(rest / steps[d]!);
      rest -= c * steps[d]!;
      position += (d === dim ? at : c) * strides[d]!;
    }
    out[i] = position;
  }
  return out;
}

/** `out[i][j] = x[index[i][j]][j]` for dim 0, and so on: the elements that `index` (integers) names along `dim`. */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensors('gather', x, index);
  const d = normalizeDim('gather', dim, x.ndim);
  const positions = positionsAlong('gather', x.shape, d, index);
  const out = exactArray(x, positions.length);
  const data = x.exact();
  for (let i = 0; i < positions.length; i++) out[i] = data[positions[i]!]!;
  const { shape } = x;
  return record(
    'gather',
    [x],
    Tensor.of(out, x.dtype, index.shape),
    (g, ctx) => [scatterAdd(Tensor.empty(g.dtype, shape), d, ctx.saved[0]!, g)],
    [index],
  );
}

/** A copy of `x` with `src` added at the places `index` names along `dim`; places may repeat. */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  checkTensors('scatterAdd', x, index, src);
  const d = normalizeDim('scatterAdd', dim, x.ndim);
  const part = covering('scatterAdd', src, index, x);
  const positions = positionsAlong('scatterAdd', x.shape, d, index);
  return x.add(putAdd(part, positions, x.shape));
}

/** The slices that `index` (integers, one dimension) names along `dim`. */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  checkTensors('indexSelect', x, index);
  const d = normalizeDim('indexSelect', dim, x.ndim);
  checkIndex('indexSelect', index);
  if (index.ndim > 1)
    throw new ShapeError('indexSelect', `the index has one dimension, got ${formatShape(index.shape)}`);
  const rows = index.elements();
  const n = x.shape[d] ?? 1;
  for (const i of rows)
    if (i < 0 || i >= n)
      throw new IndexError('indexSelect', `index ${i} is out of range for dimension ${d} of size ${n}`);
  const shape = x.shape.map((v, i) => (i === d ? rows.length : v));
  checkSize('indexSelect', shape, x.shape);
  const out = Tensor.unwritten(x.dtype, shape);
  const to = codedOf(out) === null ? dataOf(out) : (out.bits() as unknown as TypedArray);
  const data = codedOf(x) === null ? x.elements() : (x.bits() as unknown as TypedArray);
  const inner = x.shape.slice(d + 1).reduce((a, b) => a * b, 1);
  const outer = x.shape.slice(0, d).reduce((a, b) => a * b, 1);
  for (let o = 0, p = 0; o < outer; o++)
    for (let r = 0; r < rows.length; r++, p += inner) {
      const from = (o * n + rows[r]!) * inner;
      to.set(data.subarray(from, from + inner) as never, p);
    }
  const from = x.shape;
  return record('indexSelect', [x], out, (g, ctx) => [indexAdd(Tensor.empty(g.dtype, from), d, ctx.saved[0]!, g)], [
    index,
  ]);
}

/** A copy of `x` with the slices of `src` added at the slices that `index` names along `dim`. */
export function indexAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  checkTensors('indexAdd', x, index, src);
  const d = normalizeDim('indexAdd', dim, x.ndim);
  checkIndex('indexAdd', index);
  const rows = index.elements();
  const expected = x.shape.map((v, i) => (i === d ? rows.length : v));
  if (index.ndim > 1 || formatShape(src.shape) !== formatShape(expected))
    throw new ShapeError('indexAdd', `src has shape ${formatShape(src.shape)}, expected ${formatShape(expected)}`);
  const n = x.shape[d] ?? 1;
  for (const i of rows)
    if (i < 0 || i >= n) throw new IndexError('indexAdd', `index ${i} is out of range for dimension ${d} of size ${n}`);
  if (src.dtype !== x.dtype)
    throw new DTypeError('indexAdd', `src is ${src.dtype} and the tensor ${x.dtype}; they must be equal`);
  const data = x.exact().slice();
  const values = src.exact();
  const inner = x.shape.slice(d + 1).reduce((a, b) => a * b, 1);
  const outer = x.shape.slice(0, d).reduce((a, b) => a * b, 1);
  for (let o = 0, p = 0; o < outer; o++)
    for (let r = 0; r < rows.length; r++)
      for (let j = 0, q = (o * n + rows[r]!) * inner; j < inner; j++) data[q++]! += values[p++]!;
  return record(
    'indexAdd',
    [x, src],
    Tensor.of(data, x.dtype, x.shape),
    (g, ctx) => [g, ctx.needs(1) ? indexSelect(g, d, ctx.saved[0]!) : null],
    [index],
  );
}

/** `x` with the elements of `src`, or one value, at the places that `index` (integers) names along `dim`. */
export function scatter(x: Tensor, dim: number, index: Tensor, src: Tensor | number): Tensor {
  checkTensors('scatter', x, index);
  const d = normalizeDim('scatter', dim, x.ndim);
  const source =
    src instanceof Tensor ? covering('scatter', src, index, x) : full(index.shape, src, { dtype: x.dtype });
  return put(x, positionsAlong('scatter', x.shape, d, index), source);
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
 * `x` with the elements of `src` that `index` (integers) sends to one place along `dim` reduced into it. Equal extremes
 * share the gradient. With `includeSelf: false`, what `x` had there takes no part.
 */
export function scatterReduce(
  x: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: 'sum' | 'mean' | 'amax' | 'amin',
  options?: { includeSelf?: boolean },
): Tensor {
  const { includeSelf = true } = checkOptions('scatterReduce', options, scatterReduceOptions);
  checkTensors('scatterReduce', x, index, src);
  const d = normalizeDim('scatterReduce', dim, x.ndim);
  if (!['sum', 'mean', 'amax', 'amin'].includes(reduce))
    throw new TypeError(`scatterReduce: reduce is 'sum', 'mean', 'amax' or 'amin', got ${JSON.stringify(reduce)}`);
  const part = covering('scatterReduce', src, index, x);
  const positions = positionsAlong('scatterReduce', x.shape, d, index);
  const self = includeSelf ? x : clear(x, positions);
  if (reduce === 'sum' || reduce === 'mean') {
    const sum = self.add(putAdd(part, positions, x.shape));
    if (reduce === 'sum') return sum;
    const counts = new Float64Array(x.numel);
    if (includeSelf) counts.fill(1);
    for (const p of positions) counts[p]!++;
    for (let i = 0; i < counts.length; i++) counts[i] = Math.max(1, counts[i]!);
    const count = to(Tensor.of(counts, 'float64', x.shape), isFloat(x.dtype) ? x.dtype : 'int64');
    return isFloat(x.dtype) ? div(sum, count) : to(floorDivide(sum, count), x.dtype);
  }
  const better = reduce === 'amax' ? (a: number, b: number) => a > b : (a: number, b: number) => a < b;
  const out = x.exact().slice();
  // Where what `x` had takes no part, the first value stands in its place.
  const waiting = includeSelf ? null : new Set(positions);
  const values = part.exact();
  positions.forEach((p, i) => {
    if (waiting?.delete(p) || better(values[i]!, out[p]!) || Number.isNaN(values[i]!)) out[p] = values[i]!;
  });
  const result = Tensor.of(out, x.dtype, x.shape);
  const touched = put(
    Tensor.empty('bool', x.shape),
    positions,
    Tensor.of(new Uint8Array(positions.length).fill(1), 'bool', index.shape),
  );
  const { shape } = x;
  return record(
    'scatterReduce',
    [x, part],
    result,
    (g, ctx) => {
      const [x, part, y] = ctx.saved as [Tensor, Tensor, Tensor];
      const fromSelf = eq(x, y);
      const selfHits = to(includeSelf ? fromSelf : fromSelf.logicalAnd(touched.logicalNot()), g.dtype);
      const srcHits = to(eq(part, takePositions(y, positions, part.shape)), g.dtype);
      const share = div(g, selfHits.add(putAdd(srcHits, positions, shape)));
      return [mul(share, selfHits), mul(takePositions(share, positions, part.shape), srcHits)];
    },
    [x, part, result],
  );
}

/** The elements of the flattened `x` at the places in `index` (integers), in the shape of `index`. */
export function take(x: Tensor, index: Tensor): Tensor {
  checkIndex('take', index);
  const n = x.numel;
  const positions = Int32Array.from(index.elements(), (i) => {
    if (i < -n || i >= n) throw new IndexError('take', `index ${i} is out of range for ${n} elements`);
    return i < 0 ? i + n : i;
  });
  return takePositions(x, positions, index.shape);
}

function checkIndex(op: string, index: Tensor): void {
  if (!(index instanceof Tensor)) throw new TypeError(`${op}: the index is a Tensor, got ${show(index)}`);
  checkIntegers(op, 'indices', index);
}

/** `gather` with all other dimensions broadcast: for indices as `argmax` and `argsort` give them. */
export function takeAlongDim(x: Tensor, index: Tensor, dim: number): Tensor {
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
}

/** The elements where `mask`, which broadcasts against `x`, holds; one dimension. */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  const [t, places] = masked('maskedSelect', x, mask);
  return takePositions(t, places, [places.length]);
}

/** `x` with the elements of `src`, one after another, wherever `mask`, which broadcasts, holds. */
export function maskedScatter(x: Tensor, mask: Tensor, src: Tensor): Tensor {
  const [t, places] = masked('maskedScatter', x, mask);
  if (src.numel < places.length)
    throw new ShapeError('maskedScatter', `the mask holds for ${places.length} elements, and src has ${src.numel}`);
  if (src.dtype !== x.dtype)
    throw new DTypeError('maskedScatter', `src is ${src.dtype} and the tensor ${x.dtype}; they must be equal`);
  return put(t, places, narrow(src.flatten(), 0, 0, places.length));
}

function masked(op: string, x: Tensor, mask: Tensor): [Tensor, Int32Array] {
  if (!(mask instanceof Tensor) || mask.dtype !== 'bool')
    throw new DTypeError(
      op,
      `the mask is a bool tensor, got ${mask instanceof Tensor ? mask.dtype : typeof mask}; compare first`,
    );
  const shape = broadcastShapes(op, x.shape, mask.shape);
  const holds = expand(mask, shape).elements();
  return [expand(x, shape), Int32Array.from(holds.keys()).filter((i) => holds[i] !== 0)];
}

/** `x` with `value` in the slices that `index` (integers, one dimension) names along `dim`. */
export function indexFill(x: Tensor, dim: number, index: Tensor, value: number): Tensor {
  checkTensors('indexFill', x, index);
  const d = normalizeDim('indexFill', dim, x.ndim);
  const shape = x.shape.map((n, i) => (i === d ? index.numel : n));
  return indexCopy(x, d, index, full(shape, value, { dtype: x.dtype }));
}

/** `x` with the slices of `src` in place of those that `index` (integers, one dimension) names along `dim`. */
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
  return put(x, positionsAlong('indexCopy', x.shape, d, expand(column, expected).contiguous()), src);
}

/** The coordinates of the elements that are not 0: int32, one row for each. */
export function nonzero(x: Tensor): Tensor {
  checkTensors('nonzero', x);
  if (x.ndim === 0) return Tensor.empty('int32', [x.bool().item() ? 1 : 0, 0]);
  return stack(nonzeroPlaces(x), 1);
}

const plain = { gather, indexSelect, take, takeAlongDim, maskedSelect, nonzero };
methods(plain);

const withForms = { scatter, scatterAdd, scatterReduce, indexAdd, indexCopy, indexFill, maskedScatter };
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
