import { batchNorm, noGrad, ones, type Tensor, zeros } from '@gradgate/core';
import { elementsOf, is, type Schema } from '@gradgate/core/internal';
import { Module } from '../module.js';
import { type Buffer, buffer, Parameter } from '../parameter.js';
import { checkChannels, checkLayer } from './checkLayer.js';

export interface BatchNormModuleOptions {
  /** Added to the variance before its root is taken; 1e-5 by default. */
  eps?: number;
  /** The weight of each batch in the running statistics, 0.1 by default; `null` for their mean over all batches. */
  momentum?: number | null;
  /** Whether there are a learned scale and shift; true by default. */
  affine?: boolean;
  /**
   * Whether running statistics are kept, for eval; true by default. Without them batch statistics are used in eval too.
   */
  trackRunningStats?: boolean;
}

/** The momentum of a mean over all batches. Reads the counter, so it throws on devices that are read asynchronously. */
function cumulativeMomentum({ constructor, numBatchesTracked }: BatchNormBase): number {
  return numBatchesTracked === null ? 1 : 1 / (elementsOf(numBatchesTracked, constructor.name)[0]! + 1);
}

/** The base of batch norms, also of those in other packages. */
export class BatchNormBase extends Module {
  /** The constructor's options and their checks. */
  protected static readonly options: Schema<BatchNormModuleOptions> = {
    eps: is.nonNegative,
    momentum: is.nullable(is.probability),
    affine: is.boolean,
    trackRunningStats: is.boolean,
  };

  weight: Parameter | null;
  bias: Parameter | null;
  runningMean: Buffer | null;
  runningVar: Buffer | null;
  numBatchesTracked: Buffer | null;
  readonly eps: number;
  readonly momentum: number | null;

  constructor(
    readonly numFeatures: number,
    options: BatchNormModuleOptions = {},
  ) {
    super();
    const given = checkLayer(new.target.name, { numFeatures }, options, new.target.options);
    const { eps = 1e-5, momentum = 0.1, affine = true, trackRunningStats = true } = given;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? buffer(zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? buffer(ones([numFeatures])) : null;
    this.numBatchesTracked = trackRunningStats ? buffer(zeros([], { dtype: 'int64' })) : null;
  }

  protected normalize(x: Tensor, ndims: readonly number[]): Tensor {
    checkChannels(this, x, this.numFeatures, ndims);
    const { weight, bias, eps, runningMean, runningVar } = this;
    const momentum = this.momentum ?? (this.training ? cumulativeMomentum(this) : 0);
    const y = batchNorm(x, runningMean, runningVar, {
      weight,
      bias,
      eps,
      training: this.training || runningMean === null,
      momentum,
    });
    // Count after the operator has checked its input, so that a refused batch leaves no trace.
    if (this.training) noGrad.run(() => this.numBatchesTracked?.add_(1));
    return y;
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum, weight, runningMean } = this;
    return `${numFeatures}, eps=${eps}, momentum=${momentum}, affine=${weight !== null}, trackRunningStats=${runningMean !== null}`;
  }
}

/**
 * Normalises each channel of `[N, numFeatures]` or `[N, numFeatures, L]` to mean 0 and variance 1, then applies a
 * learned scale and shift (Ioffe and Szegedy, 2015); the shape stays. In training it uses the statistics of the batch,
 * in eval the running ones. Options: `eps` 1e-5, `momentum` 0.1, `affine` and `trackRunningStats` true. Throws in
 * training for a single value per channel.
 *
 * ```ts
 * const layer = new BatchNorm1d(1);
 * layer(tensor([[1], [3]])); // [[-1], [1]]
 * layer.runningMean; // [0.2]
 * ```
 */
export class BatchNorm1d extends BatchNormBase {
  override forward(x: Tensor): Tensor {
    return this.normalize(x, [2, 3]);
  }
}

/**
 * Normalises each channel of `[N, numFeatures, H, W]` to mean 0 and variance 1, then applies a learned scale and shift
 * (Ioffe and Szegedy, 2015); the shape stays. In training it uses the statistics of the batch, in eval the running
 * ones. Options as for `BatchNorm1d`.
 *
 * ```ts
 * new BatchNorm2d(3)(randn([4, 3, 8, 8])).shape; // [4, 3, 8, 8]
 * ```
 */
export class BatchNorm2d extends BatchNormBase {
  override forward(x: Tensor): Tensor {
    return this.normalize(x, [4]);
  }
}

/**
 * Normalises each channel of `[N, numFeatures, D, H, W]` to mean 0 and variance 1, then applies a learned scale and
 * shift (Ioffe and Szegedy, 2015); the shape stays. In training it uses the statistics of the batch, in eval the
 * running ones. Options as for `BatchNorm1d`.
 *
 * ```ts
 * new BatchNorm3d(3)(randn([2, 3, 4, 8, 8])).shape; // [2, 3, 4, 8, 8]
 * ```
 */
export class BatchNorm3d extends BatchNormBase {
  override forward(x: Tensor): Tensor {
    return this.normalize(x, [5]);
  }
}
