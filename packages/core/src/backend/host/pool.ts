import type { TypedArray } from '../../memory/dtype.js';
import type { Window } from '../convolution.js';
import type { View } from '../kernels.js';
import type { Areas } from '../pooling.js';
import { dataOf, elementsOf } from './data.js';

type Images = readonly [batch: number, channels: number, h: number, w: number];

/** `Kernels.maxPool` for any dtype. */
export function maxPool(x: View, window: Window, out: View, indices: View): void {
  const { stride, padding } = window;
  const [batch, channels, h, w] = x.shape as Images;
  const [, , rows, columns] = out.shape as Images;
  const [from, values, at] = [elementsOf(x), dataOf(out), dataOf(indices)];
  for (let n = 0, i = 0; n < batch * channels; n++)
    for (let y = 0; y < rows; y++)
      for (let z = 0; z < columns; z++, i++) {
        const where = largestIn(from, h, w, window, n * h * w, y * stride[0] - padding[0], z * stride[1] - padding[1]);
        values[i] = where < 0 ? Number.NEGATIVE_INFINITY : from[where]!;
        at[i] = where;
      }
}

/**
 * The index of the largest element in the window with its corner at `top` and `left`, in the plane at `plane`; or -1.
 */
function largestIn(
  x: TypedArray,
  h: number,
  w: number,
  { kernel, dilation }: Window,
  plane: number,
  top: number,
  left: number,
): number {
  let best = Number.NEGATIVE_INFINITY;
  let where = -1;
  for (let i = 0, row = top; i < kernel[0]; i++, row += dilation[0]) {
    if (row < 0 || row >= h) continue;
    for (let j = 0, column = left; j < kernel[1]; j++, column += dilation[1]) {
      if (column < 0 || column >= w) continue;
      const v = x[plane + row * w + column]!;
      if (where < 0 || v > best || Number.isNaN(v)) {
        best = v;
        where = plane + row * w + column;
      }
    }
  }
  return where;
}

/** `Kernels.maxPoolGradient` for any dtype. */
export function maxPoolGradient(g: View, indices: View, out: View): void {
  const [gradient, at, to] = [elementsOf(g), elementsOf(indices), dataOf(out)];
  to.fill(0);
  for (let i = 0; i < at.length; i++) if (at[i]! >= 0) to[at[i]!]! += gradient[i]!;
}

/** `Kernels.avgPool` for any dtype. */
export function avgPool(x: View, { rows, columns, divisor }: Areas, out: View): void {
  const [batch, channels, h, w] = x.shape as Images;
  const [from, to] = [elementsOf(x), dataOf(out)];
  for (let n = 0, at = 0, plane = 0; n < batch * channels; n++, plane += h * w)
    for (let y = 0; y < rows.length; y += 2) {
      const [top, bottom] = [rows[y]!, rows[y + 1]!];
      for (let z = 0; z < columns.length; z += 2, at++) {
        const [left, right] = [columns[z]!, columns[z + 1]!];
        let sum = 0;
        for (let i = top, row = plane + top * w; i < bottom; i++, row += w)
          for (let p = row + left; p < row + right; p++) sum += from[p]!;
        to[at] = sum / (divisor || (bottom - top) * (right - left));
      }
    }
}

/** `Kernels.avgPoolGradient` for any dtype. */
export function avgPoolGradient(g: View, { rows, columns, divisor }: Areas, out: View): void {
  const [batch, channels, h, w] = out.shape as Images;
  const [gradient, to] = [elementsOf(g), dataOf(out)];
  to.fill(0);
  for (let n = 0, at = 0, plane = 0; n < batch * channels; n++, plane += h * w)
    for (let y = 0; y < rows.length; y += 2) {
      const [top, bottom] = [rows[y]!, rows[y + 1]!];
      for (let z = 0; z < columns.length; z += 2, at++) {
        const [left, right] = [columns[z]!, columns[z + 1]!];
        const share = gradient[at]! / (divisor || (bottom - top) * (right - left));
        for (let i = top, row = plane + top * w; i < bottom; i++, row += w)
          for (let p = row + left; p < row + right; p++) to[p]! += share;
      }
    }
}
