import { record } from '../autograd/node.js';
import { DTypeError, IndexError, ShapeError } from '../errors.js';
import { contiguousStrides, formatShape, normalizeDim, type Shape } from '../tensor/shape.js';
import { methods, Tensor } from '../tensor/tensor.js';
import type { TensorLike } from './elementwise.js';
import { copy_, narrow, select, unsqueeze } from './shape.js';

/** Flat positions that `index` names along `dim` of a row-major tensor of `shape`. */
function positionsAlong(op: string, shape: Shape, dim: number, index: Tensor): Int32Array {
  if (index.dtype !== 'int32') throw new DTypeError(op, `indices are int32, got ${index.dtype}; use .int()`);
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

/** `out[i][j] = x[index[i][j]][j]` for dim 0, and so on: the elements that `index` (int32) names along `dim`. */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  const d = normalizeDim('gather', dim, x.ndim);
  const positions = positionsAlong('gather', x.shape, d, index);
  const out = Tensor.empty(x.dtype, index.shape);
  const data = x.elements();
  for (let i = 0; i < positions.length; i++) out.storage.data[i] = data[positions[i]!]!;
  const { shape } = x;
  return record('gather', [x], out, (g, ctx) => [scatterAdd(Tensor.empty(g.dtype, shape), d, ctx.saved[0]!, g)], [
    index,
  ]);
}

/** A copy of `x` with `src` added at the places `index` names along `dim`; places may repeat. */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  const d = normalizeDim('scatterAdd', dim, x.ndim);
  if (src.ndim !== index.ndim || index.shape.some((n, i) => n > src.shape[i]!))
    throw new ShapeError(
      'scatterAdd',
      `src ${formatShape(src.shape)} must cover the index ${formatShape(index.shape)}`,
    );
  if (src.dtype !== x.dtype)
    throw new DTypeError('scatterAdd', `src is ${src.dtype} and the tensor ${x.dtype}; they must be equal`);
  const positions = positionsAlong('scatterAdd', x.shape, d, index);
  const data = x.toTypedArray();
  let part = src;
  index.shape.forEach((n, i) => {
    part = narrow(part, i, 0, n);
  });
  const values = part.elements();
  for (let i = 0; i < positions.length; i++) data[positions[i]!]! += values[i]!;
  const shape = src.shape;
  return record(
    'scatterAdd',
    [x, src],
    Tensor.of(data, x.dtype, x.shape),
    (g, ctx) => {
      if (!ctx.needs(1)) return [g];
      let gs = gather(g, d, ctx.saved[0]!);
      // Elements of src beyond the index took no part.
      shape.forEach((n, i) => {
        if (gs.shape[i] !== n)
          gs = gs.cat(
            [
              Tensor.empty(
                gs.dtype,
                gs.shape.map((v, j) => (j === i ? n - v : v)),
              ),
            ],
            i,
          );
      });
      return [g, gs];
    },
    [index],
  );
}

/** The slices that `index` (int32, one dimension) names along `dim`. */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  const d = normalizeDim('indexSelect', dim, x.ndim);
  if (index.ndim > 1)
    throw new ShapeError('indexSelect', `the index has one dimension, got ${formatShape(index.shape)}`);
  if (index.dtype !== 'int32') throw new DTypeError('indexSelect', `indices are int32, got ${index.dtype}; use .int()`);
  const rows = index.elements() as Int32Array;
  const n = x.shape[d] ?? 1;
  for (const i of rows)
    if (i < 0 || i >= n)
      throw new IndexError('indexSelect', `index ${i} is out of range for dimension ${d} of size ${n}`);
  const shape = x.shape.map((v, i) => (i === d ? rows.length : v));
  const out = Tensor.empty(x.dtype, shape);
  const data = x.elements();
  const inner = x.shape.slice(d + 1).reduce((a, b) => a * b, 1);
  const outer = x.shape.slice(0, d).reduce((a, b) => a * b, 1);
  for (let o = 0, p = 0; o < outer; o++)
    for (let r = 0; r < rows.length; r++, p += inner) {
      const from = (o * n + rows[r]!) * inner;
      out.storage.data.set(data.subarray(from, from + inner) as never, p);
    }
  const from = x.shape;
  return record('indexSelect', [x], out, (g, ctx) => [indexAdd(Tensor.empty(g.dtype, from), d, ctx.saved[0]!, g)], [
    index,
  ]);
}

