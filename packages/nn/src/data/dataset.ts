import { type Generator, Tensor } from '@gradgate/core';
import { check, checkOptions, is, show } from '@gradgate/core/internal';
import { typedArray } from '../plain.js';
import { isThenable } from '../promise.js';
import { type Labels, labelsOf } from './labels.js';
import { shuffled } from './shuffled.js';

/** A dataset with access by index. `length` may grow: an epoch has the samples that exist when it starts. */
export interface Dataset<T> {
  /** The number of samples. */
  readonly length: number;
  /** Returns the sample at `index`, or a promise of it. */
  get(index: number): T | Promise<T>;
  /** Returns several samples at once, if that is cheaper than one by one. */
  getMany?(indices: readonly number[]): Promise<T[]>;
}

/** A stream of samples, of unknown length. */
export type IterableDataset<T> = Iterable<T> | AsyncIterable<T>;

/** Values accepted as a dataset: also arrays and typed arrays, by their items, and a tensor, by its first dimension. */
export type DatasetLike<T> = Dataset<T> | readonly T[] | ArrayLike<T> | (T extends Tensor ? Tensor : never);

/** @internal Converts a value to a dataset; null for streams. */
export function asDataset<T>(op: string, source: unknown): Dataset<T> | null {
  if (Tensor.is(source)) {
    if (source.ndim === 0) throw new TypeError(`${op}: a tensor without dimensions has no samples`);
    return { length: source.shape[0]!, get: (i) => source.select(0, i) as T };
  }
  if (Array.isArray(source) || typedArray(source)) return new ArrayDataset(op, source as ArrayLike<T>);
  if ((typeof source !== 'object' && typeof source !== 'function') || source === null) return refuseDataset(op, source);
  const { get, length } = source as Partial<Dataset<T>>;
  if (typeof get === 'function' && length !== undefined) {
    check(op, "the dataset's length", length, is.size);
    return source as Dataset<T>;
  }
  return Symbol.iterator in source || Symbol.asyncIterator in source ? null : refuseDataset(op, source);
}

const refuseDataset = (op: string, source: unknown, or = ', an array or a stream'): never => {
  throw new TypeError(`${op}: takes a dataset with length and get()${or}, got ${show(source)}`);
};

/** @internal The same, but throws for streams. */
export const asMapped = <T>(op: string, source: unknown): Dataset<T> =>
  asDataset<T>(op, source) ?? refuseDataset(op, source, ' or an array, as it needs access by index');

/** A dataset over an array, which may grow. */
class ArrayDataset<T> implements Dataset<T> {
  constructor(
    private readonly op: string,
    private readonly items: ArrayLike<T>,
  ) {}

  get length(): number {
    return this.items.length;
  }

  get(index: number): T {
    checkIndex(this.op, index, this.length);
    return this.items[index]!;
  }
}

/** @internal Throws unless `index` is that of one of `length` samples. */
export function checkIndex(what: string, index: number, length: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= length)
    throw new RangeError(`${what}: sample ${show(index)} is out of range; there are ${length}`);
}

/**
 * A dataset of tensors with equal first dimensions: sample `i` is the array of slices `i` of each.
 *
 * ```ts
 * const dataset = new data.TensorDataset(tensor([[1], [2]]), tensor([10, 20]));
 * dataset.get(1); // [[2], 20]
 * ```
 */
export class TensorDataset<const T extends readonly Tensor[]> implements Dataset<{ [K in keyof T]: Tensor }> {
  /** The tensors, with one sample for each index of their first dimension. */
  readonly tensors: T;
  readonly length: number;

  constructor(...tensors: T) {
    if (tensors.length === 0 || tensors.some((t) => !Tensor.is(t) || t.ndim === 0))
      throw new TypeError(
        `TensorDataset: takes at least one tensor, each with at least one dimension, got ${show(tensors)}`,
      );
    const sizes = tensors.map((t) => t.shape[0]!);
    if (sizes.some((n) => n !== sizes[0]))
      throw new TypeError(`TensorDataset: all tensors must have the same first dimension, got ${show(sizes)}`);
    this.tensors = tensors;
    this.length = sizes[0]!;
  }

