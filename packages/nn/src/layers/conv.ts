import {
  type ConvOptions,
  type ConvTransposeOptions,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  empty,
  type Pair,
  type Shape,
  type Tensor,
} from '@gradgate/core';
import { kaimingUniform_, uniform_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';

export type ConvLayerOptions<Size = Pair> = ConvOptions<Size> & { bias?: boolean };
export type ConvTransposeLayerOptions<Size = Pair> = ConvTransposeOptions<Size> & { bias?: boolean };

/** What convolutions share: weight and bias, and how they start. */
abstract class Conv extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    shape: Shape,
    bias: boolean,
    groups: number,
  ) {
    super();
    if (!Number.isInteger(groups) || groups < 1 || inChannels % groups !== 0 || outChannels % groups !== 0)
      throw new RangeError(
        `${new.target.name}: ${inChannels} and ${outChannels} channels cannot be split into ${groups} groups`,
      );
    this.weight = new Parameter(empty(shape));
    this.bias = bias ? new Parameter(empty([outChannels])) : null;
    // PyTorch's default: within ±1/√(inputs of one output).
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    const fanIn = shape.slice(1).reduce((a, b) => a * b, 1);
    if (this.bias && fanIn > 0) uniform_(this.bias, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
  }

  override extraRepr(): string {
    return `${this.inChannels}, ${this.outChannels}, kernelSize=[${this.weight.shape.slice(2).join(', ')}]`;
  }
}

const two = (size: Pair): [number, number] => (typeof size === 'number' ? [size, size] : [...size]);

/** Convolution over images: `[N, inChannels, H, W]` to `[N, outChannels, H', W']`. */
export class Conv2d extends Conv {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    readonly options: ConvLayerOptions = {},
  ) {
    const { bias = true, groups = 1 } = options;
    super(inChannels, outChannels, [outChannels, inChannels / groups, ...two(kernelSize)], bias, groups);
  }
  override forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options);
  }
}

/** Convolution over sequences: `[N, inChannels, L]` to `[N, outChannels, L']`. */
export class Conv1d extends Conv {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    readonly options: ConvLayerOptions<number> = {},
  ) {
    const { bias = true, groups = 1 } = options;
    super(inChannels, outChannels, [outChannels, inChannels / groups, kernelSize], bias, groups);
  }
  override forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.options);
  }
}

/** The gradient of `Conv2d` as a layer: enlarges images by its stride. */
export class ConvTranspose2d extends Conv {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Pair,
    readonly options: ConvTransposeLayerOptions = {},
  ) {
    const { bias = true, groups = 1 } = options;
    super(inChannels, outChannels, [inChannels, outChannels / groups, ...two(kernelSize)], bias, groups);
  }
  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.options);
  }
}

/** The gradient of `Conv1d` as a layer. */
export class ConvTranspose1d extends Conv {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    readonly options: ConvTransposeLayerOptions<number> = {},
  ) {
    const { bias = true, groups = 1 } = options;
    super(inChannels, outChannels, [inChannels, outChannels / groups, kernelSize], bias, groups);
  }
  override forward(x: Tensor): Tensor {
    return convTranspose1d(x, this.weight, this.bias, this.options);
  }
}
