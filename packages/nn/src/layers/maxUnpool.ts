import type { Pair, Tensor } from '@gradgate/core';
import { check, is, type Kind } from '@gradgate/core/internal';
import { type MaxUnpoolOptions, maxUnpool1d, maxUnpool2d, maxUnpool3d } from '../functions/maxUnpool.js';
import { sizesOf, type Triple } from '../functions/sizes.js';
import { Module } from '../module.js';
import { checkLayer } from './checkLayer.js';

type Options<Size> = Omit<MaxUnpoolOptions<Size>, 'outputSize'>;
type Unpool<Size> = (x: Tensor, indices: Tensor, kernelSize: Size, options?: MaxUnpoolOptions<Size>) => Tensor;

class MaxUnpoolBase<Size extends Pair | Triple> extends Module {
  /** The options that it was made with. */
  readonly options: Options<Size>;

  constructor(
    private readonly unpool: Unpool<Size>,
    kinds: (n: Kind) => Kind,
    /** The size of the window that the maxima were taken of. */
    readonly kernelSize: Size,
    options: Options<Size>,
  ) {
    super();
    const { name } = new.target;
    check(name, 'kernelSize', kernelSize, kinds(is.count));
    this.options = checkLayer(name, {}, options, { stride: kinds(is.count), padding: kinds(is.size) });
  }

  override forward(x: Tensor, indices: Tensor, outputSize?: readonly number[]): Tensor {
    return this.unpool(x, indices, this.kernelSize, { ...this.options, ...(outputSize && { outputSize }) });
  }

  override extraRepr(): string {
    return `kernelSize=${JSON.stringify(this.kernelSize)}`;
  }
}

/**
 * Puts maxima back at the indices where `functional.maxPool1dWithIndices` found them, with 0 elsewhere: `[N, C, L]` and
 * indices of that shape to `[N, C, L2]`. `L2` is `(L - 1) * stride - 2 * padding + kernelSize`, unless a third argument
 * of the call gives the output size. Options: `stride` (the kernel by default), `padding` 0.
 *
 * ```ts
 * const { values, indices } = functional.maxPool1dWithIndices(tensor([[[1, 5, 2, 3]]]), 2);
 * new MaxUnpool1d(2)(values, indices); // [[[0, 5, 0, 3]]]
 * ```
 */
export class MaxUnpool1d extends MaxUnpoolBase<number> {
  constructor(kernelSize: number, options: Options<number> = {}) {
    super(maxUnpool1d, sizesOf(1), kernelSize, options);
  }
}

/**
 * Puts maxima back at the indices where `functional.maxPool2dWithIndices` found them, with 0 elsewhere: `[N, C, H, W]`
 * and indices of that shape to `[N, C, H2, W2]`. Sizes and options as for `MaxUnpool1d`.
 *
 * ```ts
 * const { values, indices } = functional.maxPool2dWithIndices(randn([1, 3, 8, 8]), 2);
 * new MaxUnpool2d(2)(values, indices).shape; // [1, 3, 8, 8]
 * ```
 */
export class MaxUnpool2d extends MaxUnpoolBase<Pair> {
  constructor(kernelSize: Pair, options: Options<Pair> = {}) {
    super(maxUnpool2d, sizesOf(2), kernelSize, options);
  }
}

/**
 * Puts maxima back at the indices where `functional.maxPool3dWithIndices` found them, with 0 elsewhere: `[N, C, D, H,
 * W]` and indices of that shape to `[N, C, D2, H2, W2]`. Sizes and options as for `MaxUnpool1d`.
 *
 * ```ts
 * const { values, indices } = functional.maxPool3dWithIndices(randn([1, 3, 4, 8, 8]), 2);
 * new MaxUnpool3d(2)(values, indices).shape; // [1, 3, 4, 8, 8]
 * ```
 */
export class MaxUnpool3d extends MaxUnpoolBase<Triple> {
  constructor(kernelSize: Triple, options: Options<Triple> = {}) {
    super(maxUnpool3d, sizesOf(3), kernelSize, options);
  }
}
