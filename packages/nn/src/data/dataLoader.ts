import type { Generator } from '@gradgate/core';
import { type Collated, defaultCollate } from './collate.js';
import type { Dataset, IterableDataset } from './dataset.js';
import { BatchSampler, RandomSampler, type Sampler, SequentialSampler } from './sampler.js';

export interface DataLoaderOptions<T, B> {
  /** Samples in a batch; 1 by default. */
  batchSize?: number;
  /** Go through the samples in a new random order each time. */
  shuffle?: boolean;
  /** Where the order comes from: with a generator of your own it can be repeated. */
  generator?: Generator;
  /** Leave out a last batch that is not full. */
  dropLast?: boolean;
  /** The order of samples, in place of `shuffle`. */
  sampler?: Sampler;
  /** The batches' sample numbers, in place of all of the above. */
  batchSampler?: Iterable<readonly number[]> & { readonly length?: number };
  /** Makes a batch of samples; `defaultCollate` by default. */
  collate?: (samples: T[]) => B;
  /** With `for await`: how many batches are asked for ahead of the one in use; 2 by default. */
  prefetch?: number;
}

type Batches = Iterable<readonly number[]> & { readonly length?: number };

/**
 * Goes through a dataset in batches: `for (const batch of loader)`, or `for await` where samples come asynchronously
 * (files, workers, streams). Batches come in order, also when later ones are ready first.
 */
export class DataLoader<T, B = Collated<T>> {
  readonly collate: (samples: T[]) => B;
  private readonly batches: Batches | null;
  private readonly batchSize: number;
  private readonly dropLast: boolean;
  private readonly prefetch: number;

  constructor(
    readonly dataset: Dataset<T> | IterableDataset<T>,
    options: DataLoaderOptions<T, B> = {},
  ) {
    const {
      batchSize = 1,
      shuffle = false,
      generator,
      dropLast = false,
      sampler,
      batchSampler,
      prefetch = 2,
    } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new RangeError(`DataLoader: batchSize is a whole number above 0, got ${batchSize}`);
    if (!Number.isInteger(prefetch) || prefetch < 0)
      throw new RangeError(`DataLoader: prefetch is a whole number from 0 up, got ${prefetch}`);
    if (sampler && shuffle) throw new TypeError('DataLoader: give sampler or shuffle, not both');
    if (batchSampler && (sampler || shuffle || options.batchSize !== undefined || dropLast))
      throw new TypeError('DataLoader: batchSampler takes the place of batchSize, shuffle, sampler and dropLast');
    this.collate = options.collate ?? (defaultCollate as unknown as (samples: T[]) => B);
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    this.prefetch = prefetch;
    if (!isMapped(dataset)) {
      if (sampler || batchSampler || shuffle)
        throw new TypeError(
          'DataLoader: a stream has its own order; shuffle and samplers need a dataset with get(index)',
        );
      this.batches = null;
      return;
    }
    const n = dataset.length;
    const order = sampler ?? (shuffle ? new RandomSampler(n, { generator }) : new SequentialSampler(n));
    this.batches = batchSampler ?? new BatchSampler(order, batchSize, dropLast);
  }

  /** How many batches there are; throws where nobody can tell. */
  get length(): number {
    const { length } = this.batches ?? {};
    if (length === undefined) throw new TypeError('DataLoader: the number of batches of a stream is not known');
    return length;
  }

  *[Symbol.iterator](): IterableIterator<B> {
    const { dataset } = this;
    if (this.batches === null) {
      if (!(Symbol.iterator in dataset))
        throw new TypeError('DataLoader: the stream is asynchronous; use for await (const batch of loader)');
      yield* this.batchesOf(dataset as Iterable<T>);
      return;
    }
    for (const indices of this.batches) {
      const samples = indices.map((i) => (dataset as Dataset<T>).get(i));
      if (samples.some((s) => s instanceof Promise)) {
        // Nobody will look at these: their errors would end the process.
        for (const s of samples) if (s instanceof Promise) s.catch(() => {});
        throw new TypeError('DataLoader: the dataset gives promises; use for await (const batch of loader)');
      }
      yield this.collate(samples as T[]);
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    const { dataset } = this;
    if (this.batches === null) {
      let samples: T[] = [];
      for await (const sample of dataset as AsyncIterable<T>) {
        samples.push(sample);
        if (samples.length < this.batchSize) continue;
        yield this.collate(samples);
        samples = [];
      }
      if (samples.length > 0 && !this.dropLast) yield this.collate(samples);
      return;
    }
    const { get, getMany } = dataset as Dataset<T>;
    const load = (indices: readonly number[]): Promise<T[]> =>
      getMany ? getMany.call(dataset, indices) : Promise.all(indices.map(async (i) => get.call(dataset, i)));
    const waiting: Promise<T[]>[] = [];
    const upcoming = this.batches[Symbol.iterator]();
    const ask = (): void => {
      const { value, done } = upcoming.next();
      if (done) return;
      const batch = load(value);
      // It may fail long before its turn to be waited for.
      batch.catch(() => {});
      waiting.push(batch);
    };
    for (let i = 0; i <= this.prefetch; i++) ask();
    while (waiting.length > 0) {
      const samples = await waiting.shift()!;
      ask();
      yield this.collate(samples);
    }
  }

  private *batchesOf(stream: Iterable<T>): IterableIterator<B> {
    let samples: T[] = [];
    for (const sample of stream) {
      samples.push(sample);
      if (samples.length < this.batchSize) continue;
      yield this.collate(samples);
      samples = [];
    }
    if (samples.length > 0 && !this.dropLast) yield this.collate(samples);
  }
}

const isMapped = <T>(dataset: Dataset<T> | IterableDataset<T>): dataset is Dataset<T> =>
  typeof (dataset as Partial<Dataset<T>>).get === 'function' &&
  typeof (dataset as Partial<Dataset<T>>).length === 'number';
