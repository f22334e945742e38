import {
  type ConvOptions,
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
import { check, is, type Kind, type Schema } from '@gradgate/core/internal';
import { each, pairs, sizesOf, type Triple } from '../functions/sizes.js';
import { kaimingUniform_, uniform_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { checkLayer } from './checkLayer.js';

/** Options of `Conv1d`, `Conv2d` and `Conv3d`. */
export interface ConvModuleOptions<Size = Pair> {
  /** The step of the kernel; 1 by default. */
  stride?: Size;
  /** How far each side is extended, 0 by default; 'same' keeps the size (with stride 1), 'valid' is 0. */
  padding?: Size | 'same' | 'valid';
  /** The distance between the elements of the kernel; 1 by default. */
  dilation?: Size;
  /** The number of groups that channels are split into, each with kernels of its own; 1 by default. */
  groups?: number;
  /** Whether there is a learned bias; true by default. */
  bias?: boolean;
  /** What the border is extended with; 'zeros' by default. */
  paddingMode?: 'zeros' | 'reflect' | 'replicate' | 'circular';
}

/** Options of `ConvTranspose1d`, `ConvTranspose2d` and `ConvTranspose3d`. */
export interface ConvTransposeModuleOptions<Size = Pair>
  extends Omit<ConvModuleOptions<Size>, 'padding' | 'paddingMode'> {
  /** How much is cut off on each side of the output; 0 by default. */
  padding?: Size;
  /** How much is added to the end of the output, less than the stride or the dilation; 0 by default. */
  outputPadding?: Size;
}

const shared = { groups: is.count, bias: is.boolean };
/** The checks of a convolution's options; `sizes` makes a check of one number into one of a size. */
export const convOptions = (sizes: (n: Kind) => Kind) => ({
  ...shared,
  stride: sizes(is.count),
  padding: is.either(sizes(is.size), is.oneOf('same', 'valid')),
  dilation: sizes(is.count),
  paddingMode: is.oneOf('zeros', 'reflect', 'replicate', 'circular'),
});
export const transposeOptions = (sizes: (n: Kind) => Kind) => ({
  ...shared,
  stride: sizes(is.count),
  padding: sizes(is.size),
  dilation: sizes(is.count),
  outputPadding: sizes(is.size),
});
/** What the layers of a kind differ in. */
export interface ConvKind {
  /** The number of dimensions of a kernel. */
  readonly ndim: number;
  readonly transposed: boolean;
  /** The checks of its options. */
  readonly options: Schema<Common>;
}

const conv1dKind: ConvKind = { ndim: 1, transposed: false, options: convOptions(sizesOf(1)) };
const conv2dKind: ConvKind = { ndim: 2, transposed: false, options: convOptions(pairs) };
const convTranspose1dKind: ConvKind = { ndim: 1, transposed: true, options: transposeOptions(sizesOf(1)) };
const convTranspose2dKind: ConvKind = { ndim: 2, transposed: true, options: transposeOptions(pairs) };

/** The size of a kernel in each of `ndim` dimensions. */
function kernelOf(name: string, size: Pair | Triple, ndim: number): number[] {
  check(name, 'kernelSize', size, sizesOf(ndim)(is.count));
  return each(size, ndim);
}

/** The options of all convolutions. */
type Common = { groups?: number; bias?: boolean };

/** The base of convolutions: their kernels and biases, and how these are initialized. */
export class ConvBase extends Module {
  /**
   * The kernels: `[outChannels, inChannels / groups, ...kernelSize]`, of transposed convolutions
   * `[inChannels, outChannels / groups, ...kernelSize]`.
   */
  weight: Parameter;
  /** The bias `[outChannels]`; null without one. */
  bias: Parameter | null;
  /** The size of a kernel, by dimension. */
  readonly kernelSize: readonly number[];
  /** The number of groups that channels are split into. */
  readonly groups: number;
  /** Whether it is a transposed convolution. */
  readonly transposed: boolean;

  constructor(
    /** The number of channels of an input. */
    readonly inChannels: number,
    /** The number of channels of the result. */
    readonly outChannels: number,
    kernelSize: Pair | Triple,
    options: Common,
    kind: ConvKind,
  ) {
    super();
    const { name } = new.target;
    const { groups = 1, bias = true } = checkLayer(name, { inChannels, outChannels }, options, kind.options, is.count);
    this.kernelSize = kernelOf(name, kernelSize, kind.ndim);
    if (inChannels % groups !== 0 || outChannels % groups !== 0)
      throw new ShapeError(name, `${inChannels} to ${outChannels} channels cannot be split into ${groups} groups`);
    this.groups = groups;
    this.transposed = kind.transposed;
    this.weight = new Parameter(empty(this.weightShape(inChannels)));
    this.bias = bias ? new Parameter(empty([outChannels])) : null;
    this.resetParameters();
  }

  /** @internal The shape of the weight for inputs of so many channels. */
  weightShape(inChannels: number): number[] {
    const { outChannels, groups, transposed, kernelSize } = this;
    const channels = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    return [...channels, ...kernelSize];
  }

  /** Draws weight and bias from the uniform distribution within ±1 / √fanIn, as PyTorch does. */
  resetParameters(): void {
    kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    const fanIn = this.weight.numel / this.weight.shape[0]!;
    if (this.bias) uniform_(this.bias, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
  }

  /** Applies `convolution` to `x`, extended by `paddingMode`. */
  protected convolve<Size extends Pair | Triple>(
    convolution: (x: Tensor, weight: Tensor, bias: Tensor | null, options: ConvOptions<Size>) => Tensor,
    x: Tensor,
    { paddingMode = 'zeros', bias: _, ...options }: ConvModuleOptions<Size>,
  ): Tensor {
    if (paddingMode === 'zeros') return convolution(x, this.weight, this.bias, options);
    const { padding = 0, ...rest } = options;
    const wide = padded(x, padding, paddingMode, this.kernelSize, rest.dilation ?? 1);
    return convolution(wide, this.weight, this.bias, rest);
  }

  override extraRepr(): string {
    return `${this.inChannels}, ${this.outChannels}, kernelSize=[${this.kernelSize.join(', ')}], bias=${this.bias !== null}`;
  }
}

/** `x`, extended by `mode` as far as the padding says, for a convolution without padding. */
function padded(
  x: Tensor,
  padding: Pair | Triple | 'same' | 'valid',
  mode: 'reflect' | 'replicate' | 'circular',
  kernel: readonly number[],
  dilation: Pair | Triple,
): Tensor {
  const dilations = each(dilation, kernel.length);
  const sides = kernel.map((k, d) => {
    if (padding === 'valid') return [0, 0];
    if (padding !== 'same') return Array<number>(2).fill(each(padding, kernel.length)[d]!);
    const total = dilations[d]! * (k - 1);
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  return pad(x, sides.reverse().flat(), { mode });
}

/**
 * 1D convolution: `[N, inChannels, L]` to `[N, outChannels, L2]`, or without `N`. Parameters: `weight` `[outChannels,
 * inChannels / groups, kernelSize]` and `bias` `[outChannels]`. Options: `stride` 1, `padding` 0 (or 'same', 'valid'),
 * `dilation` 1, `groups` 1, `bias` true, `paddingMode` 'zeros'. Throws where `groups` does not divide the channels.
 *
 * ```ts
 * new Conv1d(16, 33, 3, { stride: 2 })(randn([20, 16, 50])).shape; // [20, 33, 24]
 * ```
 */
export class Conv1d extends ConvBase {
  /** The options that it was made with. */
  readonly options: ConvModuleOptions<number>;

  constructor(inChannels: number, outChannels: number, kernelSize: number, options: ConvModuleOptions<number> = {}) {
    super(inChannels, outChannels, kernelSize, options, conv1dKind);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return this.convolve(conv1d, x, this.options);
  }
}

/**
 * 2D convolution: `[N, inChannels, H, W]` to `[N, outChannels, H2, W2]`, or without `N`. `kernelSize` and the sizes
 * among the options are a number or `[height, width]`. Parameters: `weight` `[outChannels, inChannels / groups,
 * ...kernelSize]` and `bias` `[outChannels]`. Options: `stride` 1, `padding` 0 (or 'same', 'valid'), `dilation` 1,
 * `groups` 1, `bias` true, `paddingMode` 'zeros'. Throws where `groups` does not divide the channels.
 *
 * ```ts
 * new Conv2d(3, 16, 3, { padding: 'same' })(randn([4, 3, 8, 8])).shape; // [4, 16, 8, 8]
 * ```
 */
export class Conv2d extends ConvBase {
  /** The options that it was made with. */
  readonly options: ConvModuleOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: ConvModuleOptions = {}) {
    super(inChannels, outChannels, kernelSize, options, conv2dKind);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    return this.convolve(conv2d, x, this.options);
  }
}

/**
 * 1D transposed convolution, which enlarges: `[N, inChannels, L]` to `[N, outChannels, L2]`, where `L2 = (L - 1) * stride
 * - 2 * padding + dilation * (kernelSize - 1) + outputPadding + 1`. Parameters: `weight` `[inChannels, outChannels /
 * groups, kernelSize]` and `bias` `[outChannels]`. Options: `stride` 1, `padding` 0, `outputPadding` 0, `dilation` 1,
 * `groups` 1, `bias` true.
 *
 * ```ts
 * new ConvTranspose1d(4, 2, 2, { stride: 2 })(randn([1, 4, 10])).shape; // [1, 2, 20]
 * ```
 */
export class ConvTranspose1d extends ConvBase {
  /** The options that it was made with. */
  readonly options: ConvTransposeModuleOptions<number>;

  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: number,
    options: ConvTransposeModuleOptions<number> = {},
  ) {
    super(inChannels, outChannels, kernelSize, options, convTranspose1dKind);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    const { bias: _, ...options } = this.options;
    return convTranspose1d(x, this.weight, this.bias, options);
  }
}

/**
 * 2D transposed convolution, which enlarges: `[N, inChannels, H, W]` to `[N, outChannels, H2, W2]`; the sizes are as
 * for `ConvTranspose1d`. Parameters: `weight` `[inChannels, outChannels / groups, ...kernelSize]` and `bias`
 * `[outChannels]`. Options as for `ConvTranspose1d`.
 *
 * ```ts
 * new ConvTranspose2d(16, 3, 2, { stride: 2 })(randn([4, 16, 4, 4])).shape; // [4, 3, 8, 8]
 * ```
 */
export class ConvTranspose2d extends ConvBase {
  /** The options that it was made with. */
  readonly options: ConvTransposeModuleOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Pair, options: ConvTransposeModuleOptions = {}) {
    super(inChannels, outChannels, kernelSize, options, convTranspose2dKind);
    this.options = options;
  }

  override forward(x: Tensor): Tensor {
    const { bias: _, ...options } = this.options;
    return convTranspose2d(x, this.weight, this.bias, options);
  }
}
