import type { TypedArray } from '../../memory/dtype.js';
import type { Shape } from '../../memory/shape.js';
import type { View } from '../kernels.js';
import { broadcastView, codedOf, dataOf, elementsOf } from './data.js';
import { int64Elements } from './int64.js';

/** Up to so many elements a branch is faster. */
const maskFrom = 512;

/** `Kernels.where` for any dtype. */
export function where(condition: View, a: View, b: View, out: View): void {
  const { shape, dtype } = out;
  const c = elementsOf(broadcastView(condition, shape)) as Uint8Array;
  const isExact = dtype === 'int64';
  const [x, stepX] = operandOf(a, shape, isExact);
  const [y, stepY] = operandOf(b, shape, isExact);
  pick(isExact ? (codedOf(out)!.bits as never) : dataOf(out), c, x, stepX, y, stepY);
}

/** An operand: one element that repeats, or as many as results; as 64-bit integers where exactness needs them. */
function operandOf(view: View, shape: Shape, isExact: boolean): [TypedArray, 0 | 1] {
  const isOne = view.numel === 1;
  const whole = isOne ? view : broadcastView(view, shape);
  return [isExact ? (int64Elements(whole) as never) : elementsOf(whole), isOne ? 0 : 1];
}

function pick(to: TypedArray, c: Uint8Array, x: TypedArray, stepX: 0 | 1, y: TypedArray, stepY: 0 | 1): void {
  const word = to instanceof Float32Array ? Float32Array : to instanceof Int32Array ? Int32Array : null;
  if (word && x instanceof word && y instanceof word && to.length >= maskFrom)
    pickBits(wordsOf(to), c, wordsOf(x), stepX, wordsOf(y), stepY);
  else for (let i = 0, p = 0, q = 0; i < to.length; i++, p += stepX, q += stepY) to[i] = c[i] ? x[p]! : y[q]!;
}

const wordsOf = (t: TypedArray): Int32Array => new Int32Array(t.buffer, t.byteOffset, t.length);

/** Branch-free: the branch would be unpredictable. */
function pickBits(to: Int32Array, c: Uint8Array, x: Int32Array, stepX: 0 | 1, y: Int32Array, stepY: 0 | 1): void {
  for (let i = 0, p = 0, q = 0; i < to.length; i++, p += stepX, q += stepY) {
    const mask = -Number(c[i]! !== 0);
    to[i] = (x[p]! & mask) | (y[q]! & ~mask);
  }
}
