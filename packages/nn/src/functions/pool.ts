import { type Pair, ShapeError, type Tensor, tensor } from '@gradgate/core';
import { check, checkTensors, is, named } from '@gradgate/core/internal';

/** Where each of `m` nearly equal stretches of `n` elements begins and ends. */
const stretches = (n: number, m: number): Span[] =>
  Array.from({ length: m }, (_, i) => [Math.floor((i * n) / m), Math.ceil(((i + 1) * n) / m)]);

type Span = readonly [number, number];

/** Where in a plane, which starts at `plane` and has rows of `w`, the largest element of an area is; the last NaN, or the first of equals. */
function placeOfLargest(
  data: ArrayLike<number>,
  plane: number,
  w: number,
  [top, bottom]: Span,
  [left, right]: Span,
): number {
  let best = top * w + left;
  for (let i = top; i < bottom; i++)
    for (let p = i * w + left; p < i * w + right; p++) {
      const v = data[plane + p]!;
      if (v > data[plane + best]! || Number.isNaN(v)) best = p;
    }
  return best;
}

/** The largest element of each of `outH` by `outW` areas of `x` `[N, C, H, W]`. */
function largest(op: string, x: Tensor, [outH, outW]: readonly [number, number]): Tensor {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  if (h === 0 || w === 0) throw new ShapeError(op, `there is nothing to take a maximum of in [${x.shape.join(', ')}]`);
  const [rows, columns] = [stretches(h, outH), stretches(w, outW)];
  const data = x.toTypedArray();
  const places = new Int32Array(n * c * outH * outW);
  let at = 0;
  for (let plane = 0; plane < data.length; plane += h * w)
    for (const row of rows) for (const column of columns) places[at++] = placeOfLargest(data, plane, w, row, column);
  const index = tensor(places, { shape: [n, c, outH * outW] });
  return x
    .reshape([n, c, h * w])
    .gather(2, index)
    .reshape([n, c, outH, outW]);
}

/**
 * Maxima of as many windows as `outputSize` says: `[N, C, L]` to `[N, C, outputSize]`.
 *
 * ```ts
 * functional.adaptiveMaxPool1d(tensor([[[1, 3, 5, 7]]]), 2); // [[[3, 7]]]
 * ```
 */
export const adaptiveMaxPool1d = /* @__PURE__ */ named('adaptiveMaxPool1d', (x: Tensor, outputSize: number): Tensor => {
  checkTensors('adaptiveMaxPool1d', x);
  check('adaptiveMaxPool1d', 'outputSize', outputSize, is.count);
  if (x.ndim === 2) return adaptiveMaxPool1d(x.unsqueeze(0), outputSize).squeeze(0);
  if (x.ndim !== 3) throw new ShapeError('adaptiveMaxPool1d', `takes [N, C, L] or [C, L], got [${x.shape.join(', ')}]`);
  return largest('adaptiveMaxPool1d', x.unsqueeze(2), [1, outputSize]).squeeze(2);
});

/**
 * Maxima of as many windows as `outputSize` says, a number or `[height, width]`: `[N, C, H, W]` to `[N, C,
 * ...outputSize]`.
 *
 * ```ts
 * functional.adaptiveMaxPool2d(randn([4, 3, 8, 8]), [2, 4]).shape; // [4, 3, 2, 4]
 * ```
 */
export const adaptiveMaxPool2d = /* @__PURE__ */ named('adaptiveMaxPool2d', (x: Tensor, outputSize: Pair): Tensor => {
  checkTensors('adaptiveMaxPool2d', x);
  check('adaptiveMaxPool2d', 'outputSize', outputSize, is.either(is.count, is.tuple(is.count, is.count)));
  if (x.ndim === 3) return adaptiveMaxPool2d(x.unsqueeze(0), outputSize).squeeze(0);
  if (x.ndim !== 4)
    throw new ShapeError('adaptiveMaxPool2d', `takes [N, C, H, W] or [C, H, W], got [${x.shape.join(', ')}]`);
  return largest('adaptiveMaxPool2d', x, typeof outputSize === 'number' ? [outputSize, outputSize] : outputSize);
});
