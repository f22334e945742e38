import { adaptiveAvgPool1d, adaptiveAvgPool2d, avgPool1d, avgPool2d, maxPool1d, maxPool2d } from '@gradgate/core';
import { is, options as known } from '@gradgate/core/internal';
import { adaptiveMaxPool1d, adaptiveMaxPool2d } from '../functions/pool.js';
import { layerOf } from './layerOf.js';

const sizes = is.either(is.count, is.tuple(is.count, is.count));

// Each takes kernel or output size and the options of the function that it is named after.
export class MaxPool1d extends layerOf(maxPool1d, is.count, known.maxPoolOptions) {}
export class MaxPool2d extends layerOf(maxPool2d, sizes, known.maxPoolOptions) {}
export class AvgPool1d extends layerOf(avgPool1d, is.count, known.avgPoolOptions) {}
export class AvgPool2d extends layerOf(avgPool2d, sizes, known.avgPoolOptions) {}
export class AdaptiveAvgPool1d extends layerOf(adaptiveAvgPool1d, is.count) {}
export class AdaptiveAvgPool2d extends layerOf(adaptiveAvgPool2d, sizes) {}
export class AdaptiveMaxPool1d extends layerOf(adaptiveMaxPool1d, is.count) {}
export class AdaptiveMaxPool2d extends layerOf(adaptiveMaxPool2d, sizes) {}
