import { dataOf } from '../backend/host/data.js';
import type { DType, TypedArray } from '../tensor/dtype.js';
import { type Shape, sameShape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { streamFrom } from './stream.js';

/**
 * The elements of `x` where `condition` holds, those of `y` elsewhere, all read as if they had the shape `shape`. For
 * int64 both are int64.
 */
export function choose(condition: Tensor, x: Tensor, y: Tensor, shape: Shape, dtype: DType): Tensor {
  const out = Tensor.unwritten(dtype, shape);
  const c = condition.expand(shape).elements() as Uint8Array;
  const [xs, stepX] = operand(x, shape, dtype === 'int64');
  const [ys, stepY] = operand(y, shape, dtype === 'int64');
  pick(dtype === 'int64' ? (out.bits() as never) : dataOf(out), c, xs, stepX, ys, stepY);
  return out;
}

/** One element again and again, or as many as there are results. */
const elementsOf = (t: Tensor, exact: boolean): TypedArray => (exact ? t.exact() : t.elements());

function operand(t: Tensor, shape: Shape, exact: boolean): [TypedArray, 0 | 1] {
  if (t.numel === 1) return [elementsOf(t, exact), 0];
  return [elementsOf(sameShape(t.shape, shape) ? t : t.expand(shape), exact), 1];
}

function pick(to: TypedArray, c: Uint8Array, x: TypedArray, stepX: 0 | 1, y: TypedArray, stepY: 0 | 1): void {
  const word = to instanceof Float32Array ? Float32Array : to instanceof Int32Array ? Int32Array : null;
  if (word && x instanceof word && y instanceof word && to.length >= streamFrom)
    pickBits(bitsOf(to), c, bitsOf(x), stepX, bitsOf(y), stepY);
  else for (let i = 0, p = 0, q = 0; i < to.length; i++, p += stepX, q += stepY) to[i] = c[i] ? x[p]! : y[q]!;
}

const bitsOf = (t: TypedArray): Int32Array => new Int32Array(t.buffer, t.byteOffset, t.length);

/** Without a branch, which could not be foreseen. */
function pickBits(to: Int32Array, c: Uint8Array, x: Int32Array, stepX: 0 | 1, y: Int32Array, stepY: 0 | 1): void {
  for (let i = 0, p = 0, q = 0; i < to.length; i++, p += stepX, q += stepY) {
    const mask = -Number(c[i]! !== 0);
    to[i] = (x[p]! & mask) | (y[q]! & ~mask);
  }
}
