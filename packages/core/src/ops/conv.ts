import { keepResult, keptResult } from '../autograd/keep.js';
import { kernelsOf } from '../backend/backends.js';
import { type Geometry, outputSize, type Window } from '../backend/convolution.js';
import { checkOptions, show } from '../check.js';
import { DTypeError, named, ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { checkSize, formatShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { casting } from './casting.js';
import { conjugate, floatOrComplex } from './define.js';
import { add } from './elementwise.js';
import { pad } from './pad.js';
import { sum } from './reduce.js';
import { reshape, squeeze, unsqueeze } from './shape.js';

/** One number for height and width, or one for each. */
export type Pair = number | readonly [number, number];

export const pair = (op: string, name: string, v: Pair, least: number): [number, number] => {
  const [h, w] = typeof v === 'number' ? [v, v] : Array.isArray(v) && v.length === 2 ? v : [];
  for (const n of [h, w])
    if (!Number.isInteger(n) || n! < least || n! >= 2 ** 31)
      throw new ShapeError(op, `${name} must be a whole number from ${least} up, or two, below 2^31, got ${show(v)}`);
  return [h!, w!];
};

/** A convolution of images of this shape with `outputs` kernels for each of `groups`. */
const geometryOf = (
  [batch, channels, h, w]: readonly [number, number, number, number],
  outputs: number,
  groups: number,
  window: Window,
  positions: readonly [number, number] = [outputSize(h, 0, window), outputSize(w, 1, window)],
): Geometry => ({ batch, groups, inputs: channels / groups, outputs, h, w, window, positions });

type Four = [number, number, number, number];

// A convolution and its two gradients. Each is the derivative of another, so gradients of gradients need nothing more.

/** `[N, O, H', W']` from images and kernels. */
function forward(x: Tensor, weight: Tensor, bias: Tensor | null, geometry: Geometry): Tensor {
  const out = keptResult('conv2d') ?? keepResult('conv2d', convolve(x, weight, bias, geometry));
  const shape = weight.shape as Four;
  return record(
    'conv2d',
    bias ? [x, weight, bias] : [x, weight],
    out,
    (g, ctx) => {
      const [x, weight] = ctx.saved.map(conjugate) as [Tensor, Tensor];
      const ofWeight = ctx.needs(1) ? weightGradient(g, x, geometry, shape) : null;
      const ofBias = bias && ctx.needs(2) ? sum(g, [0, 2, 3]) : null;
      // That of x last, as in `linear`.
      return [ctx.needs(0) ? inputGradient(g, weight, geometry) : null, ofWeight, ofBias];
    },
    [x, weight],
  );
}

function convolve(x: Tensor, weight: Tensor, bias: Tensor | null, geometry: Geometry): Tensor {
  const { batch, groups, outputs, positions } = geometry;
  const all = [batch, groups * outputs, ...positions];
  checkSize('conv2d', all, x.shape, weight.shape);
  const out = Tensor.uninitialized(x.dtype, all, x.storage.backend);
  kernelsOf('conv2d', x, weight, bias).conv(x, weight, bias, geometry, out);
  return out;
}

/** `[N, C, H, W]` from gradients of the results and kernels: also a transposed convolution. */
function inputGradient(g: Tensor, weight: Tensor, geometry: Geometry): Tensor {
  const out = keptResult('convTranspose2d') ?? keepResult('convTranspose2d', convolveBack(g, weight, geometry));
  const shape = weight.shape as Four;
  return record(
    'convTranspose2d',
    [g, weight],
    out,
    (gg, ctx) => {
      const [g, weight] = ctx.saved.map(conjugate) as [Tensor, Tensor];
      return [
        ctx.needs(0) ? forward(gg, weight, null, geometry) : null,
        ctx.needs(1) ? weightGradient(g, gg, geometry, shape) : null,
      ];
    },
    [g, weight],
  );
}

function convolveBack(g: Tensor, weight: Tensor, geometry: Geometry): Tensor {
  const { batch, groups, inputs, h, w } = geometry;
  checkSize('convTranspose2d', [batch, groups * inputs, h, w], g.shape, weight.shape);
  const out = Tensor.uninitialized(g.dtype, [batch, groups * inputs, h, w], g.storage.backend);
  kernelsOf('convTranspose2d', g, weight).convInput(g, weight, geometry, out);
  return out;
}

/** `[O, C / groups, h, w]` from gradients of the results and images. */
function weightGradient(g: Tensor, x: Tensor, geometry: Geometry, shape: Four): Tensor {
  const out = Tensor.uninitialized(g.dtype, shape, g.storage.backend);
  kernelsOf('convWeight2d', g, x).convWeight(g, x, geometry, out);
  return record(
    'convWeight2d',
    [g, x],
    out,
    (gw, ctx) => {
      const [g, x] = ctx.saved.map(conjugate) as [Tensor, Tensor];
      return [
        ctx.needs(0) ? forward(x, gw, null, geometry) : null,
        ctx.needs(1) ? inputGradient(g, gw, geometry) : null,
      ];
    },
    [g, x],
  );
}

/** Options of convolutions. */
export interface ConvOptions<Size = Pair> {
  /** How far the kernel moves; 1 by default. */
  stride?: Size;
  /**
   * Zeros on each side. `'same'` keeps the size (with stride 1; for even kernels one more zero at the end), `'valid'`
   * is 0.
   */
  padding?: Size | 'same' | 'valid';
  /** The distance between elements of the kernel; 1 by default. */
  dilation?: Size;
  /** Channels are split into this many groups, each with kernels of its own. */
  groups?: number;
}

// `pair` and the geometry check the values.
const convOptions = { stride: is.anything, padding: is.anything, dilation: is.anything, groups: is.count };
const convTransposeOptions = { ...convOptions, outputPadding: is.anything };

function checkOperands(op: string, x: Tensor, weight: Tensor, bias: Tensor | null | undefined, ndim: number): void {
  floatOrComplex(op, x);
  if (x.dtype !== weight.dtype)
    throw new DTypeError(op, `input is ${x.dtype} and weight ${weight.dtype}; convert with to()`);
  if (x.ndim !== ndim || weight.ndim !== ndim)
    throw new ShapeError(
      op,
      `input and weight must have ${ndim} dimensions each, got ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
    );
  if (weight.shape.indexOf(0, 2) !== -1)
    throw new ShapeError(
      op,
      `a kernel must have at least one element a channel, got weight ${formatShape(weight.shape)}`,
    );
  if (bias != null) checkTensors(op, bias);
  if (bias && bias.ndim !== 1) throw new ShapeError(op, `bias must have one dimension, got ${formatShape(bias.shape)}`);
}

/** Whether `x` is one image rather than a batch of them. */
const isOneOf = (x: Tensor, weight: Tensor): boolean => x.ndim === weight.ndim - 1 && x.ndim > 1;

/**
 * Convolution (in fact cross-correlation, as everywhere): `x` `[N, C, H, W]`, `weight` `[O, C / groups, h, w]`, `bias`
 * `[O]`; gives `[N, O, H', W']`. One image `[C, H, W]` gives `[O, H', W']`.
 *
 * ```ts
 * conv2d(ones([1, 1, 3, 3]), ones([1, 1, 2, 2])); // [[[[4, 4], [4, 4]]]]
 * ```
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  checkTensors('conv2d', x, weight);
  if (casting.current !== null) [x, weight, bias] = casting.current.lower([x, weight, bias]);
  if (isOneOf(x, weight)) return squeeze(conv2d(unsqueeze(x, 0), weight, bias, options), 0);
  const op = 'conv2d';
  checkOperands(op, x, weight, bias, 4);
  const { groups = 1 } = checkOptions(op, options, convOptions);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const [o, perGroup, kh, kw] = weight.shape as [number, number, number, number];
  if (!Number.isInteger(groups) || groups < 1 || c % groups !== 0 || o % groups !== 0 || perGroup !== c / groups)
    throw new ShapeError(
      op,
      `input ${formatShape(x.shape)} and weight ${formatShape(weight.shape)} with ${groups} groups: weight must be [O, ${c / groups}, h, w], O a multiple of ${groups}`,
    );
  if (bias && bias.shape[0] !== o) throw new ShapeError(op, `bias ${formatShape(bias.shape)} for ${o} kernels`);
  const odd = options.padding === 'same' ? oddPadding(op, [kh, kw], options) : [0, 0];
  if (odd[0] !== 0 || odd[1] !== 0) {
    const padded = pad(x, [0, odd[1]!, 0, odd[0]!]);
    const both = windowOf(op, [kh, kw], options, [h + odd[0]!, w + odd[1]!]).padding;
    return conv2d(padded, weight, bias, { ...options, padding: both });
  }
  const window = windowOf(op, [kh, kw], options, [h, w]);
  return forward(x, weight, bias ?? null, geometryOf([n, c, h, w], o / groups, groups, window));
}

/** How many rows and columns an even kernel needs at the end, beside what is at both ends, to keep the size. */
const oddPadding = (op: string, kernel: readonly number[], { dilation = 1 }: ConvOptions): number[] =>
  pair(op, 'dilation', dilation, 1).map((d, i) => (d * (kernel[i]! - 1)) % 2);

function windowOf(
  op: string,
  kernel: [number, number],
  options: ConvOptions,
  [h, w]: readonly [number, number],
): Window {
  const stride = pair(op, 'stride', options.stride ?? 1, 1);
  const dilation = pair(op, 'dilation', options.dilation ?? 1, 1);
  let padding: [number, number];
  if (options.padding === 'same') {
    if (stride[0] !== 1 || stride[1] !== 1) throw new ShapeError(op, "padding 'same' needs stride 1");
    const total = kernel.map((k, d) => dilation[d]! * (k - 1));
    padding = [Math.floor(total[0]! / 2), Math.floor(total[1]! / 2)];
  } else padding = pair(op, 'padding', options.padding === 'valid' ? 0 : (options.padding ?? 0), 0);
  const window = { kernel, stride, padding, dilation };
  if (outputSize(h, 0, window) < 1 || outputSize(w, 1, window) < 1)
    throw new ShapeError(
      op,
      `a kernel of ${formatShape(kernel)} with dilation ${formatShape(dilation)} does not fit into [${h}, ${w}] with padding ${formatShape(padding)}`,
    );
  return window;
}

/** Options for one dimension as options for two, the first of size 1. */
const lift = ({ stride = 1, padding = 0, dilation = 1, groups }: ConvOptions<number>): ConvOptions => ({
  stride: [1, stride],
  padding: typeof padding === 'number' ? [0, padding] : padding,
  dilation: [1, dilation],
  groups,
});

/**
 * Convolution in one dimension: `x` `[N, C, L]`, `weight` `[O, C / groups, l]`, `bias` `[O]`; gives `[N, O, L']`.
 *
 * ```ts
 * conv1d(tensor([[[1, 2, 3]]]), tensor([[[1, 1]]])); // [[[3, 5]]]
 * ```
 */
export const conv1d = /* @__PURE__ */ named(
  'conv1d',
  (x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions<number> = {}): Tensor => {
    checkTensors('conv1d', x, weight);
    if (casting.current !== null) [x, weight, bias] = casting.current.lower([x, weight, bias]);
    if (isOneOf(x, weight)) return squeeze(conv1d(unsqueeze(x, 0), weight, bias, options), 0);
    checkOperands('conv1d', x, weight, bias, 3);
    checkOptions('conv1d', options, convOptions);
    return squeeze(conv2d(unsqueeze(x, 2), unsqueeze(weight, 2), bias, lift(options)), 2);
  },
);

/** Options of transposed convolutions. */
export interface ConvTransposeOptions<Size = Pair> extends Omit<ConvOptions<Size>, 'padding'> {
  /** Zeros that are taken away at each border of the result, by dimension; 0 by default. */
  padding?: Size;
  /** Rows and columns added at one side of the result, whose size the stride leaves open. */
  outputPadding?: Size;
}

/**
 * The gradient of `conv2d` as an operator: `x` `[N, C, H, W]`, `weight` `[C, O / groups, h, w]`; gives `[N, O, H',
 * W']`.
 *
 * ```ts
 * convTranspose2d(ones([1, 1, 1, 1]), ones([1, 1, 2, 2]), null, { stride: 2 }); // [[[[1, 1], [1, 1]]]]
 * ```
 */
export const convTranspose2d = /* @__PURE__ */ named(
  'convTranspose2d',
  (x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvTransposeOptions = {}): Tensor => {
    checkTensors('convTranspose2d', x, weight);
    if (casting.current !== null) [x, weight, bias] = casting.current.lower([x, weight, bias]);
    if (isOneOf(x, weight)) return squeeze(convTranspose2d(unsqueeze(x, 0), weight, bias, options), 0);
    const op = 'convTranspose2d';
    checkOperands(op, x, weight, bias, 4);
    const { groups = 1 } = checkOptions(op, options, convTransposeOptions);
    const [n, c, h, w] = x.shape as [number, number, number, number];
    const [inputs, perGroup, kh, kw] = weight.shape as [number, number, number, number];
    if (!Number.isInteger(groups) || groups < 1 || inputs !== c || c % groups !== 0)
      throw new ShapeError(
        op,
        `input ${formatShape(x.shape)} and weight ${formatShape(weight.shape)} with ${groups} groups: weight must be [${c}, O / groups, h, w]`,
      );
    const o = perGroup * groups;
    if (bias && bias.shape[0] !== o) throw new ShapeError(op, `bias ${formatShape(bias.shape)} for ${o} channels`);
    const stride = pair(op, 'stride', options.stride ?? 1, 1);
    const padding = pair(op, 'padding', options.padding ?? 0, 0);
    const dilation = pair(op, 'dilation', options.dilation ?? 1, 1);
    const extra = pair(op, 'outputPadding', options.outputPadding ?? 0, 0);
    if (extra.some((e, d) => e >= Math.max(stride[d]!, dilation[d]!)))
      throw new ShapeError(
        op,
        `outputPadding ${formatShape(extra)} must be smaller than stride ${formatShape(stride)} or dilation`,
      );
    const window: Window = { kernel: [kh, kw], stride, padding, dilation };
    const size = (m: number, d: 0 | 1) =>
      (m - 1) * stride[d] - 2 * padding[d] + dilation[d] * (window.kernel[d] - 1) + extra[d]! + 1;
    const [rows, columns] = [size(h, 0), size(w, 1)];
    if (h < 1 || w < 1 || rows < 1 || columns < 1)
      throw new ShapeError(
        op,
        `an image of [${h}, ${w}] gives [${rows}, ${columns}] with a kernel of ${formatShape([kh, kw])} and padding ${formatShape(padding)}; both have a row and a column at least`,
      );
    const out = inputGradient(x, weight, geometryOf([n, o, rows, columns], c / groups, groups, window, [h, w]));
    return bias ? add(out, reshape(bias, [1, o, 1, 1])) : out;
  },
);

/**
 * The gradient of `conv1d` as an operator: `x` `[N, C, L]`, `weight` `[C, O / groups, l]`; gives `[N, O, L']`.
 *
 * ```ts
 * convTranspose1d(tensor([[[1, 2]]]), tensor([[[1, 1]]]), null, { stride: 2 }); // [[[1, 1, 2, 2]]]
 * ```
 */
export const convTranspose1d = /* @__PURE__ */ named(
  'convTranspose1d',
  (x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvTransposeOptions<number> = {}): Tensor => {
    checkTensors('convTranspose1d', x, weight);
    if (casting.current !== null) [x, weight, bias] = casting.current.lower([x, weight, bias]);
    if (isOneOf(x, weight)) return squeeze(convTranspose1d(unsqueeze(x, 0), weight, bias, options), 0);
    checkOperands('convTranspose1d', x, weight, bias, 3);
    const known = checkOptions('convTranspose1d', options, convTransposeOptions);
    const { stride = 1, padding = 0, dilation = 1, outputPadding = 0, groups } = known;
    const lifted: ConvTransposeOptions = {
      stride: [1, stride],
      padding: [0, padding],
      dilation: [1, dilation],
      outputPadding: [0, outputPadding],
      groups,
    };
    return squeeze(convTranspose2d(unsqueeze(x, 2), unsqueeze(weight, 2), bias, lifted), 2);
  },
);
