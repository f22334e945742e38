import { allocate, type TypedArray } from '../tensor/dtype.js';
import { type Shape, sizeOf } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { record } from './node.js';

// Reads and writes of single elements, by their places in row-major order. Each is the gradient of another.

/** `x[positions]`, in the given shape; 0 where the position is -1. */
export function take(x: Tensor, positions: Int32Array, shape: Shape): Tensor {
  const from = x.shape;
  const data = x.exact();
  const out = exactArray(x, positions.length);
  for (let i = 0; i < out.length; i++) {
    const at = positions[i]!;
    if (at >= 0) out[i] = data[at]!;
  }
  return record('take', [x], Tensor.of(out, x.dtype, shape), (g) => [putAdd(g, positions, from)]);
}

/** Zeros of `shape` with `src` added at `positions`; what is at -1 is dropped. */
export function putAdd(src: Tensor, positions: Int32Array, shape: Shape): Tensor {
  const out = exactArray(src, sizeOf(shape));
  const data = src.exact();
  for (let i = 0; i < data.length; i++) out[positions[i]!]! += data[i]!;
  const from = src.shape;
  return record('putAdd', [src], Tensor.of(out, src.dtype, shape), (g) => [take(g, positions, from)]);
}

/** `x` with zeros at `positions`. */
export function clear(x: Tensor, positions: Int32Array): Tensor {
  const out = x.exact().slice();
  const zero = (x.dtype === 'int64' ? 0n : 0) as number;
  for (let i = 0; i < positions.length; i++) out[positions[i]!] = zero;
  return record('clear', [x], Tensor.of(out, x.dtype, x.shape), (g) => [clear(g, positions)]);
}

/** `x` with the elements of `src` at `positions`; of a place that is named twice the last one counts. */
export function put(x: Tensor, positions: Int32Array, src: Tensor): Tensor {
  const out = x.exact().slice();
  const data = src.exact();
  for (let i = 0; i < positions.length; i++) out[positions[i]!] = data[i]!;
  const { shape } = src;
  return record('put', [x, src], Tensor.of(out, x.dtype, x.shape), (g, ctx) => [
    ctx.needs(0) ? clear(g, positions) : null,
    ctx.needs(1) ? clear(take(g, positions, shape), overwritten(positions)) : null,
  ]);
}

/** A zeroed array of the class that `exact()` gives. */
export const exactArray = ({ dtype }: Tensor, length: number): TypedArray =>
  dtype === 'int64' ? (new BigInt64Array(length) as never) : allocate(dtype, length);

/** Which elements of a write to `positions` a later one overwrites. */
function overwritten(positions: Int32Array): Int32Array {
  const last = new Map<number, number>();
  for (let i = 0; i < positions.length; i++) last.set(positions[i]!, i);
  if (last.size === positions.length) return new Int32Array(0);
  return Int32Array.from(positions.keys()).filter((i) => last.get(positions[i]!) !== i);
}
