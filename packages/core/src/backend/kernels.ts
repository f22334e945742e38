import type { DType, TypedArray } from '../memory/dtype.js';
import type { Shape } from '../memory/shape.js';
import type { Storage } from '../memory/storage.js';
import type { Generator } from '../tensor/random.js';
import type { Channels } from './channels.js';
import type { Geometry, Window } from './convolution.js';
import type { BinaryFunction, Parameters as Numbers, UnaryFunction } from './functions.js';
import type { Areas } from './pooling.js';
import type { Taps } from './resampling.js';

/** A tensor as kernels see it. A `Tensor` is one. */
export interface View {
  /** The memory that it lies in. */
  readonly storage: Storage;
  /** What its elements are. */
  readonly dtype: DType;
  /** The size of each dimension. */
  readonly shape: Shape;
  /** The number of elements. */
  readonly numel: number;
  /** The distance of neighbors along each dimension, in elements; 0 where one element is repeated. */
  readonly strides: readonly number[];
  /** The index of the first element in the storage. */
  readonly offset: number;
  /** Whether the elements lie in row-major order without gaps. */
  readonly isContiguous: boolean;
}

/**
 * The kernels of a backend. Operators have checked shapes and dtypes and have allocated `out`, which is contiguous and
 * has a storage of its own; a kernel writes all of it.
 */
export interface Kernels {
  /**
   * Copies the elements of `x` to `out`, of the same shape, and converts them to its dtype. Both may have any strides,
   * may share a storage and may overlap. `out` may be a part of its storage, but has no element twice.
   */
  copy(x: View, out: View): void;

  /** Writes `value`, converted to the dtype of `out`, to all elements of the storage of `out`. */
  fill(value: number | boolean, out: View): void;

  /**
   * The elements of `a` where the bool `condition` is true, those of `b` elsewhere. All three broadcast to the shape of
   * `out`, and `a` and `b` are converted to its dtype.
   */
  where(condition: View, a: View, b: View, out: View): void;

  /**
   * Throws the error of `refuse` for the first element of `x` that is outside of `least` to `most` (inclusive) and is
   * not `except`; NaN is outside. A device that cannot be read at once does nothing; its other kernels stay within
   * bounds instead.
   */
  checkRange(x: View, least: number, most: number, refuse: (value: number) => Error, except?: number): void;

  /**
   * The elements of `x` that `index` names along dimension `dim`: `out[i][j] = x[index[i][j]][j]` for dimension 0.
   * `index` has an integer dtype, the shape of `out`, the rank of `x` and no larger sizes in other dimensions. Its
   * values have been checked; negative ones count from the end.
   */
  gather(x: View, dim: number, index: View, out: View): void;

  /**
   * Writes the elements of `src` to those of `out` that `index` names; both have the shape that `gather` asks of an
   * index. 'set' replaces (the last one wins), 'add' adds (for bool: or), 'amax' and 'amin' keep the larger or smaller,
   * where NaN wins. `out` holds values before. `src` has the dtype of `out`.
   */
  scatter(reduce: 'set' | 'add' | 'amax' | 'amin', dim: number, index: View, src: View, out: View): void;

  /** The slices of `x` along `dim` that the vector `index` names; indices as in `gather`. */
  indexSelect(x: View, dim: number, index: View, out: View): void;

  /** Adds the slices of `src` along `dim` to those of `out` that the vector `index` names; indices may repeat. */
  indexAdd(dim: number, index: View, src: View, out: View): void;

  /**
   * Positions in the flattened tensor of `shape`. `lists` has for each dimension indices as in `gather`, all of one
   * shape, or null for the whole dimension. The shape of the lists stands in the shape of `out` (int32) before
   * dimension `lead` of the dimensions that are taken whole.
   */
  ravelIndex(lists: readonly (View | null)[], shape: Shape, lead: number, out: View): void;

  /**
   * The indices along `dim` that sort the elements of `x`: int32. The sort is stable; NaN counts as the largest.
   */
  argsort(x: View, dim: number, descending: boolean, out: View): void;

  /**
   * The last index along `dim` of the most frequent element of `x`; of equally frequent elements the smallest. int32,
   * with size 1 along `dim`.
   */
  mode(x: View, dim: number, out: View): void;

  /**
   * Running sums, products, or logarithms of sums of exponentials along `dim` (int64 for integers and bool); or the
   * index of the largest or smallest element so far: int32, the last of equal ones, and NaN wins.
   */
  scan(which: 'sum' | 'prod' | 'logsumexp' | 'argmax' | 'argmin', x: View, dim: number, out: View): void;

