import { type Pair, pad, type Shape, ShapeError, slice, type Tensor, tensor, zeros } from '@gradgate/core';
import { check, checkOptions, checkTensors, is, named, outputSize, type Window } from '@gradgate/core/internal';
import { shapeText } from '../shapeText.js';
import { pairs } from './sizes.js';

/** Options of `unfold` and `fold`. */
export interface UnfoldOptions {
  /** The step of the window; 1 by default. */
  stride?: Pair;
  /** The number of zeros on each side; 0 by default. */
  padding?: Pair;
  /** The distance between the elements of a window; 1 by default. */
  dilation?: Pair;
}

export const unfoldOptions = { stride: pairs(is.count), padding: pairs(is.size), dilation: pairs(is.count) };

type Two = readonly [number, number];
const sizes = pairs(is.count);
const two = (v: Pair): Two => (typeof v === 'number' ? [v, v] : v);

/** The windows over a plane, by the options. */
interface Windows extends Window {
  /** The number of windows, down and across. */
  readonly positions: Two;
}

function windowsOf(op: string, plane: Two, kernelSize: Pair, options: UnfoldOptions | undefined): Windows {
  const given = checkOptions(op, options, unfoldOptions);
  check(op, 'kernelSize', kernelSize, sizes);
  const kernel = two(kernelSize);
  const [stride, padding, dilation] = [two(given.stride ?? 1), two(given.padding ?? 0), two(given.dilation ?? 1)];
  const window = { kernel, stride, padding, dilation };
  const positions = [outputSize(plane[0], 0, window), outputSize(plane[1], 1, window)] as const;
  if (positions.some((n) => n < 1))
    throw new ShapeError(
      op,
      `a kernel of [${kernel.join(', ')}] with dilation [${dilation.join(', ')}] does not fit into [${plane.join(', ')}] with padding [${padding.join(', ')}]`,
    );
  return { ...window, positions };
}

/**
 * The windows of planes as columns (im2col): `[N, C, H, W]` to `[N, C * kh * kw, windows]`, or without `N`. Options:
 * `stride` 1, `padding` 0, `dilation` 1. Throws where the kernel does not fit.
 *
 * ```ts
 * functional.unfold(arange(4).float().reshape([1, 1, 2, 2]), 1); // [[[0, 1, 2, 3]]]
 * functional.unfold(randn([2, 3, 8, 8]), 3, { padding: 1 }).shape; // [2, 27, 64]
 * ```
 */
export const unfold = /* @__PURE__ */ named(
  'unfold',
  (x: Tensor, kernelSize: Pair, options?: UnfoldOptions): Tensor => {
    checkTensors('unfold', x);
    if (x.ndim === 3) return unfold(x.unsqueeze(0), kernelSize, options).squeeze(0);
    if (x.ndim !== 4) throw new ShapeError('unfold', `takes [N, C, H, W] or [C, H, W], got ${shapeText(x)}`);
    const [n, c, h, w] = x.shape as [number, number, number, number];
    const { kernel, stride, padding, dilation, positions } = windowsOf('unfold', [h, w], kernelSize, options);
    const reach = (d: 0 | 1) => dilation[d] * (kernel[d] - 1) + 1;
    return pad(x, [padding[1], padding[1], padding[0], padding[0]])
      .unfold(2, reach(0), stride[0])
      .unfold(3, reach(1), stride[1])
      .at(slice(), slice(), slice(), slice(), slice(null, null, dilation[0]), slice(null, null, dilation[1]))
      .permute(0, 1, 4, 5, 2, 3)
      .reshape([n, c * kernel[0] * kernel[1], positions[0] * positions[1]]);
  },
);

/**
 * Adds windows up to planes of `outputSize` (col2im): `[N, C * kh * kw, windows]` to `[N, C, ...outputSize]`, or
 * without `N`. The gradient of `unfold`; elements in several windows are added. Options as for `unfold`.
 *
 * ```ts
 * functional.fold(ones([1, 4, 4]), [3, 3], 2); // [[[[1, 2, 1], [2, 4, 2], [1, 2, 1]]]]
 * ```
 */
export const fold = /* @__PURE__ */ named(
  'fold',
  (x: Tensor, outputSize: Pair, kernelSize: Pair, options?: UnfoldOptions): Tensor => {
    checkTensors('fold', x);
    if (x.ndim === 2) return fold(x.unsqueeze(0), outputSize, kernelSize, options).squeeze(0);
    check('fold', 'outputSize', outputSize, sizes);
    const [h, w] = two(outputSize);
    const windows = windowsOf('fold', [h, w], kernelSize, options);
    const { kernel, padding, positions } = windows;
    const [area, count] = [kernel[0] * kernel[1], positions[0] * positions[1]];
    if (x.ndim !== 3 || x.shape[1]! % area !== 0 || x.shape[2] !== count)
      throw new ShapeError('fold', `takes [N, C * ${area}, ${count}], got ${shapeText(x)}`);
    const [n, c] = [x.shape[0]!, x.shape[1]! / area];
    const wide: Two = [h + 2 * padding[0], w + 2 * padding[1]];
    const shape: Shape = [n, c, area * count];
    const index = tensor(positionsIn(wide, windows), { device: x.device }).expand(shape);
    return zeros([n, c, wide[0] * wide[1]], { dtype: x.dtype, device: x.device })
      .scatterAdd(2, index, x.reshape(shape))
      .reshape([n, c, ...wide])
      .narrow(2, padding[0], h)
      .narrow(3, padding[1], w);
  },
);

/** The indices in a padded plane of each element of the kernel, window after window. */
function positionsIn([, width]: Two, { kernel, stride, dilation, positions }: Windows): Int32Array {
  const found = new Int32Array(kernel[0] * kernel[1] * positions[0] * positions[1]);
  let at = 0;
  for (let i = 0; i < kernel[0]; i++)
    for (let j = 0; j < kernel[1]; j++)
      for (let row = 0; row < positions[0]; row++)
        for (let column = 0; column < positions[1]; column++)
          found[at++] = (row * stride[0] + i * dilation[0]) * width + column * stride[1] + j * dilation[1];
  return found;
}
