import { maxPool2d, type Pair, ShapeError, type Tensor, tensor, type ValuesAndIndices } from '@gradgate/core';
import { check, checkSize, checkTensors, inFloat32, is, named } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { maxPool2dWithIndices } from './maxPool.js';
import { maxPool3d, maxPool3dWithIndices } from './pool3d.js';
import { asBatch, each, likeInput, sizesOf, type Triple } from './sizes.js';

// The windows of adaptive pooling differ in length by at most one. The shorter ones get as long as the longest by
// repeating their last element, which changes neither a maximum nor its first index. What results is pooling without
// overlap.

/** The size of the longest of `m` windows over `n` elements, and the indices of all elements of each, so long made. */
function windowIndices(n: number, m: number): { longest: number; own: Int32Array } {
  const start = (i: number) => Math.floor((i * n) / m);
  const end = (i: number) => Math.ceil(((i + 1) * n) / m);
  let longest = 1;
  for (let i = 0; i < m; i++) longest = Math.max(longest, end(i) - start(i));
  const own = new Int32Array(m * longest);
  for (let i = 0; i < m; i++)
    for (let k = 0; k < longest; k++) own[i * longest + k] = Math.min(start(i) + k, end(i) - 1);
  return { longest, own };
}

/** The input with windows of equal size; that size; and for each dimension its original size and the indices taken. */
interface ExpandedInput {
  x: Tensor;
  kernel: number[];
  sizes: number[];
  taken: Int32Array[];
}

function expandWindows(x: Tensor, outputSize: readonly number[]): ExpandedInput {
  const [kernel, taken, first] = [[] as number[], [] as Int32Array[], x.ndim - outputSize.length];
  let wide = x;
  outputSize.forEach((m, i) => {
    const n = x.shape[first + i]!;
    const { longest, own } = windowIndices(n, m);
    kernel.push(longest);
    taken.push(own);
    if (own.length !== n) wide = wide.indexSelect(first + i, tensor(own, { device: x.device }));
  });
  return { x: wide, kernel, sizes: x.shape.slice(first), taken };
}

/** Checks the arguments of pooling over `dims` dimensions and expands the windows of the batched input. */
function prepare(op: string, input: Tensor, outputSize: number | readonly number[], dims: number) {
  checkTensors(op, input);
  check(op, 'outputSize', outputSize, sizesOf(dims)(is.count));
  const x = asBatch(op, input, dims);
  if (x.shape.slice(2).includes(0))
    throw new ShapeError(op, `there is nothing to take a maximum of in ${shapeText(input)}`);
  checkSize(op, [...x.shape.slice(0, 2), ...each(outputSize, dims)], x.shape);
  return dims === 1
    ? expandWindows(x.unsqueeze(2), [1, outputSize as number])
    : expandWindows(x, each(outputSize, dims));
}

function values(op: string, input: Tensor, outputSize: number | readonly number[], dims: number): Tensor {
  const { x, kernel } = prepare(op, input, outputSize, dims);
  const out = dims === 3 ? maxPool3d(x, kernel as [number, number, number]) : maxPool2d(x, kernel as [number, number]);
  return likeInput(dims === 1 ? out.squeeze(2) : out, input, dims);
}

function withIndices(
  op: string,
  input: Tensor,
  outputSize: number | readonly number[],
  dims: number,
): ValuesAndIndices {
  const { x, kernel, sizes, taken } = prepare(op, input, outputSize, dims);
  const found =
    dims === 3
      ? maxPool3dWithIndices(x, kernel as [number, number, number])
      : maxPool2dWithIndices(x, kernel as [number, number]);
  const given = (t: Tensor) => likeInput(dims === 1 ? t.squeeze(2) : t, input, dims);
  // For each element of the expanded input, its index in the original plane or volume.
  let own = new Int32Array(1);
  taken.forEach((of, d) => {
    const before = own;
    own = new Int32Array(before.length * of.length);
    before.forEach((at, i) => {
      for (let k = 0; k < of.length; k++) own[i * of.length + k] = at * sizes[d]! + of[k]!;
    });
  });
  const table = tensor(own, { device: x.device });
  const indices = table.indexSelect(0, found.indices.reshape([-1])).reshape(found.indices.shape);
  return { values: given(found.values), indices: given(indices) };
}

