import type { DType, TypedArray } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Geometry } from './convolution.js';
import type { Storage } from './storage.js';

/** What a kernel sees of a tensor. A `Tensor` is one. */
export interface View {
  readonly storage: Storage;
  readonly dtype: DType;
  readonly shape: Shape;
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
   * One step of an optimizer: rewrites `w` and each of `memory` in place, given the gradient `g` and the rule's numbers.
   * All are of one length; `w` and `memory` are contiguous.
   */
  step(rule: StepRule, w: View, g: View, memory: readonly View[], numbers: readonly number[]): void;
}

export type SoftmaxKind = 'softmax' | 'logSoftmax';

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

/** Memory of one kind, and what computes on it. */
export interface Backend {
  /** The device's name, such as `'cpu'`. */
  readonly name: string;
  /** Memory for `length` elements: zeros, or anything where all of it will be written. */
  allocate(dtype: DType, length: number, fill: 'zeros' | 'uninitialized'): Storage;
  /**
   * The elements of a storage in host memory: the array itself on the host, a copy elsewhere. A device that cannot be
   * read at once throws, and says so.
   */
  read(storage: Storage): TypedArray;
  /** The same where reading takes a while. */
  readAsync(storage: Storage): Promise<TypedArray>;
  /** Writes elements from `offset` on. */
  write(storage: Storage, values: TypedArray, offset?: number): void;
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
  const table = { ...base } as Record<string, (...args: any[]) => void>;
  for (const [name, override] of Object.entries(faster)) {
    const { accepts, run } = override as Override<(...args: any[]) => void>;
    const otherwise = table[name];
    if (otherwise === undefined) throw new TypeError(`overlay: there is no kernel ${name}`);
    table[name] = (...args) => (accepts(...args) ? run(...args) : otherwise(...args));
  }
  return table as unknown as Kernels;
}
