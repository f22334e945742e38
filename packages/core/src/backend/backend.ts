import type { Bits } from '../memory/coding.js';
import type { DType, TypedArray } from '../memory/dtype.js';
import type { Shape } from '../memory/shape.js';
import type { Storage } from '../memory/storage.js';
import type { Generator } from '../tensor/random.js';
import type { Channels } from './channels.js';
import type { Geometry, Window } from './convolution.js';
import type { BinaryFunction, Parameters as Numbers, UnaryFunction } from './functions.js';
import type { Areas } from './pooling.js';
import type { Taps } from './resampling.js';

/** What a kernel sees of a tensor. A `Tensor` is one. */
export interface View {
  readonly storage: Storage;
  readonly dtype: DType;
  readonly shape: Shape;
  /** How many elements there are. */
  readonly numel: number;
  /** How far neighbours along each dimension are apart, in elements; 0 where one element is repeated. */
  readonly strides: readonly number[];
  /** The first element's place in the storage. */
  readonly offset: number;
  readonly isContiguous: boolean;
}

/**
 * The kernels of a backend. Operators have checked shapes and dtypes and have allocated `out`, which is
 * contiguous and covers its storage; a kernel writes all of it.
 */
export interface Kernels {
  /**
   * Writes the elements of `x` to those of `out`, of the same shape, and converts them to the dtype of `out`. Both may have
   * any strides, and may lie in one storage and overlap; `out` may be a part of its storage, and has no element twice.
   */
  copy(x: View, out: View): void;

  /** Writes `value`, converted to the dtype of `out`, to all elements of the storage of `out`. */
  fill(value: number | boolean, out: View): void;

  /**
   * The elements of `a` where the bool `condition` holds, those of `b` elsewhere. All three broadcast to the shape of
   * `out`, and `a` and `b` are converted to its dtype.
   */
  where(condition: View, a: View, b: View, out: View): void;

  /**
   * Throws what `refuse` makes of the first element of `x` that is not from `least` to `most`, both included, nor equal to
   * `except`; NaN is not.
   * A device that is not read at once does nothing, and lets its other kernels stay within bounds.
   */
  checkRange(x: View, least: number, most: number, refuse: (value: number) => Error, except?: number): void;

  /**
   * The elements of `x` that `index` names along dimension `dim`: `out[i][j] = x[index[i][j]][j]` for dimension 0. `index`,
   * of any integer dtype, has the shape of `out`, the rank of `x` and no larger sizes beside `dim`. It has been checked;
   * below 0 it counts from the end.
   */
  gather(x: View, dim: number, index: View, out: View): void;

  /**
   * Writes the elements of `src`, of the shape and rank that `gather` asks of `index`, to where they name elements of `out`:
   * in place of those ('set': of several the last one), or added to them (in bool: or), or where they are larger or smaller,
   * NaN above all. `out` holds values before. `src` has the dtype of `out`.
   */
  scatter(reduce: 'set' | 'add' | 'amax' | 'amin', dim: number, index: View, src: View, out: View): void;

  /** The slices of `x` along `dim` that the vector `index` names: integers as `gather` takes them. */
  indexSelect(x: View, dim: number, index: View, out: View): void;

  /** Adds the slices of `src` along `dim` to those of `out` that the vector `index` names; they may repeat. */
  indexAdd(dim: number, index: View, src: View, out: View): void;

  /**
   * The places in the flattened tensor of `shape` of what `lists` name, for each dimension integers as `gather` takes them, or
   * null for all of it. The lists are of one shape. It stands in the shape of `out` (int32) in front of dimension `lead` of
   * those that are taken whole.
   */
  ravelIndex(lists: readonly (View | null)[], shape: Shape, lead: number, out: View): void;

  /**
   * Where along `dim` the elements of `x` would be taken from to be in order: int32. Equal ones keep their order; NaN counts
   * as the largest.
   */
  argsort(x: View, dim: number, descending: boolean, out: View): void;

  /**
   * Where along `dim` the most frequent element of `x` is the last time, of equally frequent ones the smallest: int32, with
   * a size of 1 along `dim`.
   */
  mode(x: View, dim: number, out: View): void;

  /**
   * Running sums, products, or logarithms of sums of exponentials along `dim`, of integers and bool as int64; or where the
   * largest or smallest element so far is, the last of equal ones and NaN above all: int32.
   */
  scan(which: 'sum' | 'prod' | 'logsumexp' | 'argmax' | 'argmin', x: View, dim: number, out: View): void;