  /**
   * The positions at which `values` can be inserted into the lines of `sorted`, along the last dimension, to keep them
   * in ascending order: before equal elements, or after them with `right`; NaN last. int32. `sorted` is one line, or
   * has the leading dimensions of `values`.
   */
  searchsorted(sorted: View, values: View, right: boolean, out: View): void;

  /** Whether each element of `x` is among `values`, or with `invert` is not: bool. */
  isin(x: View, values: View, invert: boolean, out: View): void;

  /** How many elements lie in each of the equal parts of [low, high]; `out` has one element for each part. */
  histogram(x: View, low: number, high: number, out: View): void;

  /**
   * The `X` of `A X = B`: `a` is `[..., n, n]`, `b` and `out` are `[..., n, k]`. Throws the error of `singular` if
   * there is none; a device that cannot be read at once gives numbers that are not finite instead.
   */
  solve(a: View, b: View, out: View, singular: () => Error): void;

  /** The determinants of `[..., n, n]`. */
  det(a: View, out: View): void;

  /** The signs of the determinants, and the logarithms of their sizes. */
  slogdet(a: View, sign: View, logabsdet: View): void;

  /**
   * The lower triangular `L` with `L L^T = A`. Throws the error of `refuse` if `A` is not positive definite, as
   * `solve` does for singular ones.
   */
  cholesky(a: View, out: View, refuse: () => Error): void;

  /**
   * Decomposes the matrices of a batch by `rule`. The leading dimensions of all views are the same batch: those before
   * the last two of the first input.
   */
  matrices(rule: MatrixRule, inputs: readonly View[], outs: readonly View[], numbers: readonly number[]): void;

  /**
   * Fills `out` with draws of `rule`, in the order of the elements. `parameters` are numbers for all elements, or a
   * view of the shape of `out` with one for each.
   */
  random(rule: RandomRule, generator: Generator, parameters: View | readonly number[], out: View): void;

  /**
   * An elementwise function of `x`, of the shape of `out`. The dtypes say how it is computed: int64 exactly, other
   * integers by the function's rule for them, and everything else in floating point, rounded to the dtype of `out`.
   */
  unary(fn: UnaryFunction, x: View, out: View, parameters?: Numbers): void;

  /** The same of two operands that broadcast to the shape of `out`. */
  binary(fn: BinaryFunction, a: View, b: View, out: View, parameters?: Numbers): void;

  /**
   * A reduction of `x` over `dims`; `out` has the other dimensions. Sums and products of integers are int64 and wrap.
   * `argmax` and `argmin` give the first index (int32) along `dims`, counted in their order in memory; NaN wins.
   * `power` is the power of the norm.
   */
  reduce(which: Reduction, x: View, dims: readonly number[], out: View, power?: number): void;

  /**
   * The variances over `dims` (sums of squares around the mean, divided by the number of elements less `correction`),
   * or with `root` their roots; and the means. `out` and `means` have the other dimensions.
   */
  variance(x: View, dims: readonly number[], correction: number, root: boolean, out: View, means: View): void;

  /** `(x - means) * scale`, in the shape of `x`; `means` and `scale` have the dimensions other than `dims`. */
  varianceGradient(x: View, dims: readonly number[], means: View, scale: View, out: View): void;

  /**
   * `a @ b`, plus `bias` added to each row. `a` is `[..., m, k]`, or `[..., k, m]` with `transposeA`; `b` is `[..., k,
   * n]`, or `[..., n, k]` with `transposeB`; leading dimensions broadcast to those of `out`, `[..., m, n]`. All have
   * one dtype; `bias` is contiguous.
   */
  matmul(a: View, transposeA: boolean, b: View, transposeB: boolean, out: View, bias: View | null): void;

  /**
   * The convolution of images `x` `[batch, groups * inputs, h, w]` with kernels `weight`
   * `[groups * outputs, inputs, ...window.kernel]`, plus `bias` `[groups * outputs]`: `out` is
   * `[batch, groups * outputs, ...places]`. All of one dtype, with any strides.
   */
  conv(x: View, weight: View, bias: View | null, geometry: Geometry, out: View): void;

  /** The gradient of `conv` for its images, given the gradient of its result; also a transposed convolution. */
  convInput(g: View, weight: View, geometry: Geometry, out: View): void;

