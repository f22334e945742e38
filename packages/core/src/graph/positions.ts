import { kernelsOf } from '../backend/backends.js';
import type { View } from '../backend/kernels.js';
import { entered } from '../errors.js';
import { checkSize, type Shape } from '../memory/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { record } from './node.js';

// Reads and writes of the elements that an index names along `dim`, or with `dim` null in the flattened tensor. Each is
// the gradient of another. Shapes and indices have been checked: the index has the shape of what is read or written.

export type Along = number | null;

/** A copy without a graph. */
export function copyOf(x: Tensor): Tensor {
  const { backend } = x.storage;
  const out = Tensor.uninitialized(x.dtype, x.shape, backend);
  backend.kernels.copy(x, out);
  return out;
}

function flat(x: Tensor): View {
  const { storage, dtype, numel, offset } = x.isContiguous ? x : copyOf(x);
  return { storage, dtype, numel, shape: [numel], strides: [1], offset, isContiguous: true };
}

/** Writes the elements of `x` that `index` names to `out`. */
export function readTo(out: Tensor, op: string, x: Tensor, dim: Along, index: Tensor): void {
  const { gather } = kernelsOf(op, x, index);
  if (dim === null) gather(flat(x), 0, flat(index), flat(out));
  else gather(x, dim, index, out);
}

/** Writes to `out`, which nobody else has seen. `src` may have its elements anywhere in memory. */
export function writeTo(
  out: Tensor,
  op: string,
  reduce: 'set' | 'add' | 'amax' | 'amin',
  dim: Along,
  index: Tensor,
  src: Tensor,
): Tensor {
  const { scatter } = kernelsOf(op, out, index, src);
  if (dim === null) scatter(reduce, 0, flat(index), flat(src), flat(out));
  else scatter(reduce, dim, index, src, out);
  return out;
}

/** A tensor that reads as `value` everywhere, on the device of `x` and of its dtype. */
export function repeated(value: number | boolean, shape: Shape, { dtype, storage }: Tensor): Tensor {
  const one = Tensor.uninitialized(dtype, [], storage.backend);
  one.storage.backend.kernels.fill(value, one);
  const still = shape.map(() => 0);
  return new Tensor(one.storage, dtype, shape, still);
}

/** The elements of `x` that `index` names. */
export function gatherAlong(op: string, x: Tensor, dim: Along, index: Tensor): Tensor {
  entered.op = op;
  const out = Tensor.uninitialized(x.dtype, index.shape, x.storage.backend);
  readTo(out, op, x, dim, index);
  const from = x.shape;
  return record(op, [x], out, (g, ctx) => [addAlong(g, dim, ctx.saved[0]!, from)], [index]);
}

/** Zeros of `shape` with `src` added where `index` names them. */
export function addAlong(src: Tensor, dim: Along, index: Tensor, shape: Shape): Tensor {
  const out = Tensor.zeros(src.dtype, shape, src.storage.backend);
  writeTo(out, 'scatterAdd', 'add', dim, index, src);
  return record('scatterAdd', [src], out, (g, ctx) => [gatherAlong('gather', g, dim, ctx.saved[0]!)], [index]);
}

/** `x` with zeros where `index` names elements. */
export function clearAlong(x: Tensor, dim: Along, index: Tensor): Tensor {
  const out = writeTo(copyOf(x), 'scatter', 'set', dim, index, repeated(0, index.shape, x));
  return record('scatter', [x], out, (g, ctx) => [clearAlong(g, dim, ctx.saved[0]!)], [index]);
}

/** The slices of `x` along `dim` that the vector `index` names. */
export function selectSlices(op: string, x: Tensor, dim: number, index: Tensor): Tensor {
  const shape = x.shape.map((n, d) => (d === dim ? index.numel : n));
  checkSize(op, shape, x.shape);
  entered.op = op;
  const out = Tensor.uninitialized(x.dtype, shape, x.storage.backend);
  kernelsOf(op, x, index).indexSelect(x, dim, index, out);
  const from = x.shape;
  return record(op, [x], out, (g, ctx) => [addSlices(g, dim, ctx.saved[0]!, from)], [index]);
}

/** Zeros of `shape` with the slices of `src` added at those that `index` names along `dim`. */
function addSlices(src: Tensor, dim: number, index: Tensor, shape: Shape): Tensor {
  const out = Tensor.zeros(src.dtype, shape, src.storage.backend);
  kernelsOf('indexAdd', src, index).indexAdd(dim, index, src, out);
  return record('indexAdd', [src], out, (g, ctx) => [selectSlices('indexSelect', g, dim, ctx.saved[0]!)], [index]);
}

/** Positions that are known, for the functions above. */
export const positionsOn = ({ storage }: Tensor, positions: Int32Array, shape: Shape): Tensor =>
  Tensor.of(positions, 'int32', shape, storage.backend);

/** The whole numbers from 0 to n - 1 under `f`, as int32 indices for `x`. */
export const indices = (x: Tensor, n: number, f: (i: number) => number): Tensor =>
  positionsOn(
    x,
    Int32Array.from({ length: n }, (_, i) => f(i)),
    [n],
  );
