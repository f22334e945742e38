import { full, noGrad, type Pair, type Shape, ShapeError, type Tensor } from '@gradgate/core';
import { checkTensors, is, outlive } from '@gradgate/core/internal';
import { replaceStorage } from '../convert.js';
import type { Triple } from '../functions/sizes.js';
import type { Module } from '../module.js';
import { shapeText } from '../shapeText.js';
import { BatchNorm1d, BatchNorm2d, BatchNorm3d, type BatchNormModuleOptions } from './batchNorm.js';
import type { ChannelNorm, ChannelNormOptions } from './channelNorm.js';
import {
  Conv1d,
  Conv2d,
  type ConvBase,
  type ConvModuleOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  type ConvTransposeModuleOptions,
} from './conv.js';
import { Conv3d, ConvTranspose3d } from './conv3d.js';
import { Linear, type LinearOptions } from './linear.js';
import { InstanceNorm1d, InstanceNorm2d, InstanceNorm3d } from './norm.js';

// Layers that take a size from their first input. Until then it is 0. Then their parameters and buffers get memory but
// stay the same tensors, so that an optimizer made before the first call updates them. A first call that is refused
// leaves the layer without a size: its input was most likely the wrong one.

/** Gives a parameter or buffer memory of `shape`, filled with `value`. */
function materialize(t: Tensor, shape: Shape, value = 0): void {
  noGrad.run(() => replaceStorage(t, full(shape, value, { dtype: t.dtype, device: t.device }), null));
  outlive(t.storage);
}

/** Runs the first call of a layer, which sets its sizes by `initialize`, or another; sets none if it throws. */
function firstCall(
  layer: Module,
  size: 'inFeatures' | 'inChannels' | 'numFeatures',
  initialize: () => void,
  run: () => Tensor,
): Tensor {
  if ((layer as unknown as Record<string, number>)[size] !== 0) return run();
  const memory = [...layer.parameters(), ...layer.buffers()].map((t) => [t, t.detach().clone()] as const);
  initialize();
  try {
    return run();
  } catch (error) {
    for (const [t, before] of memory) {
      replaceStorage(t, before, null);
      outlive(t.storage);
    }
    Object.assign(layer, { [size]: 0 });
    throw error;
  }
}

/**
 * The size of the first input along `dim`, which counts from the end if negative. Throws before the layer takes a size
 * if the number of dimensions is not among `ndims`; null allows any.
 */
function sizeOfInput(layer: Module, x: Tensor, ndims: readonly number[] | null, dim: number): number {
  const { name } = layer.constructor;
  checkTensors(name, x);
  if (ndims !== null && !ndims.includes(x.ndim))
    throw new ShapeError(name, `takes ${ndims.join(' or ')} dimensions, got ${shapeText(x)}`);
  const size = x.shape.at(dim);
  if (size === undefined || size === 0)
    throw new ShapeError(name, `the first input must have features, as it sets their number; got ${shapeText(x)}`);
  return size;
}

/** Runs a call of a convolution; the first one gives it its kernels. */
const callConv = (layer: ConvBase, x: Tensor, run: () => Tensor): Tensor =>
  firstCall(
    layer,
    'inChannels',
    () => {
      const { groups, kernelSize } = layer;
      const dims = kernelSize.length;
      const inChannels = sizeOfInput(layer, x, [dims + 1, dims + 2], -dims - 1);
      if (inChannels % groups !== 0)
        throw new ShapeError(layer.constructor.name, `${inChannels} channels cannot be split into ${groups} groups`);
      materialize(layer.weight, layer.weightShape(inChannels));
      Object.assign(layer, { inChannels });
      layer.resetParameters();
    },
    run,
  );

/** The number of channels until it is known: the smallest that `groups` divides. */
const placeholderChannels = (options: { groups?: number } | undefined): number =>
  is.count.is(options?.groups) ? options!.groups! : 1;

/** Runs a call of a norm; the first one gives it its channels, the size of `x` along `dim`. `ndims` as above. */
const callNorm = (layer: ChannelNorm, x: Tensor, ndims: readonly number[], dim: number, run: () => Tensor): Tensor =>
  firstCall(
    layer,
    'numFeatures',
    () => {
      const numFeatures = sizeOfInput(layer, x, ndims, dim);
      if (layer.weight) materialize(layer.weight, [numFeatures], 1);
      if (layer.bias) materialize(layer.bias, [numFeatures]);
      if (layer.runningMean) materialize(layer.runningMean, [numFeatures]);
      if (layer.runningVar) materialize(layer.runningVar, [numFeatures], 1);
      Object.assign(layer, { numFeatures });
    },
    run,
  );

/**
 * `Linear` that takes `inFeatures` from its first input: `[..., inFeatures]` to `[..., outFeatures]`. Call it once
 * before its state is loaded or saved.
 *
 * ```ts
 * const layer = new LazyLinear(2);
 * layer(randn([5, 3])).shape; // [5, 2]
 * layer.weight.shape; // [2, 3]
 * ```
 */
