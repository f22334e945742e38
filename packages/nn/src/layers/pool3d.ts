import { is, options as known } from '@gradgate/core/internal';
import { adaptiveMaxPool3d } from '../functions/adaptiveMaxPool.js';
import { adaptiveAvgPool3d, avgPool3d, maxPool3d } from '../functions/pool3d.js';
import { triples } from '../functions/sizes.js';
import { layerOf } from './layerOf.js';

const sizes = triples(is.count);

/**
 * The maximum of each window: `[N, C, D, H, W]` to `[N, C, D2, H2, W2]`, or without `N`. Sizes are a number or `[depth,
 * height, width]`. Options: `stride` (the kernel by default), `padding` 0, `dilation` 1, `ceilMode` false.
 *
 * ```ts
 * new MaxPool3d(2)(randn([2, 3, 4, 8, 8])).shape; // [2, 3, 2, 4, 4]
 * ```
 */
export class MaxPool3d extends layerOf(maxPool3d, sizes, known.maxPoolOptions) {}

/**
 * The mean of each window: `[N, C, D, H, W]` to `[N, C, D2, H2, W2]`, or without `N`. Options: `stride` (the kernel by
 * default), `padding` 0, `ceilMode` false, `countIncludePad` true, `divisorOverride`.
 *
 * ```ts
 * new AvgPool3d([1, 2, 2])(randn([2, 3, 4, 8, 8])).shape; // [2, 3, 4, 4, 4]
 * ```
 */
export class AvgPool3d extends layerOf(avgPool3d, sizes, known.avgPoolOptions) {}

/**
 * The mean of each window, where windows divide the volume as evenly as possible into `outputSize`, a number or
 * `[depth, height, width]`: `[N, C, D, H, W]` to `[N, C, ...outputSize]`, or without `N`.
 *
 * ```ts
 * new AdaptiveAvgPool3d(1)(randn([2, 3, 4, 8, 8])).shape; // [2, 3, 1, 1, 1]
 * ```
 */
export class AdaptiveAvgPool3d extends layerOf(adaptiveAvgPool3d, sizes) {}

/**
 * The maximum of each window, where windows divide the volume as evenly as possible into `outputSize`, a number or
 * `[depth, height, width]`: `[N, C, D, H, W]` to `[N, C, ...outputSize]`, or without `N`.
 *
 * ```ts
 * new AdaptiveMaxPool3d([1, 2, 2])(randn([2, 3, 4, 8, 8])).shape; // [2, 3, 1, 2, 2]
 * ```
 */
export class AdaptiveMaxPool3d extends layerOf(adaptiveMaxPool3d, sizes) {}
