import type { Pair } from '@gradgate/core';
import { is } from '@gradgate/core/internal';
import {
  checkOutput,
  type FractionalMaxPoolOptions,
  fractionalMaxPool2d,
  fractionalMaxPool3d,
  fractionalOptions,
} from '../functions/fractionalMaxPool.js';
import { sizesOf, type Triple } from '../functions/sizes.js';
import { layerOf } from './layerOf.js';

/**
 * The maximum of each window, where windows begin at random places, so that planes can shrink by any factor (Graham,
 * 2014): `[N, C, H, W]` to `[N, C, ...outputSize]`, or without `N`. Options: `outputSize`, or `outputRatio` between 0
 * and 1, of which there must be one; `randomSamples` `[N, C, 2]` from 0 to 1, drawn in each call by default. Sizes are
 * a number or `[height, width]`.
 *
 * ```ts
 * new FractionalMaxPool2d(2, { outputRatio: 0.7 })(randn([2, 3, 9, 9])).shape; // [2, 3, 6, 6]
 * ```
 */
export class FractionalMaxPool2d extends layerOf(fractionalMaxPool2d, sizesOf(2)(is.count), fractionalOptions(2)) {
  constructor(kernelSize: Pair, options: FractionalMaxPoolOptions) {
    super(kernelSize, options);
    checkOutput('FractionalMaxPool2d', options);
  }
}

/**
 * The maximum of each window, where windows begin at random places: `[N, C, D, H, W]` to `[N, C, ...outputSize]`, or
 * without `N`. Options as for `FractionalMaxPool2d`, with `randomSamples` `[N, C, 3]`. Sizes are a number or
 * `[depth, height, width]`.
 *
 * ```ts
 * new FractionalMaxPool3d(2, { outputSize: 4 })(randn([2, 3, 9, 9, 9])).shape; // [2, 3, 4, 4, 4]
 * ```
 */
export class FractionalMaxPool3d extends layerOf(fractionalMaxPool3d, sizesOf(3)(is.count), fractionalOptions(3)) {
  constructor(kernelSize: Triple, options: FractionalMaxPoolOptions<Triple>) {
    super(kernelSize, options);
    checkOutput('FractionalMaxPool3d', options);
  }
}
