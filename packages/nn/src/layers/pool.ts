import { adaptiveAvgPool1d, adaptiveAvgPool2d, avgPool1d, avgPool2d, maxPool1d, maxPool2d } from '@gradgate/core';
import { adaptiveMaxPool1d, adaptiveMaxPool2d } from '../functions/pool.js';
import { layerOf } from './layerOf.js';

// Each takes kernel or output size and the options of the function that it is named after.
export class MaxPool1d extends layerOf(maxPool1d) {}
export class MaxPool2d extends layerOf(maxPool2d) {}
export class AvgPool1d extends layerOf(avgPool1d) {}
export class AvgPool2d extends layerOf(avgPool2d) {}
export class AdaptiveAvgPool1d extends layerOf(adaptiveAvgPool1d) {}
export class AdaptiveAvgPool2d extends layerOf(adaptiveAvgPool2d) {}
export class AdaptiveMaxPool1d extends layerOf(adaptiveMaxPool1d) {}
export class AdaptiveMaxPool2d extends layerOf(adaptiveMaxPool2d) {}
