import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  noGrad,
  ones,
  rmsNorm,
  type Shape,
  ShapeError,
  type Tensor,
  zeros,
} from '@gradgate/core';
import { check, checkOptions, checkTensors, is } from '@gradgate/core/internal';
import { localResponseNorm, localResponseNormOptions } from '../functions/localResponseNorm.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { shapeText } from '../shapeText.js';
import { ChannelNorm } from './channelNorm.js';
import { checkChannels, checkLayer } from './checkLayer.js';
import { layerOf } from './layerOf.js';

interface NormOptions {
  /** Added under the root; 1e-5 by default, for RMSNorm 1.19e-7. */
  eps?: number;
  /** Whether there are a learned scale and shift; true by default. */
  elementwiseAffine?: boolean;
  /** Whether there is a shift; true by default. */
  bias?: boolean;
}

const shapes = is.either(is.size, is.arrayOf(is.size));
function shapeOf(name: string, shape: number | Shape): Shape {
  check(name, 'normalizedShape', shape, shapes);
  return typeof shape === 'number' ? [shape] : [...shape];
}

const rmsNormOptions = { eps: is.nonNegative, elementwiseAffine: is.boolean };
const layerNormOptions = { ...rmsNormOptions, bias: is.boolean };
const affineOptions = { eps: is.nonNegative, affine: is.boolean };

/**
 * Normalizes the last dimensions, of sizes `normalizedShape`, to mean 0 and variance 1, then applies a learned scale
 * and shift (Ba et al., 2016): `(x - mean) / sqrt(var + eps) * weight + bias`. Takes any shape that ends with
 * `normalizedShape`, and keeps it. `weight` and `bias` have that shape, or are null with `{ elementwiseAffine: false
 * }`; `{ bias: false }` leaves out the shift. `eps` is 1e-5 by default.
 *
 * ```ts
 * new LayerNorm(2)(tensor([[1, 3]])); // [[-1, 1]]
 * ```
 */
export class LayerNorm extends Module {
  /** The last sizes, over which it normalizes. */
  readonly normalizedShape: Shape;
  /** Added to the variance, or the mean of squares, so that nothing is divided by 0. */
  readonly eps: number;
  /** The gain of each element or channel; null without. */
  weight: Parameter | null;
  /** What is added to each element or channel; null without. */
  bias: Parameter | null;

  constructor(normalizedShape: number | Shape, options: NormOptions = {}) {
    super();
    const { name } = new.target;
    this.normalizedShape = shapeOf(name, normalizedShape);
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = checkOptions(name, options, layerNormOptions);
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape)) : null;
  }

  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    return `[${this.normalizedShape.join(', ')}], eps=${this.eps}, elementwiseAffine=${this.weight !== null}`;
  }
}

/**
 * Normalizes the last dimensions, of sizes `normalizedShape`, to mean square 1, then applies a learned scale (Zhang and
 * Sennrich, 2019). Takes any shape that ends with `normalizedShape`, and keeps it. `eps` is 1.19e-7 by default, the
 * smallest step of float32 at 1; `weight` is null with `{ elementwiseAffine: false }`.
 *
 * ```ts
 * new RMSNorm(2)(tensor([[1, 7]])); // [[0.2, 1.4]]
 * ```
 */
export class RMSNorm extends Module {
  /** The last sizes, over which it normalizes. */
  readonly normalizedShape: Shape;
  /** Added to the variance, or the mean of squares, so that nothing is divided by 0. */
  readonly eps: number | undefined;
  /** The gain of each element or channel; null without. */
  weight: Parameter | null;

  constructor(normalizedShape: number | Shape, options: Omit<NormOptions, 'bias'> = {}) {
    super();
    const { name } = new.target;
    this.normalizedShape = shapeOf(name, normalizedShape);
    const { eps, elementwiseAffine = true } = checkOptions(name, options, rmsNormOptions);
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : null;
  }

  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, this.weight, { eps: this.eps });
  }

  override extraRepr(): string {
    return `[${this.normalizedShape.join(', ')}], elementwiseAffine=${this.weight !== null}`;
  }
}

/**
 * Normalizes each of `numGroups` groups of channels to mean 0 and variance 1, then applies a learned scale and shift to
 * each channel (Wu and He, 2018). `[N, numChannels, ...]` in and out. `eps` is 1e-5 by default; `{ affine: false }`
 * leaves out scale and shift. Throws where `numGroups` does not divide the channels.
 *
 * ```ts
 * new GroupNorm(2, 6)(randn([4, 6, 8, 8])).shape; // [4, 6, 8, 8]
 * ```
 */
export class GroupNorm extends Module {
  /** The gain of each element or channel; null without. */
  weight: Parameter | null;
  /** What is added to each element or channel; null without. */
  bias: Parameter | null;
  /** Added to the variance, or the mean of squares, so that nothing is divided by 0. */
  readonly eps: number;

