import type { Tensor } from '@gradgate/core';
import { conv3d, convTranspose3d } from '../functions/conv3d.js';
import { type Triple, triples } from '../functions/sizes.js';
import {
  ConvBase,
  type ConvKind,
  type ConvModuleOptions,
  type ConvTransposeModuleOptions,
  convOptions,
  transposeOptions,
} from './conv.js';

const conv3dKind: ConvKind = { ndim: 3, transposed: false, options: convOptions(triples) };
const convTranspose3dKind: ConvKind = { ndim: 3, transposed: true, options: transposeOptions(triples) };

/**
 * 3D convolution: `[N, inChannels, D, H, W]` to `[N, outChannels, D2, H2, W2]`, or without `N`. `kernelSize` and the
 * sizes among the options are a number or `[depth, height, width]`. Parameters: `weight` `[outChannels, inChannels /
 * groups, ...kernelSize]` and `bias` `[outChannels]`. Options as for `Conv2d`.
 *
 * ```ts
 * new Conv3d(3, 16, 3, { padding: 1 })(randn([2, 3, 4, 8, 8])).shape; // [2, 16, 4, 8, 8]
 * ```
 */
export class Conv3d extends ConvBase {
  /** The options that it was made with. */
  readonly options: ConvModuleOptions<Triple>;

  constructor(inChannels: number, outChannels: number, kernelSize: Triple, options: ConvModuleOptions<Triple> = {}) {
    super(inChannels, outChannels, kernelSize, options, conv3dKind);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return this.convolve(conv3d, x, this.options);
  }
}

/**
 * 3D transposed convolution, which enlarges: `[N, inChannels, D, H, W]` to `[N, outChannels, D2, H2, W2]`, or without
 * `N`; the sizes are as for `ConvTranspose1d`. Parameters: `weight` `[inChannels, outChannels / groups, ...kernelSize]`
 * and `bias` `[outChannels]`. Options as for `ConvTranspose1d`.
 *
 * ```ts
 * new ConvTranspose3d(16, 3, 2, { stride: 2 })(randn([2, 16, 2, 4, 4])).shape; // [2, 3, 4, 8, 8]
 * ```
 */
export class ConvTranspose3d extends ConvBase {
  /** The options that it was made with. */
  readonly options: ConvTransposeModuleOptions<Triple>;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Triple,
    options: ConvTransposeModuleOptions<Triple> = {},
  ) {
    super(inChannels, outChannels, kernelSize, options, convTranspose3dKind);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    const { bias: _, ...options } = this.options;
    return convTranspose3d(x, this.weight, this.bias, options);
  }
}
