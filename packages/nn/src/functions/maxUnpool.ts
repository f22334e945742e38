import { type Pair, ShapeError, type Tensor, zeros } from '@gradgate/core';
import {
  check,
  checkIntegers,
  checkOptions,
  checkTensors,
  inFloat32,
  is,
  named,
  sizeOf,
} from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { asBatch, each, likeInput, sizesOf, type Triple } from './sizes.js';

/** Options of `maxUnpool1d`, `maxUnpool2d` and `maxUnpool3d`. */
export interface MaxUnpoolOptions<Size = Pair> {
  /** The stride of the pooling; the kernel size by default. */
  stride?: Size;
  /** The padding of the pooling; 0 by default. */
  padding?: Size;
  /** The sizes before pooling, where they differ, by less than a stride, from those computed without this option. */
  outputSize?: readonly number[];
}

const optionsOf = (dims: number) => ({
  stride: sizesOf(dims)(is.count),
  padding: sizesOf(dims)(is.size),
  outputSize: is.arrayOf(is.count),
});

function unpool(
  op: string,
  input: Tensor,
  indices: Tensor,
  kernelSize: number | readonly number[],
  options: MaxUnpoolOptions<any> | undefined,
  dims: number,
): Tensor {
  checkTensors(op, input, indices);
  check(op, 'kernelSize', kernelSize, sizesOf(dims)(is.count));
  const { stride = kernelSize, padding = 0, outputSize } = checkOptions(op, options, optionsOf(dims));
  checkIntegers(op, 'indices', indices);
  if (indices.shape.join() !== input.shape.join())
    throw new ShapeError(
      op,
      `indices must have the shape of the input, ${shapeText(input)}, got ${shapeText(indices)}`,
    );
  const x = asBatch(op, input, dims);
  const [kernel, steps, sides] = [each(kernelSize, dims), each(stride, dims), each(padding, dims)];
  const least = x.shape.slice(2).map((n, d) => (n - 1) * steps[d]! - 2 * sides[d]! + kernel[d]!);
  // As with PyTorch's modules, the whole shape may be given.
  const sizes = outputSize?.slice(-dims) ?? least;
  if (sizes.length !== dims || sizes.some((n, d) => n < 1 || Math.abs(n - least[d]!) >= steps[d]!))
    throw new ShapeError(
      op,
      `outputSize must be within a stride [${steps.join(', ')}] of [${least.join(', ')}], got [${sizes.join(', ')}]`,
    );
  const [n, c] = x.shape as [number, number];
  const out = zeros([n, c, sizeOf(sizes)], { dtype: x.dtype, device: x.device });
  const filled = out.scatter(2, asBatch(op, indices, dims).reshape([n, c, -1]), x.reshape([n, c, -1]));
  return likeInput(filled.reshape([n, c, ...sizes]), input, dims);
}

/**
 * The partial inverse of `maxPool1dWithIndices`: puts `x` `[N, C, L]` or `[C, L]` at its `indices`, with 0 elsewhere.
 * Options: `stride` (the kernel by default), `padding` 0, `outputSize`. Throws for indices out of range.
 *
 * ```ts
 * const { values, indices } = functional.maxPool1dWithIndices(tensor([[[1, 5, 2, 3]]]), 2);
 * functional.maxUnpool1d(values, indices, 2); // [[[0, 5, 0, 3]]]
 * ```
 */
export const maxUnpool1d = /* @__PURE__ */ named(
  'maxUnpool1d',
  (x: Tensor, indices: Tensor, kernelSize: number, options?: MaxUnpoolOptions<number>): Tensor =>
    unpool('maxUnpool1d', x, indices, kernelSize, options, 1),
);

/**
 * The partial inverse of `maxPool2dWithIndices`: puts `x` `[N, C, H, W]` or `[C, H, W]` at its `indices`, with 0
 * elsewhere. Options: `stride` (the kernel by default), `padding` 0, `outputSize`. Throws for indices out of range.
 *
 * ```ts
 * const { values, indices } = functional.maxPool2dWithIndices(tensor([[[1, 3], [4, 2]]]), 2);
 * functional.maxUnpool2d(values, indices, 2); // [[[0, 0], [4, 0]]]
 * ```
 */
export const maxUnpool2d = /* @__PURE__ */ inFloat32(
  'maxUnpool2d',
  (x: Tensor, indices: Tensor, kernelSize: Pair, options?: MaxUnpoolOptions): Tensor =>
    unpool('maxUnpool2d', x, indices, kernelSize, options, 2),
);

/**
 * The partial inverse of `maxPool3dWithIndices`: puts `x` `[N, C, D, H, W]` or `[C, D, H, W]` at its `indices`, with 0
 * elsewhere. Options: `stride` (the kernel by default), `padding` 0, `outputSize`. Throws for indices out of range.
 *
 * ```ts
 * const { values, indices } = functional.maxPool3dWithIndices(tensor([[[[1, 3]], [[4, 2]]]]), [2, 1, 2]);
 * functional.maxUnpool3d(values, indices, [2, 1, 2]); // [[[[0, 0]], [[4, 0]]]]
 * ```
 */
export const maxUnpool3d = /* @__PURE__ */ inFloat32(
  'maxUnpool3d',
  (x: Tensor, indices: Tensor, kernelSize: Triple, options?: MaxUnpoolOptions<Triple>): Tensor =>
    unpool('maxUnpool3d', x, indices, kernelSize, options, 3),
);