  /**
   * Where `values` would go to keep the lines of `sorted`, along its last dimension, in rising order: in front of equal
   * elements or `right` of them, NaN last; int32. `sorted` is one line, or has the leading dimensions of `values`.
   */
  searchsorted(sorted: View, values: View, right: boolean, out: View): void;

  /** Whether each element of `x` is among `values`, or is not: bool. */
  isin(x: View, values: View, invert: boolean, out: View): void;

  /** How many elements lie in each of the parts of [low, high], as many as `out` has elements. */
  histogram(x: View, low: number, high: number, out: View): void;

  /**
   * The `X` of `A X = B`: `a` is `[..., n, n]`, `b` and `out` are `[..., n, k]`. Throws what `singular` gives where there is
   * none; a device that is not read at once gives numbers that are not finite.
   */
  solve(a: View, b: View, out: View, singular: () => Error): void;

  /** The determinants of `[..., n, n]`. */
  det(a: View, out: View): void;

  /** Their signs, and the logarithms of their sizes. */
  slogdet(a: View, sign: View, logabsdet: View): void;

  /** The lower triangular `L` with `L L^T = A`. Throws what `refuse` gives for what is not positive definite, as `solve` does. */
  cholesky(a: View, out: View, refuse: () => Error): void;

  /**
   * Decomposes matrices by `rule`, one of a batch after another: the leading dimensions of all views, which are one batch,
   * are those before the last two of the first.
   */
  matrices(rule: MatrixRule, inputs: readonly View[], outs: readonly View[], numbers: readonly number[]): void;

  /**
   * Fills `out` with what `rule` draws, one element after another, from the `parameters` of all of them or, in a view of
   * the shape of `out`, of each.
   */
  random(rule: RandomRule, generator: Generator, parameters: View | readonly number[], out: View): void;

  /**
   * An elementwise function of `x`, of the shape of `out`. The dtypes tell how it is computed: int64 exactly, other
   * integers by the function's rule for them, all else as numbers that are rounded to the dtype of `out`.
   */
  unary(fn: UnaryFunction, x: View, out: View, parameters?: Numbers): void;

  /** The same of two operands that broadcast to the shape of `out`. */
  binary(fn: BinaryFunction, a: View, b: View, out: View, parameters?: Numbers): void;

  /**
   * A reduction of `x` over `dims`, in any order; `out` has the other dimensions. Of integers, sums and products are int64
   * and wrap. `argmax` and `argmin` give the first place (int32) along `dims`, taken in their order in memory; of NaN there
   * is none larger or smaller. `power` is that of a norm.
   */
  reduce(which: Reduction, x: View, dims: readonly number[], out: View, power?: number): void;

  /**
   * The sums of squares around the means over `dims`, divided by how many elements there are less `correction`, or the
   * roots of that; and the means. `out` and `means` have the other dimensions.
   */
  variance(x: View, dims: readonly number[], correction: number, root: boolean, out: View, means: View): void;

  /** `(x - means) * scale`, in the shape of `x`; `means` and `scale` have the dimensions beside `dims`. */
  varianceGradient(x: View, dims: readonly number[], means: View, scale: View, out: View): void;

  /**
   * `a @ b`, plus `bias` added to each row: `a` is `[..., m, k]`, or `[..., k, m]` with `transposeA`; `b` alike is
   * `[..., k, n]`; leading dimensions broadcast to those of `out`, `[..., m, n]`. All of one dtype;
   * `bias` is contiguous.
   */
  matmul(a: View, transposeA: boolean, b: View, transposeB: boolean, out: View, bias: View | null): void;

  /**
   * The convolution of images `x` `[batch, groups * inputs, h, w]` with kernels `weight`
   * `[groups * outputs, inputs, ...window.kernel]`, plus `bias` `[groups * outputs]`: `out` is
   * `[batch, groups * outputs, ...places]`. All of one dtype, with any strides.
   */
  conv(x: View, weight: View, bias: View | null, geometry: Geometry, out: View): void;

  /** The gradient of `conv` for its images, given that of its result; also a transposed convolution. */
  convInput(g: View, weight: View, geometry: Geometry, out: View): void;

  /** The gradient of `conv` for its kernels, given that of its result: added up over the batch. */
  convWeight(g: View, x: View, geometry: Geometry, out: View): void;

  /** `exp(x) / sum(exp(x))` along `dim`, or its logarithm, in the shape of `x`. `x` is shifted so that nothing overflows. */
  softmax(kind: SoftmaxKind, x: View, dim: number, out: View): void;

  /** `scale` times the gradient of `softmax`, given that of its result `y`. All are of one shape. */
  softmaxGradient(kind: SoftmaxKind, g: View, y: View, dim: number, scale: number, out: View): void;

