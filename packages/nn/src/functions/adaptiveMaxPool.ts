import { maxPool2d, type Pair, ShapeError, type Tensor, tensor } from '@gradgate/core';
import { check, checkTensors, is, named } from '@gradgate/core/internal';
import { maxPool2dWithIndices, type Places } from './maxPool.js';
import { maxPool3d, maxPool3dWithIndices } from './pool3d.js';
import { asBatch, asGiven, each, sizesOf, type Triple } from './sizes.js';

// Nearly equal stretches of a dimension are made equally long by repeating their last elements, which changes no maximum and
// not where it is first found: then they are the windows of a pooling without overlap.

/** For each of `m` stretches of `n` elements the places of its elements, all equally many. */
function stretches(n: number, m: number): number[][] {
  const spans = Array.from({ length: m }, (_, i) => [Math.floor((i * n) / m), Math.ceil(((i + 1) * n) / m)] as const);
  const longest = Math.max(...spans.map(([start, end]) => end - start));
  return spans.map(([start, end]) => Array.from({ length: longest }, (_, i) => Math.min(start + i, end - 1)));
}

/** A tensor with windows of equal sizes, these sizes, and for each dimension its size before and the elements that were taken. */
interface Spread {
  x: Tensor;
  kernel: number[];
  sizes: number[];
  places: number[][];
}

function spread(x: Tensor, outputSize: readonly number[]): Spread {
  const [kernel, places, first] = [[] as number[], [] as number[][], x.ndim - outputSize.length];
  let wide = x;
  outputSize.forEach((m, i) => {
    const n = x.shape[first + i]!;
    const parts = stretches(n, m);
    const own = parts.flat();
    kernel.push(parts[0]!.length);
    places.push(own);
    if (own.length !== n) wide = wide.indexSelect(first + i, tensor(Int32Array.from(own), { device: x.device }));
  });
  return { x: wide, kernel, sizes: x.shape.slice(first), places };
}

/** Checks the arguments of a pooling of `dims` dimensions, and spreads the input as a batch of planes or volumes. */
function prepare(op: string, input: Tensor, outputSize: number | readonly number[], dims: number) {
  checkTensors(op, input);
  check(op, 'outputSize', outputSize, sizesOf(dims)(is.count));
  const x = asBatch(op, input, dims);
  if (x.shape.slice(2).includes(0))
    throw new ShapeError(op, `there is nothing to take a maximum of in [${input.shape.join(', ')}]`);
  return dims === 1 ? spread(x.unsqueeze(2), [1, outputSize as number]) : spread(x, each(outputSize, dims));
}

function values(op: string, input: Tensor, outputSize: number | readonly number[], dims: number): Tensor {
  const { x, kernel } = prepare(op, input, outputSize, dims);
  const out = dims === 3 ? maxPool3d(x, kernel as [number, number, number]) : maxPool2d(x, kernel as [number, number]);
  return asGiven(dims === 1 ? out.squeeze(2) : out, input, dims);
}

function withPlaces(op: string, input: Tensor, outputSize: number | readonly number[], dims: number): Places {
  const { x, kernel, sizes, places } = prepare(op, input, outputSize, dims);
  const found =
    dims === 3
      ? maxPool3dWithIndices(x, kernel as [number, number, number])
      : maxPool2dWithIndices(x, kernel as [number, number]);
  const given = (t: Tensor) => asGiven(dims === 1 ? t.squeeze(2) : t, input, dims);
  // Which element of its own plane or volume each element is.
  let own = [0];
  places.forEach((of, d) => {
    own = own.flatMap((before) => of.map((place) => before * sizes[d]! + place));
  });
  const table = tensor(Int32Array.from(own), { device: x.device });
  const indices = table.indexSelect(0, found.indices.reshape([-1])).reshape(found.indices.shape);
  return { values: given(found.values), indices: given(indices) };
}

/**
 * Maxima of as many windows as `outputSize` says: `[N, C, L]` or `[C, L]` to `[N, C, outputSize]`.
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
 * Maxima of as many windows as `outputSize` says, a number or `[height, width]`: `[N, C, H, W]` or `[C, H, W]` to `[N, C,
 * ...outputSize]`.
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
 * Maxima of as many windows as `outputSize` says, a number or `[depth, height, width]`: `[N, C, D, H, W]` or `[C, D, H, W]`
 * to `[N, C, ...outputSize]`.
 *
 * ```ts
 * functional.adaptiveMaxPool3d(randn([4, 3, 8, 8, 8]), 2).shape; // [4, 3, 2, 2, 2]
 * ```
 */
export const adaptiveMaxPool3d = /* @__PURE__ */ named(
  'adaptiveMaxPool3d',
  (x: Tensor, outputSize: Triple): Tensor => values('adaptiveMaxPool3d', x, outputSize, 3),
);

/**
 * `adaptiveMaxPool1d`, and where in its line each maximum is.
 *
 * ```ts
 * functional.adaptiveMaxPool1dWithIndices(tensor([[[1, 3, 5, 7]]]), 2).indices; // [[[1, 3]]]
 * ```
 */
export const adaptiveMaxPool1dWithIndices = /* @__PURE__ */ named(
  'adaptiveMaxPool1dWithIndices',
  (x: Tensor, outputSize: number): Places => withPlaces('adaptiveMaxPool1dWithIndices', x, outputSize, 1),
);

/**
 * `adaptiveMaxPool2d`, and where in its plane each maximum is: `h * W + w`.
 *
 * ```ts
 * functional.adaptiveMaxPool2dWithIndices(tensor([[[1, 3], [4, 2]]]), 1).indices; // [[[2]]]
 * ```
 */
export const adaptiveMaxPool2dWithIndices = /* @__PURE__ */ named(
  'adaptiveMaxPool2dWithIndices',
  (x: Tensor, outputSize: Pair): Places => withPlaces('adaptiveMaxPool2dWithIndices', x, outputSize, 2),
);

/**
 * `adaptiveMaxPool3d`, and where in its volume each maximum is: `d * H * W + h * W + w`.
 *
 * ```ts
 * functional.adaptiveMaxPool3dWithIndices(tensor([[[[1, 3]], [[4, 2]]]]), 1).indices; // [[[[2]]]]
 * ```
 */
export const adaptiveMaxPool3dWithIndices = /* @__PURE__ */ named(
  'adaptiveMaxPool3dWithIndices',
  (x: Tensor, outputSize: Triple): Places => withPlaces('adaptiveMaxPool3dWithIndices', x, outputSize, 3),
);
