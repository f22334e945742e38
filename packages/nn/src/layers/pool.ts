import { adaptiveAvgPool1d, adaptiveAvgPool2d, avgPool1d, avgPool2d, maxPool1d, maxPool2d } from '@gradgate/core';
import { is, options as known } from '@gradgate/core/internal';
import { adaptiveMaxPool1d, adaptiveMaxPool2d } from '../functions/pool.js';
import { layerOf } from './layerOf.js';

const sizes = is.either(is.count, is.tuple(is.count, is.count));

// Each takes kernel or output size and the options of the function that it is named after.
/**
 * The largest of each window: `[N, C, L]` to `[N, C, L2]`: `new MaxPool1d(2)`. Options: `stride` (the kernel by
 * default), `padding`, `dilation`, `ceilMode`.
 */
export class MaxPool1d extends layerOf(maxPool1d, is.count, known.maxPoolOptions) {}
/**
 * The largest of each window: `[N, C, H, W]` to `[N, C, H2, W2]`: `new MaxPool2d(2)`. Options: `stride` (the kernel
 * by default), `padding`, `dilation`, `ceilMode`.
 */
export class MaxPool2d extends layerOf(maxPool2d, sizes, known.maxPoolOptions) {}
/**
 * The mean of each window: `[N, C, L]` to `[N, C, L2]`. Options: `stride` (the kernel by default), `padding`,
 * `ceilMode`.
 */
export class AvgPool1d extends layerOf(avgPool1d, is.count, known.avgPoolOptions) {}
/**
 * The mean of each window: `[N, C, H, W]` to `[N, C, H2, W2]`. Options: `stride` (the kernel by default), `padding`,
 * `ceilMode`.
 */
export class AvgPool2d extends layerOf(avgPool2d, sizes, known.avgPoolOptions) {}
/** Means of as many windows as `outputSize` says: `[N, C, L]` to `[N, C, outputSize]`. */
export class AdaptiveAvgPool1d extends layerOf(adaptiveAvgPool1d, is.count) {}
/** Means of as many windows as `outputSize` says: `[N, C, H, W]` to `[N, C, ...outputSize]`. */
export class AdaptiveAvgPool2d extends layerOf(adaptiveAvgPool2d, sizes) {}
/** Maxima of as many windows as `outputSize` says: `[N, C, L]` to `[N, C, outputSize]`. */
export class AdaptiveMaxPool1d extends layerOf(adaptiveMaxPool1d, is.count) {}
/** Maxima of as many windows as `outputSize` says: `[N, C, H, W]` to `[N, C, ...outputSize]`. */
export class AdaptiveMaxPool2d extends layerOf(adaptiveMaxPool2d, sizes) {}