  /** The gradient of `conv` for its kernels, given the gradient of its result: a sum over the batch. */
  convWeight(g: View, x: View, geometry: Geometry, out: View): void;

  /**
   * `exp(x) / sum(exp(x))` along `dim`, or its logarithm, in the shape of `x`. Subtracts the maximum first, so that
   * nothing overflows.
   */
  softmax(kind: SoftmaxKind, x: View, dim: number, out: View): void;

  /** `scale` times the gradient of `softmax`, given the gradient `g` of its result `y`. All have one shape. */
  softmaxGradient(kind: SoftmaxKind, g: View, y: View, dim: number, scale: number, out: View): void;

  /** `log(sum(exp(x)))` over `dims`, without overflow. `out` has the other dimensions. */
  logsumexp(x: View, dims: readonly number[], out: View): void;

  /**
   * Softmax of `scores * scale` `[..., L, S]` over the last dimension. If it is causal, row `i` of each matrix is 0
   * after column `i`.
   */
  attentionWeights(scores: View, scale: number, isCausal: boolean, out: View): void;

  /**
   * `(x - mean) * scale * weight + bias` for each row of `x`, where `scale` is `1 / sqrt(var + eps)`; without
   * `isCentered` the mean counts as 0. `means` and `scales`, which are written too, have one element per row; `weight`
   * and `bias` have one per element of a row.
   */
  normRows(
    x: View,
    weight: View | null,
    bias: View | null,
    eps: number,
    isCentered: boolean,
    out: View,
    means: View,
    scales: View,
  ): void;

  /**
   * The gradients of `normRows` for `x` and, unless their targets are null, weight and bias, given the gradient of its
   * result.
   */
  normRowsGradient(
    g: View,
    x: View,
    weight: View | null,
    means: View,
    scales: View,
    isCentered: boolean,
    out: View,
    ofWeight: View | null,
    ofBias: View | null,
  ): void;

  /**
   * `(x - mean) / sqrt(var + eps) * weight + bias` by groups of channels, with a weight and a bias for each channel.
   * Also writes the means and (biased) variances of the groups.
   */
  normChannels(
    x: View,
    weight: View | null,
    bias: View | null,
    layout: Channels,
    eps: number,
    out: View,
    means: View,
    variances: View,
  ): void;

  /**
   * The gradients of `normChannels` for `x` and, unless their targets are null, weight and bias, given the gradient of
   * its result.
   */
  normChannelsGradient(
    g: View,
    x: View,
    weight: View | null,
    means: View,
    variances: View,
    layout: Channels,
    eps: number,
    out: View,
    ofWeight: View | null,
    ofBias: View | null,
  ): void;

  /** `x * scale + shift` of `x` `[N, C, ...]`; `scale` and `shift` `[C]` have one number for each channel. */
  scaleChannels(x: View, scale: View, shift: View, out: View): void;

  /**
   * For rows of scores `x` `[N, C]`: the softmax `p`, the classes of `target` `[N]` (int32, -1 for `ignoreIndex`) and
   * the loss `-log(p)` of each row's class, 0 if it has no class. The loss is that of each row, `[N]`, or their sum, or
   * their mean over the rows with a class. `target` is within range.
   */
  crossEntropy(
    x: View,
    target: View,
    ignoreIndex: number,
    reduction: LossReduction,
    loss: View,
    p: View,
    classes: View,
  ): void;

  /**
   * The gradient of `crossEntropy` for the scores, given the gradient of the loss and the `p` and `classes` that it
   * wrote.
   */
  crossEntropyGradient(g: View, p: View, classes: View, reduction: LossReduction, out: View): void;

  /**
   * The sum of a loss over the elements of `x` and `y`, which have one shape, divided by `divisor`. `out` has one
   * element.
   */
  pairLoss(name: PairLoss, x: View, y: View, divisor: number, out: View): void;

  /** The gradient of `pairLoss` for `x`, given the gradient of its result. */
  pairLossGradient(name: PairLoss, g: View, x: View, y: View, divisor: number, out: View): void;

  /**
   * The largest element in each position of a window on images `x` `[N, C, h, w]` (NaN wins), and its index among all
   * elements of `x` in `indices` (int32). Where the window misses the image: -Infinity and -1.
   */
  maxPool(x: View, window: Window, out: View, indices: View): void;

  /** Zeros, to which each element of `g` is added at the index that `indices` has for it; -1 is skipped. */
  maxPoolGradient(g: View, indices: View, out: View): void;

