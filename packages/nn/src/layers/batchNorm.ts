import { batchNorm, noGrad, ones, type Tensor, zeros } from '@gradgate/core';
import { elementsOf, is, type Schema } from '@gradgate/core/internal';
import { Module } from '../module.js';
import { type Buffer, buffer, Parameter } from '../parameter.js';
import { checkChannels, checkLayer } from './checkLayer.js';

export interface BatchNormModuleOptions {
  eps?: number;
  /** How far the running statistics move with each batch; `null` for their plain mean. */
  momentum?: number | null;
  affine?: boolean;
  trackRunningStats?: boolean;
}

/** The momentum of a mean over all batches. Of a device whose values are not there at once the counter cannot be read. */
function shareOfBatch({ constructor, numBatchesTracked }: BatchNormBase): number {
  return numBatchesTracked === null ? 1 : 1 / (elementsOf(numBatchesTracked, constructor.name)[0]! + 1);
}

/** What batch norms have in common; those of other packages extend it as well. */
export class BatchNormBase extends Module {
  /** The options that the constructor knows. */
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
    const momentum = this.momentum ?? (this.training ? shareOfBatch(this) : 0);
    const y = batchNorm(x, runningMean, runningVar, {
      weight,
      bias,
      eps,
      training: this.training || runningMean === null,
      momentum,
    });
    // Counted after the operator's checks, so that a refused batch leaves no trace.
    if (this.training) noGrad.run(() => this.numBatchesTracked?.add_(1));
    return y;
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum, weight, runningMean } = this;
    return `${numFeatures}, eps=${eps}, momentum=${momentum}, affine=${weight !== null}, trackRunningStats=${runningMean !== null}`;
  }
}

/**
 * Mean 0 and variance 1 for each channel of `[N, numFeatures]` or `[N, numFeatures, L]`, kept, then a learned scale and
 * shift (Ioffe and Szegedy, 2015): by the batch in training, by running statistics in eval. Options: `eps`, 1e-5 by
 * default; `momentum`, 0.1; `affine` and `trackRunningStats`, true. Throws in training for a single value a channel.
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
 * Mean 0 and variance 1 for each channel of `[N, numFeatures, H, W]`, kept, then a learned scale and shift (Ioffe and
 * Szegedy, 2015): by the batch in training, by running statistics in eval. Options as of `BatchNorm1d`.
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
 * Mean 0 and variance 1 for each channel of `[N, numFeatures, D, H, W]`, kept, then a learned scale and shift (Ioffe and
 * Szegedy, 2015): by the batch in training, by running statistics in eval. Options as of `BatchNorm1d`.
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