  get(index: number): { [K in keyof T]: Tensor } {
    checkIndex('TensorDataset', index, this.length);
    return this.tensors.map((t) => t.select(0, index)) as never;
  }
}

/** @internal Loads several samples of a dataset. Errors that `get` throws reject the promise. */
export async function loadMany<T>(op: string, dataset: Dataset<T>, indices: readonly number[]): Promise<T[]> {
  if (!dataset.getMany) return Promise.all(indices.map(async (i) => dataset.get(i)));
  const samples = await dataset.getMany(indices);
  if (!Array.isArray(samples) || samples.length !== indices.length)
    throw new TypeError(
      `${op}: the dataset's getMany() returned ${show(samples)} for ${indices.length} samples; it must return an array of as many`,
    );
  return samples;
}

/**
 * A dataset whose samples are `fn` of the samples of another one. `fn` may be asynchronous.
 *
 * ```ts
 * new data.MapDataset([1, 2, 3], (x: number) => 10 * x).get(1); // 20
 * ```
 */
export class MapDataset<T, U> implements Dataset<U> {
  /** The dataset that samples come from. */
  readonly source: Dataset<T>;
  /** What is applied to each sample. */
  readonly fn: (sample: T) => U | Promise<U>;
  /** Defined if the source defines it. */
  readonly getMany?: (indices: readonly number[]) => Promise<U[]>;

  constructor(source: DatasetLike<T>, fn: (sample: T) => U | Promise<U>) {
    this.source = asMapped('MapDataset', source);
    check('MapDataset', 'fn', fn, is.callback);
    this.fn = fn;
    if (this.source.getMany)
      this.getMany = async (indices) => {
        const samples = await loadMany('MapDataset', this.source, indices);
        return withStateOf(samples, await Promise.all(samples.map(this.fn)));
      };
  }

  get length(): number {
    return this.source.length;
  }

  get(index: number): U | Promise<U> {
    const sample = this.source.get(index);
    return isThenable(sample) ? Promise.resolve(sample).then(this.fn) : this.fn(sample);
  }
}

/**
 * The samples of another dataset at `indices`, in that order.
 *
 * ```ts
 * new data.Subset([10, 20, 30], [2, 0]).get(0); // 30
 * ```
 */
export class Subset<T> implements Dataset<T> {
  /** The dataset that it is a part of. */
  readonly dataset: Dataset<T>;
  /** Defined if the dataset defines it. */
  readonly getMany?: (indices: readonly number[]) => Promise<T[]>;

  constructor(
    dataset: DatasetLike<T>,
    /** The indices of its samples in `dataset`. */
    readonly indices: readonly number[],
  ) {
    this.dataset = asMapped('Subset', dataset);
    check('Subset', 'indices', indices, is.iterable);
    for (const i of indices) checkIndex('Subset', i, this.dataset.length);
    if (this.dataset.getMany)
      this.getMany = (numbers) =>
        loadMany(
          'Subset',
          this.dataset,
          numbers.map((i) => this.at(i)),
        );
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number): T | Promise<T> {
    return this.dataset.get(this.at(index));
  }

  private at(index: number): number {
    checkIndex('Subset', index, this.length);
    return this.indices[index]!;
  }
}

/**
 * Datasets concatenated.
 *
 * ```ts
 * new data.ConcatDataset([1, 2], [3]).get(2); // 3
 * ```
 */
export class ConcatDataset<T> implements Dataset<T> {
  /** The datasets, in order. */
  readonly datasets: readonly Dataset<T>[];

  constructor(...datasets: readonly DatasetLike<T>[]) {
    this.datasets = datasets.map((d) => asMapped('ConcatDataset', d));
  }

  get length(): number {
    return this.datasets.reduce((n, d) => n + d.length, 0);
  }

