import { batchNorm, noGrad, type Tensor } from '@gradgate/core';
import { ChannelNorm, type ChannelNormOptions } from './channelNorm.js';
import { checkChannels } from './checkLayer.js';

/** Options of `BatchNorm1d`, `BatchNorm2d` and `BatchNorm3d`. */
export type BatchNormModuleOptions = ChannelNormOptions;

/** The base of batch norms, also of those in other packages. */
export class BatchNormBase extends ChannelNorm {
  /** Normalizes an input of one of these numbers of dimensions. */
  protected normalize(x: Tensor, ndims: readonly number[]): Tensor {
    checkChannels(this, x, this.numFeatures, ndims);
    const { weight, bias, eps, runningMean, runningVar } = this;
    const isMean = this.momentum === null && this.training;
    const before = isMean ? [runningMean?.clone(), runningVar?.clone()] : [];
    const y = batchNorm(x, runningMean, runningVar, {
      weight,
      bias,
      eps,
      training: this.training || runningMean === null,
      // With 1, the running statistics are those of the batch.
      momentum: this.momentum ?? 1,
    });
    // Count after the operator has checked its input, so that a refused batch leaves no trace.
    if (this.training)
      noGrad.run(() => {
        this.numBatchesTracked?.add_(1);
        if (isMean) this.average(before);
      });
    return y;
  }

  /**
   * Makes the running statistics, which are those of the last batch, the means over all batches: without a look at
   * their number.
   */
  private average([mean, variance]: readonly (Tensor | undefined)[]): void {
    const { runningMean, runningVar, numBatchesTracked } = this;
    if (!mean || !variance || !runningMean || !runningVar || !numBatchesTracked) return;
    const share = numBatchesTracked.to(mean.dtype).reciprocal();
    const rest = share.neg().add(1);
    runningMean.mul_(share).add_(mean.mul(rest));
    runningVar.mul_(share).add_(variance.mul(rest));
  }
}

/**
 * Normalizes each channel of `[N, numFeatures]` or `[N, numFeatures, L]` to mean 0 and variance 1, then applies a
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
 * Normalizes each channel of `[N, numFeatures, H, W]` to mean 0 and variance 1, then applies a learned scale and shift
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
 * Normalizes each channel of `[N, numFeatures, D, H, W]` to mean 0 and variance 1, then applies a learned scale and
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
