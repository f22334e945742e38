import type { Window } from './convolution.js';

/** The rows and columns of images over which each mean is taken. */
export interface Areas {
  /** Begin and end of the rows, one after the other; and of the columns. */
  readonly rows: Int32Array;
  readonly columns: Int32Array;
  /** The divisor of the sums; 0 divides each by the number of its elements. */
  readonly divisor: number;
}

/** The number of window positions along rows and columns. */
export type Counts = readonly [rows: number, columns: number];

/**
 * The number of window positions along a dimension of size `n`: as many as fit, and with `ceil` one more if it begins
 * inside of the image or in the padding before it.
 */
export function countOf(n: number, d: 0 | 1, { kernel, stride, padding, dilation }: Window, ceil: boolean): number {
  const free = n + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1;
  if (!ceil) return Math.floor(free / stride[d]) + 1;
  const last = Math.ceil(free / stride[d]);
  return last * stride[d] >= n + padding[d] ? last : last + 1;
}

/**
 * The areas of a window without dilation. Sums are divided by `divisor`, or if that is 0 by the number of elements
 * inside.
 */
export const windowAreas = (h: number, w: number, window: Window, counts: Counts, divisor: number): Areas => ({
  rows: spans(h, 0, window, counts[0]),
  columns: spans(w, 1, window, counts[1]),
  divisor,
});

/** `outH` by `outW` areas that cover the image. */
export const adaptiveAreas = (h: number, w: number, outH: number, outW: number): Areas => ({
  rows: evenRuns(h, outH),
  columns: evenRuns(w, outW),
  divisor: 0,
});

/** The rows or columns of each window position that lie in the image. */
function spans(n: number, d: 0 | 1, window: Window, count: number): Int32Array {
  const all = new Int32Array(2 * count);
  for (let i = 0; i < count; i++) {
    const start = i * window.stride[d] - window.padding[d];
    all[2 * i] = Math.max(0, start);
    all[2 * i + 1] = Math.min(n, start + window.kernel[d]);
  }
  return all;
}

/** `m` nearly equal runs that cover `n` elements. */
function evenRuns(n: number, m: number): Int32Array {
  const all = new Int32Array(2 * m);
  for (let i = 0; i < m; i++) {
    all[2 * i] = Math.floor((i * n) / m);
    all[2 * i + 1] = Math.ceil(((i + 1) * n) / m);
  }
  return all;
}
