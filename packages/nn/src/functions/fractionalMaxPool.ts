import { arange, cat, max, type Pair, rand, ShapeError, type Tensor, type ValuesAndIndices } from '@gradgate/core';
import { check, checkOptions, checkTensors, inFloat32, is, show, sizeOf } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { asBatch, each, likeInput, sizesOf, type Triple } from './sizes.js';

/** Options of `fractionalMaxPool2d` and `fractionalMaxPool3d`. */
export interface FractionalMaxPoolOptions<Size = Pair> {
  /** The size of the result: this, or `outputRatio`. */
  outputSize?: Size;
  /** The size of the result as a share of that of the input, between 0 and 1. */
  outputRatio?: Size;
  /**
   * Where windows begin, as numbers from 0 to 1, a number for each dimension: `[N, C, 2]` for planes, of which the
   * first is for the width, `[N, C, 3]` for volumes, of which the first is for the depth. Drawn by default.
   */
  randomSamples?: Tensor;
}

const ratio = { text: 'a number between 0 and 1', is: (v: unknown) => typeof v === 'number' && v > 0 && v < 1 };

/** The checks of the options for planes or volumes. */
export const fractionalOptions = (dims: number) => ({
  outputSize: sizesOf(dims)(is.count),
  outputRatio: sizesOf(dims)(ratio),
  randomSamples: is.tensor,
});

/** Refuses options that say not, or twice, how large the result is. */
export function checkOutput(op: string, options: FractionalMaxPoolOptions<any> | undefined): void {
  if ((options?.outputSize === undefined) === (options?.outputRatio === undefined))
    throw new TypeError(`${op}: takes either outputSize or outputRatio, got ${show(options)}`);
}

/**
 * Where the windows of one dimension begin, `[N, C, count]`: at random, but the last one always ends with the input.
 */
function startsOf(samples: Tensor, size: number, count: number, kernel: number): Tensor {
  const last = samples
    .mul(0)
    .add(size - kernel)
    .unsqueeze(-1);
  if (count === 1) return last;
  const step = (size - kernel) / (count - 1);
  const at = samples.unsqueeze(-1);
  const steps = arange(count - 1, { dtype: samples.dtype, device: samples.device });
  return cat([at.add(steps).mul(step).floor().sub(at.mul(step).floor()), last], -1);
}

function pooled(
  op: string,
  input: Tensor,
  kernelSize: number | readonly number[],
  options: FractionalMaxPoolOptions<any> | undefined,
  dims: number,
): ValuesAndIndices {
  checkTensors(op, input);
  check(op, 'kernelSize', kernelSize, sizesOf(dims)(is.count));
  const { outputSize, outputRatio, randomSamples } = checkOptions(op, options, fractionalOptions(dims));
  checkOutput(op, options);
  const x = asBatch(op, input, dims);
  const [n, c, ...sizes] = x.shape as [number, number, ...number[]];
  const kernel = each(kernelSize, dims);
  const counts =
    outputSize === undefined
      ? each(outputRatio, dims).map((r, d) => Math.floor(sizes[d]! * r))
      : each(outputSize, dims);
  sizes.forEach((size, d) => {
    if (counts[d]! < 1 || counts[d]! + kernel[d]! - 1 > size)
      throw new ShapeError(
        op,
        `${counts[d]} windows of ${kernel[d]} in ${size} elements would begin at the same place; the size of the result is from 1 to ${size - kernel[d]! + 1}`,
      );
  });
  const samples = randomSamples ?? rand([n, c, dims], { device: x.device });
  if (samples.shape.join() !== [n, c, dims].join())
    throw new ShapeError(op, `randomSamples must be [${n}, ${c}, ${dims}], got ${shapeText(samples)}`);

  // For each element of each window its place: a dimension for the windows, and one for their elements, of each side.
  let places: Tensor | null = null;
  for (let d = 0; d < dims; d++) {
    // In planes the first sample is for the width.
    const own = samples.select(2, dims === 2 ? 1 - d : d).float();
    const starts = startsOf(own, sizes[d]!, counts[d]!, kernel[d]!);
    const along = starts
      .unsqueeze(-1)
      .add(arange(kernel[d]!, { dtype: 'float32', device: x.device }))
      .int();
    const shape = [n, c, ...counts.map((m, i) => (i === d ? m : 1)), ...kernel.map((k, i) => (i === d ? k : 1))];
    const side: Tensor = along.reshape(shape);
    places = places === null ? side : places.mul(sizes[d]!).add(side);
  }
  const windows = [n, c, ...counts, sizeOf(kernel)];
  const flat = x.reshape([n, c, sizeOf(sizes)]);
  const within = flat.gather(2, places!.reshape([n, c, -1])).reshape(windows);
  const { values, indices } = max(within, -1);
  const at = places!.reshape(windows).gather(-1, indices.unsqueeze(-1)).squeeze(-1);
  return { values: likeInput(values, input, dims), indices: likeInput(at, input, dims) };
}