export class LazyLinear extends Linear {
  constructor(outFeatures: number, options: LinearOptions = {}) {
    super(0, outFeatures, options);
  }

  override forward(x: Tensor): Tensor {
    const initialize = () => {
      const inFeatures = sizeOfInput(this, x, null, -1);
      materialize(this.weight, [this.outFeatures, inFeatures]);
      Object.assign(this, { inFeatures });
      this.resetParameters();
    };
    return firstCall(this, 'inFeatures', initialize, () => super.forward(x));
  }
}

/**
 * `Conv1d` that takes `inChannels` from its first input: `[N, inChannels, L]` to `[N, outChannels, L2]`, or without
 * `N`. Call it once before its state is loaded or saved.
 *
 * ```ts
 * const layer = new LazyConv1d(16, 3);
 * layer(randn([2, 4, 10])).shape; // [2, 16, 8]
 * layer.inChannels; // 4
 * ```
 */
export class LazyConv1d extends Conv1d {
  constructor(outChannels: number, kernelSize: number, options: ConvModuleOptions<number> = {}) {
    super(placeholderChannels(options), outChannels, kernelSize, options);
    Object.assign(this, { inChannels: 0 });
  }

  override forward(x: Tensor): Tensor {
    return callConv(this, x, () => super.forward(x));
  }
}

/**
 * `Conv2d` that takes `inChannels` from its first input: `[N, inChannels, H, W]` to `[N, outChannels, H2, W2]`, or
 * without `N`. Call it once before its state is loaded or saved.
 *
 * ```ts
 * const layer = new LazyConv2d(16, 3);
 * layer(randn([2, 4, 8, 8])).shape; // [2, 16, 6, 6]
 * layer.inChannels; // 4
 * ```
 */
export class LazyConv2d extends Conv2d {
  constructor(outChannels: number, kernelSize: Pair, options: ConvModuleOptions = {}) {
    super(placeholderChannels(options), outChannels, kernelSize, options);
    Object.assign(this, { inChannels: 0 });
  }

  override forward(x: Tensor): Tensor {
    return callConv(this, x, () => super.forward(x));
  }
}

/**
 * `Conv3d` that takes `inChannels` from its first input: `[N, inChannels, D, H, W]` to `[N, outChannels, D2, H2, W2]`,
 * or without `N`. Call it once before its state is loaded or saved.
 *
 * ```ts
 * const layer = new LazyConv3d(16, 3);
 * layer(randn([2, 4, 4, 8, 8])).shape; // [2, 16, 2, 6, 6]
 * layer.inChannels; // 4
 * ```
 */
export class LazyConv3d extends Conv3d {
  constructor(outChannels: number, kernelSize: Triple, options: ConvModuleOptions<Triple> = {}) {
    super(placeholderChannels(options), outChannels, kernelSize, options);
    Object.assign(this, { inChannels: 0 });
  }

  override forward(x: Tensor): Tensor {
    return callConv(this, x, () => super.forward(x));
  }
}

/**
 * `ConvTranspose1d` that takes `inChannels` from its first input: `[N, inChannels, L]` to `[N, outChannels, L2]`, or
 * without `N`. Call it once before its state is loaded or saved.
 *
 * ```ts
 * new LazyConvTranspose1d(16, 2, { stride: 2 })(randn([2, 4, 10])).shape; // [2, 16, 20]
 * ```
 */
export class LazyConvTranspose1d extends ConvTranspose1d {
  constructor(outChannels: number, kernelSize: number, options: ConvTransposeModuleOptions<number> = {}) {
    super(placeholderChannels(options), outChannels, kernelSize, options);
    Object.assign(this, { inChannels: 0 });
  }

  override forward(x: Tensor): Tensor {
    return callConv(this, x, () => super.forward(x));
  }
}

/**
 * `ConvTranspose2d` that takes `inChannels` from its first input: `[N, inChannels, H, W]` to `[N, outChannels, H2,
 * W2]`, or without `N`. Call it once before its state is loaded or saved.
 *
 * ```ts
 * new LazyConvTranspose2d(16, 2, { stride: 2 })(randn([2, 4, 8, 8])).shape; // [2, 16, 16, 16]
 * ```
 */
export class LazyConvTranspose2d extends ConvTranspose2d {
  constructor(outChannels: number, kernelSize: Pair, options: ConvTransposeModuleOptions = {}) {
    super(placeholderChannels(options), outChannels, kernelSize, options);
    Object.assign(this, { inChannels: 0 });
  }

  override forward(x: Tensor): Tensor {
    return callConv(this, x, () => super.forward(x));
  }
}