/**
 * The maximum of each of `outputSize` windows, which divide the line as evenly as possible: `[N, C, L]` or `[C, L]` to
 * `[N, C, outputSize]`, or without `N`.
 *
 * ```ts
 * functional.adaptiveMaxPool1d(tensor([[[1, 3, 5, 7]]]), 2); // [[[3, 7]]]
 * ```
 */
export const adaptiveMaxPool1d = /* @__PURE__ */ named(
  'adaptiveMaxPool1d',
  (x: Tensor, outputSize: number): Tensor => values('adaptiveMaxPool1d', x, outputSize, 1),
);

/**
 * The maximum of each window, where windows divide the plane as evenly as possible into `outputSize`, a number or
 * `[height, width]`: `[N, C, H, W]` or `[C, H, W]` to `[N, C, ...outputSize]`, or without `N`.
 *
 * ```ts
 * functional.adaptiveMaxPool2d(randn([4, 3, 8, 8]), [2, 4]).shape; // [4, 3, 2, 4]
 * ```
 */
export const adaptiveMaxPool2d = /* @__PURE__ */ named(
  'adaptiveMaxPool2d',
  (x: Tensor, outputSize: Pair): Tensor => values('adaptiveMaxPool2d', x, outputSize, 2),
);

/**
 * The maximum of each window, where windows divide the volume as evenly as possible into `outputSize`, a number or
 * `[depth, height, width]`: `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, ...outputSize]`, or without `N`.
 *
 * ```ts
 * functional.adaptiveMaxPool3d(randn([4, 3, 8, 8, 8]), 2).shape; // [4, 3, 2, 2, 2]
 * ```
 */
export const adaptiveMaxPool3d = /* @__PURE__ */ inFloat32(
  'adaptiveMaxPool3d',
  (x: Tensor, outputSize: Triple): Tensor => values('adaptiveMaxPool3d', x, outputSize, 3),
);

/**
 * `adaptiveMaxPool1d`, with the index of each maximum in its line.
 *
 * ```ts
 * functional.adaptiveMaxPool1dWithIndices(tensor([[[1, 3, 5, 7]]]), 2).indices; // [[[1, 3]]]
 * ```
 */
export const adaptiveMaxPool1dWithIndices = /* @__PURE__ */ named(
  'adaptiveMaxPool1dWithIndices',
  (x: Tensor, outputSize: number): ValuesAndIndices => withIndices('adaptiveMaxPool1dWithIndices', x, outputSize, 1),
);

/**
 * `adaptiveMaxPool2d`, with the index of each maximum in its plane: `h * W + w`.
 *
 * ```ts
 * functional.adaptiveMaxPool2dWithIndices(tensor([[[1, 3], [4, 2]]]), 1).indices; // [[[2]]]
 * ```
 */
export const adaptiveMaxPool2dWithIndices = /* @__PURE__ */ named(
  'adaptiveMaxPool2dWithIndices',
  (x: Tensor, outputSize: Pair): ValuesAndIndices => withIndices('adaptiveMaxPool2dWithIndices', x, outputSize, 2),
);

/**
 * `adaptiveMaxPool3d`, with the index of each maximum in its volume: `d * H * W + h * W + w`.
 *
 * ```ts
 * functional.adaptiveMaxPool3dWithIndices(tensor([[[[1, 3]], [[4, 2]]]]), 1).indices; // [[[[2]]]]
 * ```
 */
export const adaptiveMaxPool3dWithIndices = /* @__PURE__ */ inFloat32(
  'adaptiveMaxPool3dWithIndices',
  (x: Tensor, outputSize: Triple): ValuesAndIndices => withIndices('adaptiveMaxPool3dWithIndices', x, outputSize, 3),
);