  /** The mean of each area of images `x` `[N, C, h, w]`. */
  avgPool(x: View, areas: Areas, out: View): void;

  /** The gradient of `avgPool` for images of the shape of `out`, given the gradient of its result. */
  avgPoolGradient(g: View, areas: Areas, out: View): void;

  /**
   * Resamples `x` `[outer, n, inner]` to `[outer, m, inner]`: each of the m values mixes two of the n, as `taps` says.
   */
  resample(x: View, taps: Taps, out: View): void;

  /** The gradient of `resample`, given the gradient of its result: the transpose of a linear function. */
  resampleGradient(g: View, taps: Taps, out: View): void;

  /** 0 where an element of `draws` is below `p`, `1 / (1 - p)` elsewhere. `out` may be `draws`. */
  dropoutMask(draws: View, p: number, out: View): void;

  /**
   * One step of an optimizer: rewrites `w` and each of `memory` in place, given the gradient `g` and the numbers of the
   * rule. All have one length; `w` and `memory` are contiguous.
   */
  step(rule: StepRule, w: View, g: View, memory: readonly View[], numbers: readonly number[]): void;
}

/** How the losses of single elements are combined. */
export type LossReduction = 'mean' | 'sum' | 'none';

/** `(x - y)²`, and the binary cross entropy of `sigmoid(x)` with `y`. */
export type PairLoss = 'squaredError' | 'logitEntropy';

export type SoftmaxKind = 'softmax' | 'logSoftmax';

export type Reduction = 'sum' | 'mean' | 'prod' | 'amax' | 'amin' | 'argmax' | 'argmin' | 'any' | 'all' | 'norm';

/**
 * How an optimizer updates the elements of a parameter and of its memory, defined once: the host runs the loop, and
 * faster kernels have to do the same.
 */
export interface StepRule {
  /** Names the kernel, where a backend has one. */
  readonly name: string;
  /** Rewrites `w`, and `memory` as it needs to; all arrays are as long as the gradient `g`. */
  readonly loop: (w: TypedArray, g: TypedArray, memory: readonly TypedArray[], numbers: readonly number[]) => void;
}

/**
 * How elements are drawn from a distribution, defined once: the host runs the loop, and every device gives the same
 * numbers for the same generator.
 */
export interface RandomRule {
  /** Names the kernel, where a backend has one. */
  readonly name: string;
  /** Draws all elements of `to`. `parameters` are numbers for all elements, or an array with one for each. */
  readonly loop: (to: TypedArray, generator: Generator, parameters: TypedArray | readonly number[]) => void;
}

/**
 * How a matrix is decomposed, defined once: the host runs the loop, and faster kernels have to do the same. Rules are
 * imported with the functions that use them, so programs without these do not load them.
 */
export interface MatrixRule {
  /** Names the kernel, where a backend has one. */
  readonly name: string;
  /** Which of the results are real also of complex matrices. */
  readonly real?: readonly number[];
  /** Writes all elements of `outs`, given the inputs of one matrix of the batch, row-major; computed in float64. */
  readonly loop: (inputs: readonly Float64Array[], outs: readonly Float64Array[], numbers: readonly number[]) => void;
}

/** A faster kernel, and the calls that it takes. */
export interface Override<K extends (...args: any[]) => void> {
  /** Whether the faster kernel can do this call. */
  accepts(...args: Parameters<K>): boolean;
  /** The faster kernel. */
  readonly run: K;
}

/** A whole table of kernels: those of `faster` for the calls that they accept, those of `base` for the others. */
export function overlay(base: Kernels, faster: { readonly [K in keyof Kernels]?: Override<Kernels[K]> }): Kernels {
  for (const [name, value] of Object.entries({ base, faster }))
    if (typeof value !== 'object' || value === null)
      throw new TypeError(`overlay: ${name} must be an object of kernels`);
  const table = { ...base } as Record<string, (...args: any[]) => void>;
  for (const [name, override] of Object.entries(faster)) {
    const otherwise = table[name];
    if (otherwise === undefined) throw new TypeError(`overlay: there is no kernel ${name}`);
    const { accepts, run } = (override ?? {}) as Override<(...args: any[]) => void>;
    if (typeof accepts !== 'function' || typeof run !== 'function')
      throw new TypeError(`overlay: ${name} must have the functions accepts and run`);
    table[name] = (...args) => (accepts(...args) ? run(...args) : otherwise(...args));
  }
  return table as unknown as Kernels;
}
