import { defaultGenerator, type Generator, type Tensor } from '@gradgate/core';

/** Samples by number. `get` may be asynchronous. */
export interface Dataset<T> {
  readonly length: number;
  get(index: number): T | Promise<T>;
  /** Several samples at once, where that is cheaper than one by one. */
  getMany?(indices: readonly number[]): Promise<T[]>;
}

/** Samples one after another, from a stream of unknown length. */
export type IterableDataset<T> = Iterable<T> | AsyncIterable<T>;

function checkIndex(what: string, index: number, length: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= length)
    throw new RangeError(`${what}: sample ${index} is out of range; there are ${length}`);
}

/** Sample i is slice i of each tensor; all have as many. */
export class TensorDataset<const T extends readonly Tensor[]> implements Dataset<{ [K in keyof T]: Tensor }> {
  readonly tensors: T;
  readonly length: number;

  constructor(...tensors: T) {
    if (tensors.length === 0 || tensors.some((t) => t.ndim === 0))
      throw new TypeError('TensorDataset: takes at least one tensor, and none without dimensions');
    const sizes = tensors.map((t) => t.shape[0]!);
    if (sizes.some((n) => n !== sizes[0]))
      throw new TypeError(`TensorDataset: tensors of ${sizes.join(', ')} samples; all must have as many`);
    this.tensors = tensors;
    this.length = sizes[0]!;
  }

  get(index: number): { [K in keyof T]: Tensor } {
    checkIndex('TensorDataset', index, this.length);
    return this.tensors.map((t) => t.select(0, index)) as never;
  }
}

/** A dataset whose samples are computed by a function. */
export class MapDataset<T, U> implements Dataset<U | Promise<U>> {
  constructor(
    readonly source: Dataset<T>,
    readonly fn: (sample: T) => U,
  ) {}

  get length(): number {
    return this.source.length;
  }

  get(index: number): U | Promise<U> {
    const sample = this.source.get(index);
    return sample instanceof Promise ? sample.then(this.fn) : this.fn(sample);
  }
}

/** The samples of another dataset that `indices` name, in that order. */
export class Subset<T> implements Dataset<T> {
  constructor(
    readonly dataset: Dataset<T>,
    readonly indices: readonly number[],
  ) {
    for (const i of indices) checkIndex('Subset', i, dataset.length);
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number): T | Promise<T> {
    checkIndex('Subset', index, this.length);
    return this.dataset.get(this.indices[index]!);
  }
}

/** Datasets one after another. */
export class ConcatDataset<T> implements Dataset<T> {
  readonly datasets: readonly Dataset<T>[];

  constructor(...datasets: readonly Dataset<T>[]) {
    this.datasets = datasets;
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

/** The whole numbers from 0 to n - 1 in random order. */
export function shuffled(n: number, generator: Generator = defaultGenerator): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = generator.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/**
 * Disjoint random parts of a dataset: of these lengths, or, if they are fractions that add up to 1, of these shares; what
 * rounding leaves over goes to the first parts, one each.
 */
export function randomSplit<T>(
  dataset: Dataset<T>,
  lengths: readonly number[],
  { generator }: { generator?: Generator } = {},
): Subset<T>[] {
  const n = dataset.length;
  const total = lengths.reduce((a, b) => a + b, 0);
  let sizes = lengths;
  if (Math.abs(total - 1) < 1e-9 && lengths.every((v) => v >= 0 && v <= 1)) {
    const floors = lengths.map((v) => Math.floor(n * v + 1e-9));
    const left = n - floors.reduce((a, b) => a + b, 0);
    sizes = floors.map((v, i) => v + (i < left ? 1 : 0));
  } else if (total !== n || !lengths.every((v) => Number.isInteger(v) && v >= 0))
    throw new RangeError(
      `randomSplit: lengths ${lengths.join(', ')} are neither shares that add up to 1 nor counts that add up to ${n}`,
    );
  const order = shuffled(n, generator);
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return new Subset(dataset, order.slice(at - size, at));
  });
}

/** One fold of a cross validation. */
export interface Fold<T> {
  train: Subset<T>;
  test: Subset<T>;
}

/**
 * `k` splits for cross validation: each sample is tested once. With `labels`, each fold has its share of every class
 * (stratified).
 */
export function kFold<T>(
  dataset: Dataset<T>,
  k: number,
  { generator, labels }: { generator?: Generator; labels?: ArrayLike<number> } = {},
): Fold<T>[] {
  const n = dataset.length;
  if (!Number.isInteger(k) || k < 2 || k > n)
    throw new RangeError(`kFold: k is a whole number from 2 to the ${n} samples, got ${k}`);
  if (labels && labels.length !== n) throw new RangeError(`kFold: ${labels.length} labels for ${n} samples`);
  let order = shuffled(n, generator);
  // Dealt out one by one, class after class.
  if (labels) order = [...order].sort((a, b) => labels[a]! - labels[b]!);
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