  /** `log(sum(exp(x)))` over `dims`, without overflow. `out` has the other dimensions. */
  logsumexp(x: View, dims: readonly number[], out: View): void;

  /**
   * Softmax of `scores * scale` `[..., L, S]` over the last dimension; if it is causal, of row `i` of each matrix over its
   * columns up to `i`, and 0 behind them.
   */
  attentionWeights(scores: View, scale: number, isCausal: boolean, out: View): void;

  /**
   * `(x - mean) * scale * weight + bias` for each row of `x`, where `scale` is `1 / sqrt(var + eps)`, and without `isCentered`
   * the mean is taken as 0. There are as many rows as `means` and `scales` have elements, and these are written too; `weight`
   * and `bias` have one element for each place of a row.
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

  /** The gradients of `normRows` for `x` and, unless they are null, for weight and bias, given that of its result. */
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
   * `(x - mean) / sqrt(var + eps) * weight + bias` by groups of channels, with a weight and a bias for each channel. The
   * means and (biased) variances of the groups are written too.
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

  /** The gradients of `normChannels` for `x` and, unless they are null, for weight and bias, given that of its result. */
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

  /** `x * scale + shift` of `x` `[N, C, ...]`, with one number of each for a channel, `[C]`. */
  scaleChannels(x: View, scale: View, shift: View, out: View): void;

  /**
   * Of rows of scores `x` `[N, C]` the softmax `p`, the classes that `target` `[N]` names (int32, -1 for `ignoreIndex`) and the
   * loss, `-log(p)` of the row's class: that of each row, `[N]`, 0 where it has no class, or their sum, or the mean of those
   * that have one. `target` is within range.
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

  /** The gradient of `crossEntropy` for the scores, given that of the loss and what it wrote to `p` and `classes`. */
  crossEntropyGradient(g: View, p: View, classes: View, reduction: LossReduction, out: View): void;

  /** The sum of a loss of the elements of `x` and `y`, which have one shape, over `divisor`. `out` has one element. */
  pairLoss(name: PairLoss, x: View, y: View, divisor: number, out: View): void;

  /** The gradient of `pairLoss` for `x`, given that of its result. */
  pairLossGradient(name: PairLoss, g: View, x: View, y: View, divisor: number, out: View): void;

  /**
   * The largest element of each place of a window on images `x` `[N, C, h, w]`, NaN before all others, and in `places`
   * (int32) where among all elements of `x` it stands; -Infinity, at -1, where the window misses the image.
   */
  maxPool(x: View, window: Window, out: View, indices: View): void;

  /** Each element of `g` added to the element of `out` that `places` tells, which are 0 otherwise; -1 tells of none. */
  maxPoolGradient(g: View, indices: View, out: View): void;

  /** The mean of each area of images `x` `[N, C, h, w]`. Nothing beyond the areas is read. */
  avgPool(x: View, areas: Areas, out: View): void;

  /** The gradient of `avgPool` for images of the shape of `out`, given that of its result. */
  avgPoolGradient(g: View, areas: Areas, out: View): void;

  /** `x` `[outer, n, inner]` to `[outer, m, inner]`: each of m is two of n values, mixed as `taps` says. */
  resample(x: View, taps: Taps, out: View): void;

  /** The gradient of `resample`, given that of its result: also the transpose of a linear function. */
  resampleGradient(g: View, taps: Taps, out: View): void;

  /** 0 where an element of `draws` is below `p`, `1 / (1 - p)` elsewhere. Both may be the same. */
  dropoutMask(draws: View, p: number, out: View): void;

  /**
   * One step of an optimizer: rewrites `w` and each of `memory` in place, given the gradient `g` and the rule's numbers.
   * All are of one length; `w` and `memory` are contiguous.
   */
  step(rule: StepRule, w: View, g: View, memory: readonly View[], numbers: readonly number[]): void;
}

/** What becomes of the losses of single elements. */
export type LossReduction = 'mean' | 'sum' | 'none';

/** `(x - y)²`, and the binary cross entropy of `sigmoid(x)` with `y`. */
export type PairLoss = 'squaredError' | 'logitEntropy';

export type SoftmaxKind = 'softmax' | 'logSoftmax';

export type Reduction = 'sum' | 'mean' | 'prod' | 'amax' | 'amin' | 'argmax' | 'argmin' | 'any' | 'all' | 'norm';

/**
 * How an optimizer rewrites the elements of a parameter and what it remembers of them, defined once: the loop is what the
 * host runs, and what faster kernels have to follow.
 */
