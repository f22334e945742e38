import { kernelsOf } from '../backend/backends.js';
import type { Window } from '../backend/convolution.js';
import { type Areas, adaptiveAreas, type Counts, countOf, windowAreas } from '../backend/pooling.js';
import { checkOptions } from '../check.js';
import { ShapeError } from '../errors.js';
import { type Backward, record } from '../graph/node.js';
import { formatShape, type Shape } from '../memory/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import { Tensor } from '../tensor/tensor.js';
import { type Pair, pair } from './conv.js';
import { floatOnly } from './define.js';
import { indexSelect } from './indexing.js';
import { avgPool1dOptions, avgPoolOptions, maxPoolOptions } from './options.js';
import { pad } from './pad.js';
import { mean } from './reduce.js';
import { ge } from './relational.js';
import { reshape, squeeze, unsqueeze } from './shape.js';
import { where } from './where.js';

/** Options of all pooling functions. */
export interface PoolOptions<Size = Pair> {
  /** The step of the window; the kernel size by default. */
  stride?: Size;
  /** Positions that are added at each border; 0 by default. */
  padding?: Size;
  /** Whether to add a last window that begins inside, or in the padding before, but does not fit. */
  ceilMode?: boolean;
}

/** Options of max pooling. */
export interface MaxPoolOptions<Size = Pair> extends PoolOptions<Size> {
  /** The distance of the elements of a window; 1 by default. */
  dilation?: Size;
}

/** Options of average pooling. */
export interface AvgPoolOptions<Size = Pair> extends PoolOptions<Size> {
  /** Whether zeros of the padding count. */
  countIncludePad?: boolean;
  /** The divisor of sums, instead of the number of elements. */
  divisorOverride?: number | null;
}

/** Options of `avgPool1d`. */
export type AvgPool1dOptions = Omit<AvgPoolOptions<number>, 'divisorOverride'>;

// `pair` checks the values.

function windowOf(
  op: string,
  x: Tensor,
  kernelSize: Pair,
  { stride, padding = 0, dilation = 1, ceilMode = false }: MaxPoolOptions,
): [Window, Counts] {
  floatOnly(op, x);
  if (x.ndim !== 4) throw new ShapeError(op, `takes [N, C, H, W] or [C, H, W], got ${formatShape(x.shape)}`);
  const kernel = pair(op, 'kernelSize', kernelSize, 1);
  const window: Window = {
    kernel,
    stride: pair(op, 'stride', stride ?? kernelSize, 1),
    padding: pair(op, 'padding', padding, 0),
    dilation: pair(op, 'dilation', dilation, 1),
  };
  if (window.padding.some((p, d) => p > kernel[d]! / 2))
    throw new ShapeError(
      op,
      `padding ${formatShape(window.padding)} is more than half the kernel ${formatShape(kernel)}`,
    );
  const counts: Counts = [countOf(x.shape[2]!, 0, window, ceilMode), countOf(x.shape[3]!, 1, window, ceilMode)];
  if (counts[0] < 1 || counts[1] < 1)
    throw new ShapeError(op, `a window of ${formatShape(kernel)} does not fit into ${formatShape(x.shape)}`);
  return [window, counts];
}

/**
 * The largest element of each window of `x` `[N, C, H, W]`, or of one image `[C, H, W]`.
 *
 * ```ts
 * maxPool2d(randn([4, 3, 8, 8]), 2).shape; // [4, 3, 4, 4]
 * ```
 */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: MaxPoolOptions = {}): Tensor {
  checkTensors('maxPool2d', x);
  checkOptions('maxPool2d', options, maxPoolOptions);
  if (x.ndim === 3) return squeeze(maxPool2d(unsqueeze(x, 0), kernelSize, options), 0);
  return maxPoolWithIndices(x, kernelSize, options)[0];
}