  constructor(
    /** The number of groups. */
    readonly numGroups: number,
    /** The number of channels. */
    readonly numChannels: number,
    options: { eps?: number; affine?: boolean } = {},
  ) {
    super();
    const { name } = new.target;
    const { eps = 1e-5, affine = true } = checkLayer(name, { numGroups, numChannels }, options, affineOptions);
    if (numGroups === 0 || numChannels % numGroups !== 0)
      throw new ShapeError(name, `${numChannels} channels cannot be split into ${numGroups} groups`);
    this.eps = eps;
    this.weight = affine ? new Parameter(ones([numChannels])) : null;
    this.bias = affine ? new Parameter(zeros([numChannels])) : null;
  }

  override forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${this.eps}, affine=${this.weight !== null}`;
  }
}

class InstanceNormBase extends ChannelNorm {
  protected static override readonly isFullByDefault: boolean = false;

  /** Normalizes an input of `ndim` dimensions, or without a batch. */
  protected normalize(x: Tensor, ndim: number): Tensor {
    checkTensors(this.constructor.name, x);
    if (x.ndim === ndim - 1) return this.normalize(x.unsqueeze(0), ndim).squeeze(0);
    checkChannels(this, x, this.numFeatures, [ndim]);
    const { weight, bias, eps, runningMean, runningVar, training } = this;
    if (!runningMean || !runningVar) return instanceNorm(x, weight, bias, { eps });
    if (!training) return batchNorm(x, runningMean, runningVar, { weight, bias, eps });
    const positions = x.shape.slice(2);
    if (x.numel === 0 || positions.every((size) => size === 1))
      throw new ShapeError(
        this.constructor.name,
        `in training there must be more than one position for each channel, got ${shapeText(x)}`,
      );
    const y = instanceNorm(x, weight, bias, { eps });
    // Move the statistics after the operator has checked its input, so that a refused batch leaves no trace.
    noGrad.run(() => {
      const dims = positions.map((_, i) => i + 2);
      // As in PyTorch, they stay where there is no momentum.
      const share = this.momentum ?? 0;
      runningMean.lerp_(x.mean(dims).mean(0).to(runningMean.dtype), share);
      runningVar.lerp_(x.var(dims).mean(0).to(runningVar.dtype), share);
    });
    return y;
  }
}

/**
 * Normalizes each channel of each sample to mean 0 and variance 1 (Ulyanov et al., 2016). `[N, numFeatures, L]` or
 * `[numFeatures, L]` in and out. `eps` is 1e-5 by default; with `{ affine: true }` channels have a learned scale and
 * shift. With `{ trackRunningStats: true }` training moves running statistics towards the means over the samples, by
 * `momentum` 0.1, and eval uses those.
 *
 * ```ts
 * new InstanceNorm1d(3)(randn([4, 3, 10])).shape; // [4, 3, 10]
 * ```
 */
export class InstanceNorm1d extends InstanceNormBase {
  override forward(x: Tensor): Tensor {
    return this.normalize(x, 3);
  }
}

/**
 * Normalizes each channel of each sample to mean 0 and variance 1 (Ulyanov et al., 2016). `[N, numFeatures, H, W]` or
 * `[numFeatures, H, W]` in and out. Options as for `InstanceNorm1d`.
 *
 * ```ts
 * new InstanceNorm2d(3)(randn([4, 3, 8, 8])).shape; // [4, 3, 8, 8]
 * ```
 */
export class InstanceNorm2d extends InstanceNormBase {
  override forward(x: Tensor): Tensor {
    return this.normalize(x, 4);
  }
}

/**
 * Normalizes each channel of each sample to mean 0 and variance 1 (Ulyanov et al., 2016). `[N, numFeatures, D, H, W]`
 * or `[numFeatures, D, H, W]` in and out. Options as for `InstanceNorm1d`.
 *
 * ```ts
 * new InstanceNorm3d(3)(randn([2, 3, 4, 8, 8])).shape; // [2, 3, 4, 8, 8]
 * ```
 */
export class InstanceNorm3d extends InstanceNormBase {
  override forward(x: Tensor): Tensor {
    return this.normalize(x, 5);
  }
}

/**
 * Divides each element by `(k + alpha * m) ** beta`, where `m` is the mean square over `size` neighboring channels
 * (Krizhevsky et al., 2012). `[N, C, ...]` in and out. Options: `alpha` 1e-4, `beta` 0.75, `k` 1.
 *
 * ```ts
 * new LocalResponseNorm(2, { alpha: 1, beta: 1 })(ones([1, 2, 1])); // [[[0.6667], [0.5]]]
 * ```
 */
export class LocalResponseNorm extends layerOf(localResponseNorm, is.count, localResponseNormOptions) {}