export interface StepRule {
  /** Names the kernel, where a backend has one. */
  readonly name: string;
  /** Rewrites `w`, and `memory` as it needs to; all arrays are as long as the gradient `g`. */
  readonly loop: (w: TypedArray, g: TypedArray, memory: readonly TypedArray[], numbers: readonly number[]) => void;
}

/**
 * How elements are drawn from a distribution, defined once: the loop is what the host runs, and for the same generator each
 * device gives the same numbers.
 */
export interface RandomRule {
  /** Names the kernel, where a backend has one. */
  readonly name: string;
  /** Draws all elements of `to`. The parameters are those of all elements, or one for each. */
  readonly loop: (to: TypedArray, generator: Generator, parameters: TypedArray | readonly number[]) => void;
}

/**
 * How a matrix is decomposed, defined once: the loop is what the host runs, and what faster kernels have to follow. Rules are
 * imported with the functions that use them, so that a program without these does not carry them.
 */
export interface MatrixRule {
  /** Names the kernel, where a backend has one. */
  readonly name: string;
  /** Writes all elements of `outs`, given the inputs of one matrix of the batch, row by row; computed in float64. */
  readonly loop: (inputs: readonly Float64Array[], outs: readonly Float64Array[], numbers: readonly number[]) => void;
}

/** Memory of one kind, and what computes on it. */
export interface Backend {
  /** The device's name, such as `'cpu'`. */
  readonly name: string;
  /** Memory for `length` elements: zeros, or anything where all of it will be written. */
  allocate(dtype: DType, length: number, fill: 'zeros' | 'uninitialized'): Storage;
  /**
   * What a storage holds, in host memory: the array itself on the host, a copy elsewhere. Of a dtype with a coding it is
   * what is stored, such as a BigInt64Array for int64. A device that cannot be read at once throws by `refuseRead`, which
   * names the operator `op` and says what to do.
   */
  read(storage: Storage, op?: string): TypedArray | Bits;
  /** Set where `read` always throws: what would look at values to choose a faster way takes the general one. */
  readonly isAsync?: boolean;
  /** The same where reading takes a while. */
  readAsync(storage: Storage): Promise<TypedArray | Bits>;
  /** Writes elements, as `read` gives them, from `offset` on. */
  write(storage: Storage, values: TypedArray | Bits, offset?: number): void;
  /** What operators call. `overlay` makes a table with some kernels replaced. */
  kernels: Kernels;
  /** Memory that is given back by hand, where there is such. */
  readonly memory?: ManagedMemory;
}

/**
 * Memory that is given back as soon as somebody knows that nobody reads it any more, rather than when the garbage collector
 * finds that out: the engine knows of what a backward pass makes.
 */
export interface ManagedMemory {
  /** Whether a storage was made by a rule of a backward pass, and is freed by it. */
  isTemporary(storage: Storage): boolean;
  /** Nobody reads it any more. */
  free(storage: Storage): void;
  /** Whether a storage was made in the flow of a `tidy`, which gives it back. */
  isScoped(storage: Storage): boolean;
  /** Nobody may read it any more, wherever it is: a kernel or a read that gets it refuses. */
  forget(storage: Storage): void;
  /** User code may keep it from now on: it is left to the garbage collector. */
  keep(storage: Storage): void;
  /** It is used often and for long, as parameters are: moves it to where kernels work best. */
  pin(storage: Storage): void;
  /** Makes a temporary that nobody else holds the gradient of a leaf on `owner`; gives whether it stays managed with it. */
  adopt(owner: Storage, gradient: Storage): boolean;
  /** The gradient that was adopted is no longer the leaf's. */
  disown(owner: Storage): void;
}

/** A faster kernel, and which calls it takes. */
export interface Override<K extends (...args: any[]) => void> {
  accepts(...args: Parameters<K>): boolean;
  readonly run: K;
}

/** A whole table of kernels: those of `faster` for the calls that they accept, else those of `base`. */
export function overlay(base: Kernels, faster: { readonly [K in keyof Kernels]?: Override<Kernels[K]> }): Kernels {
  for (const [name, value] of Object.entries({ base, faster }))
    if (typeof value !== 'object' || value === null) throw new TypeError(`overlay: ${name} is an object of kernels`);
  const table = { ...base } as Record<string, (...args: any[]) => void>;
  for (const [name, override] of Object.entries(faster)) {
    const { accepts, run } = override as Override<(...args: any[]) => void>;
    const otherwise = table[name];
    if (otherwise === undefined) throw new TypeError(`overlay: there is no kernel ${name}`);
    table[name] = (...args) => (accepts(...args) ? run(...args) : otherwise(...args));
  }
  return table as unknown as Kernels;
}