/** `maxPool2d` of `[N, C, H, W]`, and the index of each maximum among all elements of `x`. */
export function maxPoolWithIndices(x: Tensor, kernelSize: Pair, options: MaxPoolOptions): [Tensor, Tensor] {
  const [window, counts] = windowOf('maxPool2d', x, kernelSize, options);
  const shape = [x.shape[0]!, x.shape[1]!, ...counts];
  const out = Tensor.uninitialized(x.dtype, shape, x.storage.backend);
  const indices = Tensor.uninitialized('int32', shape, x.storage.backend);
  kernelsOf('maxPool2d', x).maxPool(x, window, out, indices);
  const from = x.shape;
  return [record('maxPool2d', [x], out, (g, ctx) => [maxPoolGradient(g, ctx.saved[0]!, from)], [indices]), indices];
}

/** Images of `shape`, with each element of `g` added at its index. */
function maxPoolGradient(g: Tensor, indices: Tensor, shape: Shape): Tensor {
  const out = Tensor.uninitialized(g.dtype, shape, g.storage.backend);
  kernelsOf('maxPool2d', g, indices).maxPoolGradient(g, indices, out);
  return record('maxPool2dGradient', [g], out, (gg, ctx) => [elementsAt(gg, ctx.saved[0]!)], [indices]);
}

/** The elements at these indices; 0 for the index -1. */
function elementsAt(x: Tensor, indices: Tensor): Tensor {
  const isThere = ge(indices, 0);
  const found = indexSelect(reshape(x, [x.numel]), 0, reshape(where(isThere, indices, 0), [indices.numel]));
  return where(isThere, reshape(found, indices.shape), 0);
}

/**
 * The mean of each window of `x` `[N, C, H, W]`, or of one image `[C, H, W]`.
 *
 * ```ts
 * avgPool2d(ones([1, 1, 2, 2]), 2); // [[[[1]]]]
 * ```
 */
export function avgPool2d(x: Tensor, kernelSize: Pair, options: AvgPoolOptions = {}): Tensor {
  checkTensors('avgPool2d', x);
  checkOptions('avgPool2d', options, avgPoolOptions);
  if (x.ndim === 3) return squeeze(avgPool2d(unsqueeze(x, 0), kernelSize, options), 0);
  const [window, counts] = windowOf('avgPool2d', x, kernelSize, options);
  const { kernel, padding } = window;
  const { ceilMode = false, countIncludePad = true, divisorOverride } = options;
  // Nothing behind the padding counts. Where windows reach there, zeros are made and the elements inside are counted.
  const isPadded = ceilMode && countIncludePad && divisorOverride == null;
  const image = isPadded ? pad(x, [padding[1], padding[1], padding[0], padding[0]]) : x;
  const divisor = divisorOverride ?? (countIncludePad && !ceilMode ? kernel[0] * kernel[1] : 0);
  const [n, c, h, w] = image.shape as [number, number, number, number];
  const areas = windowAreas(h, w, isPadded ? { ...window, padding: [0, 0] } : window, counts, divisor);
  return means('avgPool2d', image, areas, [n, c, ...counts]);
}

/** The mean of each area, in the shape of the areas. */
const means = (op: string, x: Tensor, areas: Areas, shape: Shape): Tensor =>
  record(op, [x], averaged(x, areas, shape), meansRule(op, areas, x.shape, shape));

function averaged(x: Tensor, areas: Areas, shape: Shape): Tensor {
  const out = Tensor.uninitialized(x.dtype, shape, x.storage.backend);
  kernelsOf('avgPool2d', x).avgPool(x, areas, out);
  return out;
}

/** The gradient of a linear function, whose own gradient is the function again. */
const meansRule =
  (op: string, areas: Areas, from: Shape, shape: Shape): Backward =>
  (g) => {
    const out = Tensor.uninitialized(g.dtype, from, g.storage.backend);
    kernelsOf('avgPool2d', g).avgPoolGradient(g, areas, out);
    return [
      record(`${op}Gradient`, [g], out, (gg) => [
        record(op, [gg], averaged(gg, areas, shape), meansRule(op, areas, from, shape)),
      ]),
    ];
  };

/**
 * Means over areas chosen so that the result has the size `outputSize`; `x` is `[N, C, H, W]`, or one image `[C, H,
 * W]`.
 *
 * ```ts
 * adaptiveAvgPool2d(randn([4, 3, 8, 8]), 1).shape; // [4, 3, 1, 1]
 * ```
 */