/** A copy of `x` with the slices of `src` added at the slices that `index` names along `dim`. */
export function indexAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  const d = normalizeDim('indexAdd', dim, x.ndim);
  const rows = index.elements();
  const expected = x.shape.map((v, i) => (i === d ? rows.length : v));
  if (index.dtype !== 'int32') throw new DTypeError('indexAdd', `indices are int32, got ${index.dtype}; use .int()`);
  if (index.ndim > 1 || formatShape(src.shape) !== formatShape(expected))
    throw new ShapeError('indexAdd', `src has shape ${formatShape(src.shape)}, expected ${formatShape(expected)}`);
  const n = x.shape[d] ?? 1;
  for (const i of rows)
    if (i < 0 || i >= n) throw new IndexError('indexAdd', `index ${i} is out of range for dimension ${d} of size ${n}`);
  const data = x.toTypedArray();
  const values = src.elements();
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

/** A range along one dimension, for `at` and `set`: from `start` up to but without `stop`, as in Python's slices. */
export class Slice {
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number,
  ) {}
}

/** `slice(1, 3)` is Python's `1:3`; `slice(2)` is `2:`, `slice(null, 2)` is `:2`, `slice()` is `:`. */
export function slice(start: number | null = null, stop: number | null = null, step = 1): Slice {
  if (!Number.isInteger(step) || step < 1)
    throw new IndexError('slice', `a step is a whole number above 0, got ${step}; use flip() to go backwards`);
  for (const v of [start, stop])
    if (v !== null && !Number.isInteger(v))
      throw new IndexError('slice', `a bound is a whole number or null, got ${v}`);
  return new Slice(start, stop, step);
}

/** A whole number (drops its dimension), a `slice(...)`, `null` (a new dimension) or `'...'` (all dimensions between). */
export type Index = number | Slice | null | '...';

/** The part of `x` that the indices name, one for each dimension from the first on. A view. */
export function at(x: Tensor, ...indices: readonly Index[]): Tensor {
  const consumed = indices.filter((i) => i !== null && i !== '...').length;
  if (consumed > x.ndim)
    throw new IndexError('at', `${consumed} indices for ${formatShape(x.shape)}, which has ${x.ndim} dimensions`);
  if (indices.filter((i) => i === '...').length > 1) throw new IndexError('at', "'...' can stand once");
  let out = x;
  let d = 0;
  for (const index of indices) {
    if (index === '...') d += x.ndim - consumed;
    else if (index === null) out = unsqueeze(out, d++);
    else if (index instanceof Slice) out = sliceDim(out, d++, index);
    else if (typeof index === 'number') out = select(out, d, index);
    else throw new TypeError(`at: an index is a number, slice(...), null or '...', got ${typeof index}`);
  }
  return out;
}

function sliceDim(x: Tensor, dim: number, { start, stop, step }: Slice): Tensor {
  const n = x.shape[dim]!;
  const clamp = (v: number) => Math.min(n, Math.max(0, v < 0 ? v + n : v));
  const from = clamp(start ?? 0);
  const length = Math.max(0, clamp(stop ?? n) - from);
  const part = length === n ? x : narrow(x, dim, Math.min(from, n), length);
  if (step === 1) return part;
  // Every step-th element: the first of each group, the last group may be short.
  const count = Math.ceil(length / step);
  return stepDim(part, dim, step, count);
}

function stepDim(x: Tensor, dim: number, step: number, count: number): Tensor {
  const places = Int32Array.from({ length: count }, (_, i) => i * step);
  return indexSelect(x, dim, Tensor.of(places, 'int32', [count]));
}

/** Writes a value, which broadcasts, to the part that the indices name: `set(t, 0, slice(1, 3), value)`. */
export function set<T extends Tensor>(x: T, ...args: readonly [...Index[], TensorLike]): T {
  copy_(at(x, ...(args.slice(0, -1) as Index[])), args.at(-1) as TensorLike);
  return x;
}

methods({ gather, scatterAdd, indexSelect, indexAdd, at, set });

declare module '../tensor/tensor.js' {
  interface Tensor {
    gather(dim: number, index: Tensor): Tensor;
    scatterAdd(dim: number, index: Tensor, src: Tensor): Tensor;
    indexSelect(dim: number, index: Tensor): Tensor;
    indexAdd(dim: number, index: Tensor, src: Tensor): Tensor;
    at(...indices: readonly Index[]): Tensor;
    set(...indicesAndValue: readonly [...Index[], TensorLike]): this;
  }
}
