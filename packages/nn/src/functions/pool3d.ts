import {
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  type MaxPoolOptions,
  type Tensor,
  type ValuesAndIndices,
} from '@gradgate/core';
import {
  check,
  checkOptions,
  checkTensors,
  inFloat32,
  is,
  options as known,
  maxPoolWithIndices,
} from '@gradgate/core/internal';
import { indicesWithin } from './maxPool.js';
import { asBatch, likeInput, type Triple, three, triples } from './sizes.js';

// Pooling is separable: first over each plane, then over the results in depth.

type Five = [number, number, number, number, number];
const sizes = triples(is.count);

/** The maxima over `[N, C, D, H, W]`, and a function that computes their indices among all elements. */
function maxima(x: Tensor, kernelSize: Triple, options: MaxPoolOptions<Triple>): [Tensor, () => Tensor] {
  const { stride = kernelSize, padding = 0, dilation = 1, ceilMode } = options;
  const [n, c, depth, h, w] = x.shape as Five;
  const [[k, kernel], [s, steps], [p, sides], [d, gaps]] = [
    three(kernelSize),
    three(stride),
    three(padding),
    three(dilation),
  ];
  const [planes, inPlanes] = maxPoolWithIndices(x.reshape([n, c * depth, h, w]), kernel, {
    stride: steps,
    padding: sides,
    dilation: gaps,
    ceilMode,
  });
  const [, , rows, columns] = planes.shape as [number, number, number, number];
  const [out, inDepth] = maxPoolWithIndices(planes.reshape([n, c, depth, rows * columns]), [k, 1], {
    stride: [s, 1],
    padding: [p, 0],
    dilation: [d, 1],
    ceilMode,
  });
  const shape = [n, c, out.shape[2]!, rows, columns];
  const indices = () =>
    inPlanes
      .reshape([-1])
      .indexSelect(0, inDepth.reshape([-1]))
      .reshape(shape);
  return [out.reshape(shape), indices];
}

const maxPool = (op: string, input: Tensor, kernelSize: Triple, options: MaxPoolOptions<Triple> | undefined) => {
  checkTensors(op, input);
  check(op, 'kernelSize', kernelSize, sizes);
  return maxima(asBatch(op, input, 3), kernelSize, checkOptions(op, options, known.maxPoolOptions));
};

/**
 * The maximum of each window of `x` `[N, C, D, H, W]` or `[C, D, H, W]`: `[N, C, D2, H2, W2]`. Options: `stride` (the
 * kernel by default), `padding` 0, `dilation` 1, `ceilMode` false. Sizes are a number or `[depth, height, width]`.
 *
 * ```ts
 * functional.maxPool3d(randn([4, 3, 8, 8, 8]), 2).shape; // [4, 3, 4, 4, 4]
 * ```
 */
export const maxPool3d = /* @__PURE__ */ inFloat32(
  'maxPool3d',
  (x: Tensor, kernelSize: Triple, options?: MaxPoolOptions<Triple>): Tensor =>
    likeInput(maxPool('maxPool3d', x, kernelSize, options)[0], x, 3),
);

/**
 * `maxPool3d`, with the index `d * H * W + h * W + w` of each maximum in its volume. Both have the same shape.
 *
 * ```ts
 * const { values, indices } = functional.maxPool3dWithIndices(tensor([[[[1, 3]], [[4, 2]]]]), [2, 1, 2]);
 * indices; // [[[[2]]]]
 * ```
 */
export const maxPool3dWithIndices = /* @__PURE__ */ inFloat32(
  'maxPool3dWithIndices',
  (x: Tensor, kernelSize: Triple, options?: MaxPoolOptions<Triple>): ValuesAndIndices => {
    const [values, indices] = maxPool('maxPool3dWithIndices', x, kernelSize, options);
    return { values: likeInput(values, x, 3), indices: likeInput(indicesWithin(indices(), x, 3), x, 3) };
  },
);

/**
 * The mean of each window of `x` `[N, C, D, H, W]` or `[C, D, H, W]`: `[N, C, D2, H2, W2]`. Options: `stride` (the
 * kernel by default), `padding` 0, `ceilMode` false, `countIncludePad` true, `divisorOverride`. Sizes are a number or
 * `[depth, height, width]`.
 *
 * ```ts
 * functional.avgPool3d(ones([1, 1, 2, 2, 2]), 2); // [[[[[1]]]]]
 * ```
 */
export const avgPool3d = /* @__PURE__ */ inFloat32(
  'avgPool3d',
  (input: Tensor, kernelSize: Triple, options?: AvgPoolOptions<Triple>): Tensor => {
    checkTensors('avgPool3d', input);
    check('avgPool3d', 'kernelSize', kernelSize, sizes);
    const given = checkOptions('avgPool3d', options, known.avgPoolOptions);
    const { stride = kernelSize, padding = 0, divisorOverride, ...rest } = given;
    const [[k, kernel], [s, steps], [p, sides]] = [three(kernelSize), three(stride), three(padding)];
    const x = asBatch('avgPool3d', input, 3);
    const [n, c, depth, h, w] = x.shape as Five;
    const planes = avgPool2d(x.reshape([n, c * depth, h, w]), kernel, {
      ...rest,
      stride: steps,
      padding: sides,
      divisorOverride: divisorOverride == null ? null : 1,
    });
    const [, , rows, columns] = planes.shape as [number, number, number, number];
    const out = avgPool2d(planes.reshape([n, c, depth, rows * columns]), [k, 1], {
      ...rest,
      stride: [s, 1],
      padding: [p, 0],
      divisorOverride,
    });
    return likeInput(out.reshape([n, c, out.shape[2]!, rows, columns]), input, 3);
  },
);

/**
 * The mean of each window, where windows divide the volume as evenly as possible into `outputSize`, a number or
 * `[depth, height, width]`: `[N, C, D, H, W]` or `[C, D, H, W]` to `[N, C, ...outputSize]`, or without `N`.
 *
 * ```ts
 * functional.adaptiveAvgPool3d(randn([4, 3, 8, 8, 8]), 1).shape; // [4, 3, 1, 1, 1]
 * ```
 */
export const adaptiveAvgPool3d = /* @__PURE__ */ inFloat32(
  'adaptiveAvgPool3d',
  (input: Tensor, outputSize: Triple): Tensor => {
    checkTensors('adaptiveAvgPool3d', input);
    check('adaptiveAvgPool3d', 'outputSize', outputSize, sizes);
    const x = asBatch('adaptiveAvgPool3d', input, 3);
    const [n, c, depth, h, w] = x.shape as Five;
    const [deep, plane] = three(outputSize);
    const planes = adaptiveAvgPool2d(x.reshape([n, c * depth, h, w]), plane);
    const out = adaptiveAvgPool2d(planes.reshape([n, c, depth, plane[0] * plane[1]]), [deep, plane[0] * plane[1]]);
    return likeInput(out.reshape([n, c, deep, ...plane]), input, 3);
  },
);