/**
 * `ConvTranspose3d` that takes `inChannels` from its first input: `[N, inChannels, D, H, W]` to `[N, outChannels, D2,
 * H2, W2]`, or without `N`. Call it once before its state is loaded or saved.
 *
 * ```ts
 * new LazyConvTranspose3d(16, 2, { stride: 2 })(randn([2, 4, 4, 8, 8])).shape; // [2, 16, 8, 16, 16]
 * ```
 */
export class LazyConvTranspose3d extends ConvTranspose3d {
  constructor(outChannels: number, kernelSize: Triple, options: ConvTransposeModuleOptions<Triple> = {}) {
    super(placeholderChannels(options), outChannels, kernelSize, options);
    Object.assign(this, { inChannels: 0 });
  }

  override forward(x: Tensor): Tensor {
    return callConv(this, x, () => super.forward(x));
  }
}

/**
 * `BatchNorm1d` that takes `numFeatures` from its first input: `[N, numFeatures, L]` or `[N, numFeatures]`, kept. Call
 * it once before its state is loaded or saved.
 *
 * ```ts
 * const layer = new LazyBatchNorm1d();
 * layer(randn([2, 4, 10])).shape; // [2, 4, 10]
 * layer.runningMean!.shape; // [4]
 * ```
 */
export class LazyBatchNorm1d extends BatchNorm1d {
  constructor(options: BatchNormModuleOptions = {}) {
    super(0, options);
  }

  override forward(x: Tensor): Tensor {
    return callNorm(this, x, [2, 3], 1, () => super.forward(x));
  }
}

/**
 * `BatchNorm2d` that takes `numFeatures` from its first input: `[N, numFeatures, H, W]` in and out. Call it once before
 * its state is loaded or saved.
 *
 * ```ts
 * const layer = new LazyBatchNorm2d();
 * layer(randn([2, 4, 8, 8])).shape; // [2, 4, 8, 8]
 * layer.runningMean!.shape; // [4]
 * ```
 */
export class LazyBatchNorm2d extends BatchNorm2d {
  constructor(options: BatchNormModuleOptions = {}) {
    super(0, options);
  }

  override forward(x: Tensor): Tensor {
    return callNorm(this, x, [4], 1, () => super.forward(x));
  }
}

/**
 * `BatchNorm3d` that takes `numFeatures` from its first input: `[N, numFeatures, D, H, W]` in and out. Call it once
 * before its state is loaded or saved.
 *
 * ```ts
 * const layer = new LazyBatchNorm3d();
 * layer(randn([2, 4, 4, 8, 8])).shape; // [2, 4, 4, 8, 8]
 * layer.runningMean!.shape; // [4]
 * ```
 */
export class LazyBatchNorm3d extends BatchNorm3d {
  constructor(options: BatchNormModuleOptions = {}) {
    super(0, options);
  }

  override forward(x: Tensor): Tensor {
    return callNorm(this, x, [5], 1, () => super.forward(x));
  }
}

/**
 * `InstanceNorm1d` that takes `numFeatures` from its first input: `[N, numFeatures, L]` or without `N` in and out. Call
 * it once before its state is loaded or saved.
 *
 * ```ts
 * new LazyInstanceNorm1d({ affine: true })(randn([2, 4, 10])).shape; // [2, 4, 10]
 * ```
 */
export class LazyInstanceNorm1d extends InstanceNorm1d {
  constructor(options: ChannelNormOptions = {}) {
    super(0, options);
  }

  override forward(x: Tensor): Tensor {
    return callNorm(this, x, [2, 3], -2, () => super.forward(x));
  }
}

/**
 * `InstanceNorm2d` that takes `numFeatures` from its first input: `[N, numFeatures, H, W]` or without `N`, kept. Call
 * it once before its state is loaded or saved.
 *
 * ```ts
 * new LazyInstanceNorm2d({ affine: true })(randn([2, 4, 8, 8])).shape; // [2, 4, 8, 8]
 * ```
 */
export class LazyInstanceNorm2d extends InstanceNorm2d {
  constructor(options: ChannelNormOptions = {}) {
    super(0, options);
  }

  override forward(x: Tensor): Tensor {
    return callNorm(this, x, [3, 4], -3, () => super.forward(x));
  }
}

/**
 * `InstanceNorm3d` that takes `numFeatures` from its first input: `[N, numFeatures, D, H, W]` or without `N`, kept.
 * Call it once before its state is loaded or saved.
 *
 * ```ts
 * new LazyInstanceNorm3d({ affine: true })(randn([2, 4, 4, 8, 8])).shape; // [2, 4, 4, 8, 8]
 * ```
 */
export class LazyInstanceNorm3d extends InstanceNorm3d {
  constructor(options: ChannelNormOptions = {}) {
    super(0, options);
  }

  override forward(x: Tensor): Tensor {
    return callNorm(this, x, [4, 5], -4, () => super.forward(x));
  }
}