export const adaptiveAvgPool2d = /* @__PURE__ */ madeOf('adaptiveAvgPool2d', (x: Tensor, outputSize: Pair): Tensor => {
  floatOnly('adaptiveAvgPool2d', x);
  if (x.ndim === 3) return squeeze(adaptiveAvgPool2d(unsqueeze(x, 0), outputSize), 0);
  if (x.ndim !== 4)
    throw new ShapeError('adaptiveAvgPool2d', `takes [N, C, H, W] or [C, H, W], got ${formatShape(x.shape)}`);
  const [h, w] = pair('adaptiveAvgPool2d', 'outputSize', outputSize, 1);
  if (h === 1 && w === 1) return mean(x, [2, 3], { keepdim: true });
  const [n, c, ih, iw] = x.shape as [number, number, number, number];
  return means('adaptiveAvgPool2d', x, adaptiveAreas(ih, iw, h, w), [n, c, h, w]);
});

const lifted = (op: string, x: Tensor): Tensor => {
  if (x.ndim !== 3 && x.ndim !== 2) throw new ShapeError(op, `takes [N, C, L] or [C, L], got ${formatShape(x.shape)}`);
  return unsqueeze(x, -2);
};

/** Options of `maxPool1d` as those of `maxPool2d`. */
export function liftedOptions(kernelSize: number, options: MaxPoolOptions<number> | undefined): MaxPoolOptions {
  const known = checkOptions('maxPool1d', options, maxPoolOptions);
  const { stride = kernelSize, padding = 0, dilation = 1, ceilMode } = known;
  return { stride: [1, stride], padding: [0, padding], dilation: [1, dilation], ceilMode };
}

/**
 * The largest element of each window: `[N, C, L]` to `[N, C, L2]`, or `[C, L]` to `[C, L2]`. Options: `stride` (by
 * default `kernelSize`), `padding` 0, `dilation` 1, `ceilMode` false.
 *
 * ```ts
 * maxPool1d(tensor([[[1, 5, 2, 3]]]), 2); // [[[5, 3]]]
 * ```
 */
export const maxPool1d = /* @__PURE__ */ madeOf(
  'maxPool1d',
  (x: Tensor, kernelSize: number, options?: MaxPoolOptions<number>): Tensor => {
    return squeeze(maxPool2d(lifted('maxPool1d', x), [1, kernelSize], liftedOptions(kernelSize, options)), -2);
  },
);

/**
 * The mean of each window: `[N, C, L]` to `[N, C, L2]`, or `[C, L]` to `[C, L2]`. Options: `stride` (by default
 * `kernelSize`), `padding` 0, `ceilMode` false, `countIncludePad` true.
 *
 * ```ts
 * avgPool1d(tensor([[[1, 5, 2, 4]]]), 2); // [[[3, 3]]]
 * ```
 */
export const avgPool1d = /* @__PURE__ */ madeOf(
  'avgPool1d',
  (x: Tensor, kernelSize: number, options?: AvgPool1dOptions): Tensor => {
    const { stride = kernelSize, padding = 0, ...rest } = checkOptions('avgPool1d', options, avgPool1dOptions);
    return squeeze(
      avgPool2d(lifted('avgPool1d', x), [1, kernelSize], { stride: [1, stride], padding: [0, padding], ...rest }),
      -2,
    );
  },
);

/**
 * Means over areas chosen so that the result has the length `outputSize`; `x` is `[N, C, L]` or `[C, L]`.
 *
 * ```ts
 * adaptiveAvgPool1d(tensor([[[1, 3, 5, 7]]]), 2); // [[[2, 6]]]
 * ```
 */
export const adaptiveAvgPool1d = /* @__PURE__ */ madeOf(
  'adaptiveAvgPool1d',
  (x: Tensor, outputSize: number): Tensor =>
    squeeze(adaptiveAvgPool2d(lifted('adaptiveAvgPool1d', x), [1, outputSize]), -2),
);