/**
 * The maximum of each window, where windows of `kernelSize` begin at random places, so that a plane can shrink by any
 * factor (Graham, 2014): `x` `[N, C, H, W]` or `[C, H, W]` to `[N, C, ...outputSize]`, or without `N`. Options:
 * `outputSize` or `outputRatio`, of which there must be one; `randomSamples` `[N, C, 2]`, drawn by default. Sizes are a
 * number or `[height, width]`.
 *
 * ```ts
 * functional.fractionalMaxPool2d(randn([2, 3, 9, 9]), 2, { outputRatio: 0.7 }).shape; // [2, 3, 6, 6]
 * ```
 */
export const fractionalMaxPool2d = /* @__PURE__ */ inFloat32(
  'fractionalMaxPool2d',
  (x: Tensor, kernelSize: Pair, options: FractionalMaxPoolOptions): Tensor =>
    pooled('fractionalMaxPool2d', x, kernelSize, options, 2).values,
);

/**
 * `fractionalMaxPool2d`, with the index `h * W + w` of each maximum in its plane. Both have the same shape.
 *
 * ```ts
 * const { indices } = functional.fractionalMaxPool2dWithIndices(tensor([[[1, 3], [4, 2]]]), 2, { outputSize: 1 });
 * indices; // [[[2]]]
 * ```
 */
export const fractionalMaxPool2dWithIndices = /* @__PURE__ */ inFloat32(
  'fractionalMaxPool2dWithIndices',
  (x: Tensor, kernelSize: Pair, options: FractionalMaxPoolOptions): ValuesAndIndices =>
    pooled('fractionalMaxPool2dWithIndices', x, kernelSize, options, 2),
);

/**
 * The maximum of each window, where windows of `kernelSize` begin at random places: `x` `[N, C, D, H, W]` or
 * `[C, D, H, W]` to `[N, C, ...outputSize]`, or without `N`. Options as for `fractionalMaxPool2d`, with `randomSamples`
 * `[N, C, 3]`. Sizes are a number or `[depth, height, width]`.
 *
 * ```ts
 * functional.fractionalMaxPool3d(randn([2, 3, 9, 9, 9]), 2, { outputSize: [4, 5, 6] }).shape; // [2, 3, 4, 5, 6]
 * ```
 */
export const fractionalMaxPool3d = /* @__PURE__ */ inFloat32(
  'fractionalMaxPool3d',
  (x: Tensor, kernelSize: Triple, options: FractionalMaxPoolOptions<Triple>): Tensor =>
    pooled('fractionalMaxPool3d', x, kernelSize, options, 3).values,
);

/**
 * `fractionalMaxPool3d`, with the index `d * H * W + h * W + w` of each maximum in its volume. Both have the same
 * shape.
 *
 * ```ts
 * const x = tensor([[[[1, 3]], [[4, 2]]]]);
 * functional.fractionalMaxPool3dWithIndices(x, [2, 1, 2], { outputSize: 1 }).indices; // [[[[2]]]]
 * ```
 */
export const fractionalMaxPool3dWithIndices = /* @__PURE__ */ inFloat32(
  'fractionalMaxPool3dWithIndices',
  (x: Tensor, kernelSize: Triple, options: FractionalMaxPoolOptions<Triple>): ValuesAndIndices =>
    pooled('fractionalMaxPool3dWithIndices', x, kernelSize, options, 3),
);
