import { ones, zeros } from '@gradgate/core';
import { is, type Schema } from '@gradgate/core/internal';
import { Module } from '../module.js';
import { type Buffer, buffer, Parameter } from '../parameter.js';
import { checkLayer } from './checkLayer.js';

/** Options of normalization layers over channels. */
export interface ChannelNormOptions {
  /** Added to the variance before its root is taken; 1e-5 by default. */
  eps?: number;
  /**
   * The weight of each batch in the running statistics, 0.1 by default; `null` for their mean over all batches, or with
   * instance norms for none.
   */
  momentum?: number | null;
  /** Whether there are a learned scale and shift; true by default for batch norms, false for instance norms. */
  affine?: boolean;
  /**
   * Whether running statistics are kept, for eval; true by default for batch norms, false for instance norms. Without
   * them eval normalizes as training does.
   */
  trackRunningStats?: boolean;
}

/** What norms of channels have in common: a scale and a shift of each channel, and running statistics. */
export abstract class ChannelNorm extends Module {
  /** The options that the constructor knows. */
  protected static readonly options: Schema<ChannelNormOptions> = {
    eps: is.nonNegative,
    momentum: is.nullable(is.probability),
    affine: is.boolean,
    trackRunningStats: is.boolean,
  };
  /** Whether there are scale and shift, and running statistics, where the options do not say. */
  protected static readonly isFullByDefault: boolean = true;

  /** The gain of each channel `[numFeatures]`; null where `affine` is false. */
  weight: Parameter | null;
  /** What is added to each channel `[numFeatures]`; null where `affine` is false. */
  bias: Parameter | null;
  /** The running mean of each channel `[numFeatures]`; null where none is tracked. */
  runningMean: Buffer | null;
  /** The running variance of each channel `[numFeatures]`; null where none is tracked. */
  runningVar: Buffer | null;
  /** How many batches have been seen; null where nothing is tracked. */
  numBatchesTracked: Buffer | null;
  /** Added to the variance, so that nothing is divided by 0. */
  readonly eps: number;
  /** How much each batch counts in the running figures; null for the mean over all batches. */
  readonly momentum: number | null;

  constructor(
    /** The number of channels. */
    readonly numFeatures: number,
    options: ChannelNormOptions = {},
  ) {
    super();
    const { name, options: known, isFullByDefault } = new.target;
    const given = checkLayer(name, { numFeatures }, options, known);
    const { eps = 1e-5, momentum = 0.1, affine = isFullByDefault, trackRunningStats = isFullByDefault } = given;
    this.eps = eps;
    this.momentum = momentum;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? buffer(zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? buffer(ones([numFeatures])) : null;
    this.numBatchesTracked = trackRunningStats ? buffer(zeros([], { dtype: 'int64' })) : null;
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum, weight, runningMean } = this;
    return `${numFeatures}, eps=${eps}, momentum=${momentum}, affine=${weight !== null}, trackRunningStats=${runningMean !== null}`;
  }
}
