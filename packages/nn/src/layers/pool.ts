import { adaptiveAvgPool1d, adaptiveAvgPool2d, avgPool1d, avgPool2d, maxPool1d, maxPool2d } from '@gradgate/core';
import { is, options as known } from '@gradgate/core/internal';
import { adaptiveMaxPool1d, adaptiveMaxPool2d } from '../functions/adaptiveMaxPool.js';
import { lpPool1d, lpPool2d, lpPool3d, lpPoolOptions } from '../functions/lpPool.js';
import { pairs, sizesOf } from '../functions/sizes.js';
import { layerOf } from './layerOf.js';

const sizes = pairs(is.count);

/**
 * The maximum of each window: `[N, C, L]` to `[N, C, L2]`, or without `N`. Options: `stride` (the kernel by default),
 * `padding` 0, `dilation` 1, `ceilMode` false.
 *
 * ```ts
 * new MaxPool1d(2)(tensor([[[1, 5, 2, 3]]])); // [[[5, 3]]]
 * ```
 */
export class MaxPool1d extends layerOf(maxPool1d, is.count, known.maxPoolOptions) {}

/**
 * The maximum of each window: `[N, C, H, W]` to `[N, C, H2, W2]`, or without `N`. Sizes are a number or `[height,
 * width]`. Options: `stride` (the kernel by default), `padding` 0, `dilation` 1, `ceilMode` false.
 *
 * ```ts
 * new MaxPool2d(3, { stride: 2, padding: 1 })(randn([4, 3, 8, 8])).shape; // [4, 3, 4, 4]
 * ```
 */
export class MaxPool2d extends layerOf(maxPool2d, sizes, known.maxPoolOptions) {}

/**
 * The mean of each window: `[N, C, L]` to `[N, C, L2]`, or without `N`. Options: `stride` (the kernel by default),
 * `padding` 0, `ceilMode` false, `countIncludePad` true.
 *
 * ```ts
 * new AvgPool1d(2)(tensor([[[1, 5, 2, 4]]])); // [[[3, 3]]]
 * ```
 */
export class AvgPool1d extends layerOf(avgPool1d, is.count, known.avgPool1dOptions) {}

/**
 * The mean of each window: `[N, C, H, W]` to `[N, C, H2, W2]`, or without `N`. Sizes are a number or `[height, width]`.
 * Options: `stride` (the kernel by default), `padding` 0, `ceilMode` false, `countIncludePad` true, `divisorOverride`.
 *
 * ```ts
 * new AvgPool2d(2)(randn([4, 3, 8, 8])).shape; // [4, 3, 4, 4]
 * ```
 */
export class AvgPool2d extends layerOf(avgPool2d, sizes, known.avgPoolOptions) {}

/**
 * The mean of each of `outputSize` windows, which divide the line as evenly as possible: `[N, C, L]` to `[N, C,
 * outputSize]`, or without `N`.
 *
 * ```ts
 * new AdaptiveAvgPool1d(2)(tensor([[[1, 3, 5, 7]]])); // [[[2, 6]]]
 * ```
 */
export class AdaptiveAvgPool1d extends layerOf(adaptiveAvgPool1d, is.count) {}

/**
 * The mean of each window, where windows divide the plane as evenly as possible into `outputSize`, a number or
 * `[height, width]`: `[N, C, H, W]` to `[N, C, ...outputSize]`, or without `N`.
 *
 * ```ts
 * new AdaptiveAvgPool2d(1)(randn([4, 3, 8, 8])).shape; // [4, 3, 1, 1]
 * ```
 */
export class AdaptiveAvgPool2d extends layerOf(adaptiveAvgPool2d, sizes) {}

/**
 * The maximum of each of `outputSize` windows, which divide the line as evenly as possible: `[N, C, L]` to `[N, C,
 * outputSize]`, or without `N`.
 *
 * ```ts
 * new AdaptiveMaxPool1d(2)(tensor([[[1, 3, 5, 7]]])); // [[[3, 7]]]
 * ```
 */
export class AdaptiveMaxPool1d extends layerOf(adaptiveMaxPool1d, is.count) {}

/**
 * The maximum of each window, where windows divide the plane as evenly as possible into `outputSize`, a number or
 * `[height, width]`: `[N, C, H, W]` to `[N, C, ...outputSize]`, or without `N`.
 *
 * ```ts
 * new AdaptiveMaxPool2d([2, 4])(randn([4, 3, 8, 8])).shape; // [4, 3, 2, 4]
 * ```
 */
export class AdaptiveMaxPool2d extends layerOf(adaptiveMaxPool2d, sizes) {}

/** The checks of the power of a norm, the size of a window, and options. */
const lpTakes = (dims: number) => {
  const window = sizesOf(dims)(is.count);
  return [is.positive, window, lpPoolOptions(window)] as const;
};

/**
 * The `normType`-norm of each window: `[N, C, L]` to `[N, C, L2]`, or without `N`. Options: `stride` (the kernel by
 * default), `ceilMode` false.
 *
 * ```ts
 * new LPPool1d(2, 2)(tensor([[[3, 4, 6, 8]]])); // [[[5, 10]]]
 * ```
 */
export class LPPool1d extends layerOf(lpPool1d, ...lpTakes(1)) {}

/**
 * The `normType`-norm of each window: `[N, C, H, W]` to `[N, C, H2, W2]`, or without `N`. Options: `stride` (the kernel
 * by default), `ceilMode` false.
 *
 * ```ts
 * new LPPool2d(2, [1, 2])(tensor([[[3, 4]]])); // [[[5]]]
 * ```
 */
export class LPPool2d extends layerOf(lpPool2d, ...lpTakes(2)) {}

/**
 * The `normType`-norm of each window: `[N, C, D, H, W]` to `[N, C, D2, H2, W2]`, or without `N`. Options: `stride` (the
 * kernel by default), `ceilMode` false.
 *
 * ```ts
 * new LPPool3d(2, 2)(randn([2, 3, 4, 8, 8])).shape; // [2, 3, 2, 4, 4]
 * ```
 */
export class LPPool3d extends layerOf(lpPool3d, ...lpTakes(3)) {}