  get(index: number): T | Promise<T> {
    checkIndex('ConcatDataset', index, this.length);
    let i = index;
    for (const dataset of this.datasets) {
      if (i < dataset.length) return dataset.get(i);
      i -= dataset.length;
    }
    throw new Error('unreachable');
  }
}

/**
 * Splits a dataset into disjoint random subsets, of the given lengths, or of fractions that add up to 1; samples left
 * over by rounding go to the first subsets, one each. Option: `generator`.
 *
 * ```ts
 * const [train, valid] = data.randomSplit([10, 20, 30, 40], [0.75, 0.25]);
 * train!.length; // 3
 * ```
 */
export function randomSplit<T>(
  source: DatasetLike<T>,
  lengths: readonly number[],
  options: { generator?: Generator } = {},
): Subset<T>[] {
  const dataset = asMapped<T>('randomSplit', source);
  check('randomSplit', 'lengths', lengths, is.arrayOf(is.nonNegative));
  const { generator } = checkOptions('randomSplit', options, { generator: is.generator });
  const n = dataset.length;
  const total = lengths.reduce((a, b) => a + b, 0);
  let sizes = lengths;
  if (Math.abs(total - 1) < 1e-9 && lengths.every((v) => v >= 0 && v <= 1)) {
    const floors = lengths.map((v) => Math.floor(n * v + 1e-9));
    const left = n - floors.reduce((a, b) => a + b, 0);
    sizes = floors.map((v, i) => v + (i < left ? 1 : 0));
  } else if (total !== n || !lengths.every((v) => Number.isInteger(v) && v >= 0))
    throw new RangeError(
      `randomSplit: lengths must be fractions that add up to 1 or counts that add up to ${n}, got ${show(lengths)}`,
    );
  const order = shuffled(n, generator);
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return new Subset(dataset, order.slice(at - size, at));
  });
}

/** A fold of cross-validation. */
export interface Fold<T> {
  /** The samples to train on. */
  train: Subset<T>;
  /** The samples to test on. */
  test: Subset<T>;
}

/**
 * Splits a dataset for cross-validation, `k` times: each sample is in one test set. With `labels`, one for each sample,
 * the test sets have equal shares of every class (stratified). Option: `generator`.
 *
 * ```ts
 * for (const { train, test } of data.kFold([10, 20, 30, 40], 2)) test.length; // 2
 * ```
 */
export function kFold<T>(
  source: DatasetLike<T>,
  k: number,
  options: { generator?: Generator; labels?: Labels } = {},
): Fold<T>[] {
  const dataset = asMapped<T>('kFold', source);
  const { generator, labels } = checkOptions('kFold', options, { generator: is.generator, labels: is.object });
  const n = dataset.length;
  if (!Number.isInteger(k) || k < 2 || k > n)
    throw new RangeError(`kFold: k must be a whole number from 2 to the number of samples, ${n}; got ${show(k)}`);
  const classes = labels && labelsOf('kFold', labels, n);
  let order = shuffled(n, generator);
  // Sorted by class, samples are dealt to the folds in turn.
  if (classes) order = [...order].sort((a, b) => Number(classes[a]! > classes[b]!) - Number(classes[a]! < classes[b]!));
  return Array.from({ length: k }, (_, fold) => ({
    train: new Subset(
      dataset,
      order.filter((_, i) => i % k !== fold),
    ),
    test: new Subset(
      dataset,
      order.filter((_, i) => i % k === fold),
    ),
  }));
}

const states = new WeakMap<object, () => object>();

/**
 * @internal Attaches to samples a function that returns the dataset's state after their use; to be called in the order
 * of use.
 */
export function noteState<T extends object>(samples: T, state: () => object): T {
  states.set(samples, state);
  return samples;
}

/** @internal The function attached to these samples, if there is one. */
export const notedState = (samples: object): (() => object) | undefined => states.get(samples);

/** Copies the attached function to samples that were made from others. */
function withStateOf<T extends object>(from: object, to: T): T {
  const state = states.get(from);
  return state ? noteState(to, state) : to;
}
