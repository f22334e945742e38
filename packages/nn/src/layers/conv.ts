import {
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  empty,
  type Pair,
  pad,
  ShapeError,
  type Tensor,
} from '@gradgate/core';
import { kaimingUniform_, uniform_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';

export interface ConvModuleOptions<Size = Pair> {
  stride?: Size;
  padding?: Size | 'same' | 'valid';
  dilation?: Size;
  groups?: number;
  bias?: boolean;
  /** What stands beyond the border. */
  paddingMode?: 'zeros' | 'reflect' | 'replicate' | 'circular';
}

export interface ConvTransposeModuleOptions<Size = Pair>
  extends Omit<ConvModuleOptions<Size>, 'padding' | 'paddingMode'> {
  padding?: Size;
  outputPadding?: Size;
}

const list = (size: Pair, ndim: number): number[] => (typeof size === 'number' ? Array(ndim).fill(size) : [...size]);

/** What convolutions share: kernels, bias, how they start. */
class ConvBase extends Module {
  weight: Parameter;
  bias: Parameter | null;

  constructor(
    readonly inChannels: number,
    readonly outChannels: number,
    readonly kernelSize: readonly number[],
    groups: number,
    bias: boolean,
    transposed: boolean,
  ) {
    super();
    const name = new.target.name;
    for (const [what, n] of Object.entries({ inChannels, outChannels, groups }))
      if (!Number.isInteger(n) || n < 1) throw new ShapeError(name, `${what} is a whole number from 1 up, got ${n}`);
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw new ShapeError(name, `${inChannels} to ${outChannels} channels cannot be split into ${groups} groups`);
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    this.weight = new Parameter(empty([...channels, ...kernelSize]));
    this.bias = bias ? new Parameter(empty([outChannels])) : null;
    this.resetParameters();
  }

  /** Both uniform within ±1/√fanIn, PyTorch's default. */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    const fanIn = this.weight.numel / this.weight.shape[0]!;
    if (this.bias) uniform_(this.bias, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
  }

  override extraRepr(): string {
    return `${this.inChannels}, ${this.outChannels}, kernelSize=[${this.kernelSize.join(', ')}], bias=${this.bias !== null}`;
  }
}

/** `x` with its border as `mode` says, for the padding that a convolution then leaves out. */
function padded(
  x: Tensor,
  padding: Pair | 'same' | 'valid',
  mode: 'reflect' | 'replicate' | 'circular',
  kernel: readonly number[],
  dilation: Pair,
): Tensor {
  const dilations = list(dilation, kernel.length);
  const each = kernel.map((k, d) => {
    if (padding === 'valid') return [0, 0];
    if (padding !== 'same') return Array<number>(2).fill(list(padding, kernel.length)[d]!);
    const total = dilations[d]! * (k - 1);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  return pad(x, each.reverse().flat(), { mode });
}

/** Convolution with learned kernels: `[N, inChannels, L]` to `[N, outChannels, L']`. */
export class Conv1d extends ConvBase {
  readonly options: ConvModuleOptions<number>;

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: ConvModuleOptions<number> = {}) {
    super(inChannels, outChannels, [kernelSize], options.groups ?? 1, options.bias ?? true, false);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    const { paddingMode = 'zeros', padding = 0, dilation = 1, stride, groups } = this.options;
    if (paddingMode === 'zeros') return conv1d(x, this.weight, this.bias, { stride, padding, dilation, groups });
    const wide = padded(x, padding, paddingMode, this.kernelSize, dilation);
    return conv1d(wide, this.weight, this.bias, { stride, dilation, groups });
  }
}

/** Convolution with learned kernels: `[N, inChannels, H, W]` to `[N, outChannels, H', W']`. */
export class Conv2d extends ConvBase {
  readonly options: ConvModuleOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: ConvModuleOptions = {}) {
    super(inChannels, outChannels, list(kernelSize, 2), options.groups ?? 1, options.bias ?? true, false);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    const { paddingMode = 'zeros', padding = 0, dilation = 1, stride, groups } = this.options;
    if (paddingMode === 'zeros') return conv2d(x, this.weight, this.bias, { stride, padding, dilation, groups });
    const wide = padded(x, padding, paddingMode, this.kernelSize, dilation);
    return conv2d(wide, this.weight, this.bias, { stride, dilation, groups });
  }
}

/** The transpose of `Conv1d`: `[N, inChannels, L]` to `[N, outChannels, L']`. */
export class ConvTranspose1d extends ConvBase {
  readonly options: ConvTransposeModuleOptions<number>;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    options: ConvTransposeModuleOptions<number> = {},
  ) {
    super(inChannels, outChannels, [kernelSize], options.groups ?? 1, options.bias ?? true, true);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return convTranspose1d(x, this.weight, this.bias, this.options);
  }
}

/** The transpose of `Conv2d`: `[N, inChannels, H, W]` to `[N, outChannels, H', W']`. */
export class ConvTranspose2d extends ConvBase {
  readonly options: ConvTransposeModuleOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: ConvTransposeModuleOptions = {}) {
    super(inChannels, outChannels, list(kernelSize, 2), options.groups ?? 1, options.bias ?? true, true);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.options);
  }
}
