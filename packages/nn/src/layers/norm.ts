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
  tensor,
  zeros,
} from '@gradgate/core';
import { Module } from '../module.js';
import { type Buffer, buffer, Parameter } from '../parameter.js';

export interface BatchNormLayerOptions {
  eps?: number;
  /** How far the running statistics move. */
  momentum?: number;
  affine?: boolean;
  trackRunningStats?: boolean;
}

/** What batch norms share; a subclass says how many dimensions its input may have. */
abstract class BatchNorm extends Module {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly runningMean: Buffer | null;
  readonly runningVar: Buffer | null;
  readonly numBatchesTracked: Buffer | null;

  constructor(
    readonly numFeatures: number,
    readonly options: BatchNormLayerOptions,
    private readonly ranks: readonly number[],
  ) {
    super();
    const { affine = true, trackRunningStats = true } = options;
    this.weight = affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = affine ? new Parameter(zeros([numFeatures])) : null;
    this.runningMean = trackRunningStats ? buffer(zeros([numFeatures])) : null;
    this.runningVar = trackRunningStats ? buffer(ones([numFeatures])) : null;
    this.numBatchesTracked = trackRunningStats ? buffer(tensor(0, { dtype: 'int32' })) : null;
  }

  override forward(x: Tensor): Tensor {
    if (!this.ranks.includes(x.ndim))
      throw new ShapeError(
        this.constructor.name,
        `takes ${this.ranks.join(' or ')} dimensions, got [${x.shape.join(', ')}]`,
      );
    const training = this.training || this.runningMean === null;
    const { momentum = 0.1, eps = 1e-5 } = this.options;
    const out = batchNorm(x, this.runningMean, this.runningVar, {
      weight: this.weight,
      bias: this.bias,
      training,
      momentum,
      eps,
    });
    if (training && this.numBatchesTracked) noGrad.run(() => this.numBatchesTracked!.add_(1));
    return out;
  }

  override extraRepr(): string {
    return `${this.numFeatures}`;
  }
}

/** Batch norm over `[N, C]` or `[N, C, L]`. */
export class BatchNorm1d extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super(numFeatures, options, [2, 3]);
  }
}

/** Batch norm over `[N, C, H, W]`. */
export class BatchNorm2d extends BatchNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    super(numFeatures, options, [4]);
  }
}

export class LayerNorm extends Module {
  readonly normalizedShape: Shape;
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;

  constructor(normalizedShape: number | Shape, { eps = 1e-5, elementwiseAffine = true, bias = true } = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(zeros(this.normalizedShape)) : null;
  }
  readonly eps: number;
  override forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, { eps: this.eps });
  }
  override extraRepr(): string {
    return `[${this.normalizedShape.join(', ')}]`;
  }
}

export class RMSNorm extends Module {
  readonly normalizedShape: Shape;
  readonly weight: Parameter | null;
  constructor(normalizedShape: number | Shape, { eps = 1.1920928955078125e-7, elementwiseAffine = true } = {}) {
    super();
    this.normalizedShape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
    this.eps = eps;
    this.weight = elementwiseAffine ? new Parameter(ones(this.normalizedShape)) : null;
  }
  readonly eps: number;
  override forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, this.weight, { eps: this.eps });
  }
}

export class GroupNorm extends Module {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  constructor(
    readonly numGroups: number,
    readonly numChannels: number,
    readonly options: { eps?: number; affine?: boolean } = {},
  ) {
    super();
    const { affine = true } = options;
    if (numChannels % numGroups !== 0)
      throw new RangeError(`GroupNorm: ${numChannels} channels cannot be split into ${numGroups} groups`);
    this.weight = affine ? new Parameter(ones([numChannels])) : null;
    this.bias = affine ? new Parameter(zeros([numChannels])) : null;
  }
  override forward(x: Tensor): Tensor {
    return groupNorm(x, this.numGroups, this.weight, this.bias, this.options);
  }
}

/** Mean 0 and variance 1 for each sample and channel; without parameters unless `affine`. */
abstract class InstanceNorm extends Module {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  constructor(
    readonly numFeatures: number,
    readonly options: { eps?: number; affine?: boolean },
  ) {
    super();
    this.weight = options.affine ? new Parameter(ones([numFeatures])) : null;
    this.bias = options.affine ? new Parameter(zeros([numFeatures])) : null;
  }
  override forward(x: Tensor): Tensor {
    return instanceNorm(x, this.weight, this.bias, this.options);
  }
}

export class InstanceNorm1d extends InstanceNorm {
  constructor(numFeatures: number, options: { eps?: number; affine?: boolean } = {}) {
    super(numFeatures, options);
  }
}

export class InstanceNorm2d extends InstanceNorm {
  constructor(numFeatures: number, options: { eps?: number; affine?: boolean } = {}) {
    super(numFeatures, options);
  }
}
