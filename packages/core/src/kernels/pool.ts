import { outputSize, type Window } from '../backend/convolution.js';
import type { TypedArray } from '../tensor/dtype.js';
import { asFloats, inRows, type Rows } from './stream.js';

/** Images `[planes, h, w]` and the window that goes over them. */
export interface Planes {
  readonly planes: number;
  readonly h: number;
  readonly w: number;
  readonly window: Window;
}

/**
 * The largest element of each window, and where among all elements it stands; NaN counts as the largest. A
 * window that misses the image altogether gives -Infinity, at -1.
 */
export function maxPool(x: TypedArray, { planes, h, w, window }: Planes, values: TypedArray, places: Int32Array): void {
  const { kernel, stride, padding, dilation } = window;
  const [rows, columns] = [outputSize(h, 0, window), outputSize(w, 1, window)];
  const size = rows * columns;
  if (x instanceof Float32Array && values instanceof Float32Array) {
    const shape = [h, w, ...kernel, ...stride, ...padding, ...dilation, rows, columns] as const;
    const results: Rows[] = [
      [values, size],
      [asFloats(places), size],
    ];
    inRows('maxPool2d', planes, [[x, h * w]], results, ({ maxPool }, count, [from, atValues, atPlaces], first) => {
      maxPool(from!, count, first * h * w, ...shape, atValues!, atPlaces!);
    });
    return;
  }
  const image = { planes, h, w, window };
  for (let n = 0, at = 0; n < planes; n++)
    for (let y = 0; y < rows; y++)
      for (let z = 0; z < columns; z++, at++) {
        const where = largestIn(x, image, n * h * w, y * stride[0] - padding[0], z * stride[1] - padding[1]);
        values[at] = where < 0 ? Number.NEGATIVE_INFINITY : x[where]!;
        places[at] = where;
      }
}

/** Where the largest element stands of the window whose corner is at `top` and `left` of the plane from `plane` on; or -1. */
function largestIn(x: TypedArray, { h, w, window }: Planes, plane: number, top: number, left: number): number {
  const { kernel, dilation } = window;
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

/** Zeros, with each element of `g` added to the place that `maxPool` found it at: writes all of `to`. */
export function maxPoolGradient(g: TypedArray, places: Int32Array, to: TypedArray, planes: number): void {
  if (g instanceof Float32Array && to instanceof Float32Array && places.length > 0) {
    const [plane, size] = [to.length / planes, places.length / planes];
    const inputs: Rows[] = [
      [g, size],
      [asFloats(places), size],
    ];
    inRows('maxPool2d', planes, inputs, [[to, plane]], ({ maxPoolGradient }, count, [atG, at, result], first) => {
      maxPoolGradient(result!, atG!, at!, count, first * plane, plane, size);
    });
    return;
  }
  to.fill(0);
  for (let i = 0; i < places.length; i++) {
    const at = places[i]!;
    if (at >= 0) to[at]! += g[i]!;
  }
}

/** The rows or columns of a window at each step that lie in the image: where they begin and end. */
function spans(n: number, d: 0 | 1, window: Window): Int32Array {
  const count = outputSize(n, d, window);
  const all = new Int32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const start = i * window.stride[d] - window.padding[d];
    all[2 * i] = Math.max(0, start);
    all[2 * i + 1] = Math.min(n, start + window.kernel[d]);
  }
  return all;
}

/** `m` nearly equal stretches that cover `n` elements: where they begin and end. */
function stretches(n: number, m: number): Int32Array {
  const all = new Int32Array(2 * m);
  for (let i = 0; i < m; i++) {
    all[2 * i] = Math.floor((i * n) / m);
    all[2 * i + 1] = Math.ceil(((i + 1) * n) / m);
  }
  return all;
}

/** Images `[planes, h, w]`, and the rows and columns of each mean that is taken of them. */
export interface Areas {
  readonly planes: number;
  readonly h: number;
  readonly w: number;
  /** Begin and end of the rows, and of the columns. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  /** What sums are divided by; 0 for the number of their elements. */
  readonly divisor: number;
}

/** A window's areas, without dilation; zeros of the padding count, or with `insideOnly` do not. */
export const windowAreas = ({ planes, h, w, window }: Planes, insideOnly: boolean): Areas => ({
  ...{ planes, h, w },
  ...{ rows: spans(h, 0, window), columns: spans(w, 1, window) },
  divisor: insideOnly ? 0 : window.kernel[0] * window.kernel[1],
});

/** Areas chosen so that there are `outH` by `outW` of them. */
export const adaptiveAreas = (planes: number, h: number, w: number, outH: number, outW: number): Areas => ({
  ...{ planes, h, w },
  ...{ rows: stretches(h, outH), columns: stretches(w, outW) },
  divisor: 0,
});

/** The mean of each area: nothing beyond it is read. */
export function avgPool(x: TypedArray, { planes, h, w, rows, columns, divisor }: Areas, to: TypedArray): void {
  for (let n = 0, at = 0, plane = 0; n < planes; n++, plane += h * w)
    for (let y = 0; y < rows.length; y += 2) {
      const [top, bottom] = [rows[y]!, rows[y + 1]!];
      for (let z = 0; z < columns.length; z += 2, at++) {
        const [left, right] = [columns[z]!, columns[z + 1]!];
        let sum = 0;
        for (let i = top, row = plane + top * w; i < bottom; i++, row += w)
          for (let p = row + left; p < row + right; p++) sum += x[p]!;
        to[at] = sum / (divisor || (bottom - top) * (right - left));
      }
    }
}

/** The gradient of `avgPool`, added to `to`. */
export function avgPoolGradient(g: TypedArray, { planes, h, w, rows, columns, divisor }: Areas, to: TypedArray): void {
  for (let n = 0, at = 0, plane = 0; n < planes; n++, plane += h * w)
    for (let y = 0; y < rows.length; y += 2) {
      const [top, bottom] = [rows[y]!, rows[y + 1]!];
      for (let z = 0; z < columns.length; z += 2, at++) {
        const [left, right] = [columns[z]!, columns[z + 1]!];
        const share = g[at]! / (divisor || (bottom - top) * (right - left));
        for (let i = top, row = plane + top * w; i < bottom; i++, row += w)
          for (let p = row + left; p < row + right; p++) to[p]! += share;
      }
    }
}
