import { avgPool1d, avgPool2d, type Pair, type Tensor } from '@gradgate/core';
import { check, checkOptions, checkTensors, is, type Kind, named } from '@gradgate/core/internal';
import { avgPool3d } from './pool3d.js';
import { each, sizesOf, type Triple } from './sizes.js';

/** Options of `lpPool1d`, `lpPool2d` and `lpPool3d`. */
export interface LpPoolOptions<Size = Pair> {
  /** The step of the window; the kernel size by default. */
  stride?: Size;
  /** Whether a last window that does not fit is used too; false by default. */
  ceilMode?: boolean;
}

export const lpPoolOptions = (sizes: Kind) => ({ stride: sizes, ceilMode: is.boolean });

/** The p-th root of the sum of p-th powers, from their mean. */
const rootOf = (means: Tensor, normType: number, count: number): Tensor =>
  means
    .sign()
    .mul(means.abs().relu())
    .mul(count)
    .pow(1 / normType);

function lpPool<Size extends number | readonly number[]>(
  op: string,
  mean: (x: Tensor, kernelSize: Size, options: LpPoolOptions<Size>) => Tensor,
  dims: number,
) {
  const sizes = sizesOf(dims)(is.count);
  const known = lpPoolOptions(sizes);
  return named(op, (x: Tensor, normType: number, kernelSize: Size, options?: LpPoolOptions<Size>): Tensor => {
    checkTensors(op, x);
    check(op, 'normType', normType, is.positive);
    check(op, 'kernelSize', kernelSize, sizes);
    const given = checkOptions(op, options, known) as LpPoolOptions<Size>;
    const count = each(kernelSize, dims).reduce((a, b) => a * b);
    return rootOf(mean(x.pow(normType), kernelSize, given), normType, count);
  });
}

/**
 * Pools by the `normType`-norm: the `normType`-th root of the sum of `normType`-th powers of each window of `x` `[N, C,
 * L]` or `[C, L]`. 1 gives sums; larger numbers approach maxima. Options: `stride` (the kernel by default), `ceilMode`
 * false.
 *
 * ```ts
 * functional.lpPool1d(tensor([[[3, 4, 6, 8]]]), 2, 2); // [[[5, 10]]]
 * ```
 */
export const lpPool1d = /* @__PURE__ */ lpPool<number>('lpPool1d', avgPool1d, 1);

/**
 * Pools by the `normType`-norm: the `normType`-th root of the sum of `normType`-th powers of each window of `x` `[N, C,
 * H, W]` or `[C, H, W]`. Options: `stride` (the kernel by default), `ceilMode` false. Sizes are a number or `[height,
 * width]`.
 *
 * ```ts
 * functional.lpPool2d(tensor([[[3, 4]]]), 2, [1, 2]); // [[[5]]]
 * ```
 */
export const lpPool2d = /* @__PURE__ */ lpPool<Pair>('lpPool2d', avgPool2d, 2);

/**
 * Pools by the `normType`-norm: the `normType`-th root of the sum of `normType`-th powers of each window of `x` `[N, C,
 * D, H, W]` or `[C, D, H, W]`. Options: `stride` (the kernel by default), `ceilMode` false. Sizes are a number or
 * `[depth, height, width]`.
 *
 * ```ts
 * functional.lpPool3d(ones([1, 1, 1, 2, 2]), 2, [1, 2, 2]); // [[[[[2]]]]]
 * ```
 */
export const lpPool3d = /* @__PURE__ */ lpPool<Triple>('lpPool3d', avgPool3d, 3);
