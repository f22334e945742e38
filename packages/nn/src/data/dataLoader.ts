import type { Generator } from '@gradgate/core';
import { checkOptions, is } from '@gradgate/core/internal';
import { notAState } from '../notAState.js';
import { isThenable } from '../promise.js';
import { isStateful } from '../stateful.js';
import { type Collated, defaultCollate } from './collate.js';
import {
  asDataset,
  type Dataset,
  type DatasetLike,
  type IterableDataset,
  loadMany,
  MapDataset,
  notedState,
  Subset,
} from './dataset.js';
import { BatchSampler, RandomSampler, ResumableSampler, type Sampler, SequentialSampler } from './sampler.js';

/** Options of `DataLoader`. */
export interface DataLoaderOptions<T, B> {
  /** The number of samples in a batch; 1 by default. */
  batchSize?: number;
  /** Whether each epoch has a new random order; false by default. */
  shuffle?: boolean;
  /** The generator that draws the order, so that it can be repeated; that of the flow by default. */
  generator?: Generator;
  /** Whether to leave out a last batch that is not full; false by default. */
  dropLast?: boolean;
  /** The order of samples, instead of `shuffle`. */
  sampler?: Sampler;
  /** Lists of sample indices, one for each batch, instead of all of the above. */
  batchSampler?: Batches;
  /** Makes a batch of samples; `defaultCollate` by default. */
  collate?: (samples: T[]) => B;
  /** With `for await`, the number of batches requested in advance; 2 by default. */
  prefetch?: number;
}

type Batches = Iterable<readonly number[]> & { readonly length?: number };

/** The position of a loader, for `loadStateDict`. */
export interface DataLoaderState {
  /** The number of batches yielded in the current epoch; 0 between epochs. */
  batches: number;
  /** Whether these were all batches of a stream. */
  finished: boolean;
  /** The state of the sampler after these batches, if it has one. */
  order: object | null;
  /** The state of the dataset after these batches, if it has one. */
  dataset: object | null;
  /** The state of the loader's generator, which draws the orders of later epochs. */
  generator: number[] | null;
}

/** The state after a batch. */
type StateAfter = Pick<DataLoaderState, 'finished' | 'order' | 'dataset'>;
type Progress = StateAfter & { batches: number };

/**
 * Iterates over a dataset in batches: `for (const batch of loader)`, or `for await` if samples come asynchronously
 * (files, workers, streams). Batches come in order, even if later ones are ready first.
 *
 * `stateDict()` returns the position of the latest loop. After `loadStateDict(state)`, also in another process,
 * the next loop continues after the last batch that had been yielded, in the same order; loops after it start from the
 * beginning.
 *
 * ```ts
 * const dataset = new data.TensorDataset(arange(6).reshape([3, 2]), tensor([0, 1, 0]));
 * const loader = new data.DataLoader(dataset, { batchSize: 2 });
 * [...loader].map(([x]) => x.shape[0]); // [2, 1]
 * ```
 */
export class DataLoader<T, B = Collated<T>> {
  /** Where the samples come from. */
  readonly dataset: DatasetLike<T> | IterableDataset<T>;
  /** Makes a batch of samples. */
  readonly collate: (samples: T[]) => B;
  /** The dataset with access by index; null for a stream. */
  private readonly mapped: Dataset<T> | null;
  private readonly batches: Batches | null;
  private readonly batchSize: number;
  private readonly dropLast: boolean;
  private readonly prefetch: number;
  private generator: Generator | undefined;
  private progress: Progress | null = null;
  private resumes = false;

  constructor(dataset: DatasetLike<T> | IterableDataset<T>, options: DataLoaderOptions<T, B> = {}) {
    const {
      batchSize = 1,
      shuffle = false,
      generator,
      dropLast = false,
      sampler,
      batchSampler,
      prefetch = 2,
      collate = defaultCollate as unknown as (samples: T[]) => B,
    } = checkOptions('DataLoader', options, known);
    if (sampler && shuffle) throw new TypeError('DataLoader: give sampler or shuffle, not both');
    if (batchSampler && (sampler || shuffle || options.batchSize !== undefined || dropLast))
      throw new TypeError('DataLoader: batchSampler takes the place of batchSize, shuffle, sampler and dropLast');
    this.mapped = asDataset('DataLoader', dataset);
    this.dataset = dataset;
    this.collate = collate;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
    this.prefetch = prefetch;
    this.generator = generator;
    if (this.mapped === null) {
      if (sampler || batchSampler || shuffle)
        throw new TypeError(
          'DataLoader: a stream has its own order; shuffle and samplers need a dataset with get(index)',
        );
      this.batches = null;
      return;
    }
    const order =
      sampler ?? (shuffle ? new RandomSampler(this.mapped, { generator }) : new SequentialSampler(this.mapped));
    this.batches = batchSampler ?? new BatchSampler(order, batchSize, dropLast);
    this.generator ??= generatorOf(this.batches);
  }

  /** The number of batches; throws for a stream, which has none. */
  get length(): number {
    const { length } = this.batches ?? {};
    if (length === undefined) throw new TypeError('DataLoader: the number of batches of a stream is not known');
    return length;
  }

  /** Returns the position of the latest loop: within an epoch, also if it was left by `break`, or between epochs. */
  stateDict(): DataLoaderState {
    const progress = this.progress ?? { batches: 0, ...this.after() };
    return { ...progress, generator: this.generator?.getState() ?? null };
  }

  /** Restores a state of `stateDict()`: the next loop continues from there. */
  loadStateDict(state: DataLoaderState): void {
    const { batches, finished, order, dataset, generator } = (state ?? {}) as Partial<DataLoaderState>;
    const isState = is.size.is(batches) && typeof finished === 'boolean';
    if (!isState || [order, dataset, generator].includes(undefined)) throw notAState('DataLoader', state);
    if (order && isStateful(this.batches)) this.batches.loadStateDict(order);
    if (dataset) resumableOf(this.dataset)?.loadStateDict(dataset);
    // After the sampler, whose state is older: the generator may have been used since its batch was requested.
    if (generator) this.generator?.setState(generator);
    this.progress = batches! > 0 ? { batches: batches!, finished, order: order!, dataset: dataset! } : null;
    this.resumes = batches! > 0;
  }

  *[Symbol.iterator](): IterableIterator<B> {
    const epoch = this.begin();
    for (const { samples, after } of this.mapped
      ? this.mappedBatches(this.mapped, epoch)
      : this.streamedBatches(epoch)) {
      epoch.batches++;
      this.progress = { batches: epoch.batches, ...after };
      yield this.collate(samples);
    }
    this.progress = null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Awaited<B>, void, undefined> {
    const epoch = this.begin();
    const batches = this.mapped ? this.prefetchedBatches(this.mapped, epoch) : this.streamedAsync(epoch);
    for await (const { samples, after } of batches) {
      epoch.batches++;
      this.progress = { batches: epoch.batches, ...after };
      yield await this.collate(samples);
    }
    this.progress = null;
  }

  /** Starts or resumes an epoch; returns the number of batches that it has yielded already. */
  private begin(): EpochStart {
    const { batches, finished } = (this.resumes && this.progress) || { batches: 0, finished: false };
    this.resumes = false;
    this.progress = null;
    return { batches, finished };
  }

  private datasetState = (): object | null => resumableOf(this.dataset)?.stateDict() ?? null;
  private after = (finished = false): StateAfter => ({
    finished,
    order: isStateful(this.batches) ? this.batches.stateDict() : null,
    dataset: this.datasetState(),
  });

  /**
   * The indices of the batches to come. A sampler without a state is run again and its first `done` batches skipped.
   */
  private *upcoming(done: number): IterableIterator<readonly number[]> {
    let left = isStateful(this.batches) ? 0 : done;
    for (const indices of this.batches!) if (left-- <= 0) yield indices;
  }

  private *mappedBatches(dataset: Dataset<T>, { batches }: EpochStart): IterableIterator<Batch<T>> {
    for (const indices of this.upcoming(batches)) {
      const samples = indices.map((i) => dataset.get(i));
      refusePromises(samples);
      yield { samples: samples as T[], after: this.after() };
    }
  }

  private async *prefetchedBatches(dataset: Dataset<T>, { batches }: EpochStart): AsyncIterableIterator<Batch<T>> {
    const waiting: Promise<Batch<T>>[] = [];
    const upcoming = this.upcoming(batches);
    const ask = (): void => {
      const { value, done } = upcoming.next();
      if (done) return;
      const samples = loadMany('DataLoader', dataset, value);
      const after = this.after();
      const batch = samples.then((all) => ({ samples: all, after }));
      // It may fail before it is awaited, which must not be an unhandled rejection.
      batch.catch(() => {});
      waiting.push(batch);
    };
    for (let i = 0; i <= this.prefetch; i++) ask();
    while (waiting.length > 0) {
      const { samples, after } = await waiting.shift()!;
      ask();
      const noted = notedState(samples);
      yield { samples, after: noted ? { ...after, dataset: noted() } : after };
    }
  }

  private *streamedBatches({ batches, finished }: EpochStart): IterableIterator<Batch<T>> {
    if (!(Symbol.iterator in (this.dataset as object)))
      throw new TypeError('DataLoader: the stream is asynchronous; use for await (const batch of loader)');
    if (finished) return;
    const gather = this.gatherer(batches);
    for (const sample of this.dataset as Iterable<T>) {
      refusePromises([sample]);
      const batch = gather.add(sample);
      if (batch) yield batch;
    }
    const rest = gather.rest();
    if (rest) yield rest;
  }

  private async *streamedAsync({ batches, finished }: EpochStart): AsyncIterableIterator<Batch<T>> {
    if (finished) return;
    const gather = this.gatherer(batches);
    for await (const sample of this.dataset as AsyncIterable<T>) {
      const batch = gather.add(sample);
      if (batch) yield batch;
    }
    const rest = gather.rest();
    if (rest) yield rest;
  }

  /**
   * Collects the samples of a stream into batches; a stream without a state is read again, and samples yielded before
   * are skipped.
   */
  private gatherer(batches: number): { add(sample: T): Batch<T> | null; rest(): Batch<T> | null } {
    let left = resumableOf(this.dataset) ? 0 : batches * this.batchSize;
    let samples: T[] = [];
    const take = (finished: boolean): Batch<T> => {
      const batch = { samples, after: this.after(finished) };
      samples = [];
      return batch;
    };
    return {
      add: (sample) => {
        if (left-- > 0) return null;
        return samples.push(sample) < this.batchSize ? null : take(false);
      },
      rest: () => (samples.length > 0 && !this.dropLast ? take(true) : null),
    };
  }
}

interface Batch<T> {
  samples: T[];
  after: StateAfter;
}

/** The progress of an epoch that starts or resumes. */
type EpochStart = Pick<DataLoaderState, 'batches' | 'finished'>;

const known = {
  batchSize: is.count,
  shuffle: is.boolean,
  generator: is.generator,
  dropLast: is.boolean,
  sampler: is.iterable,
  batchSampler: is.iterable,
  collate: is.callback,
  prefetch: is.size,
};

function refusePromises(samples: readonly unknown[]): void {
  const promises = samples.filter(isThenable);
  if (promises.length === 0) return;
  // Nothing awaits these promises: unhandled rejections would end the process.
  for (const p of promises) Promise.resolve(p).catch(() => {});
  throw new TypeError('DataLoader: the dataset returns promises; use for await (const batch of loader)');
}

/** The generator of a sampler, if it has its own. */
function generatorOf(order: unknown): Generator | undefined {
  if (order instanceof BatchSampler) return generatorOf(order.sampler);
  return order instanceof ResumableSampler ? order.generator : undefined;
}

/** The object with the state of a dataset: itself, or the dataset that it is a subset or a map of. */
function resumableOf(dataset: unknown): { stateDict(): object; loadStateDict(state: object): unknown } | null {
  if (isStateful(dataset)) return dataset;
  if (dataset instanceof Subset) return resumableOf(dataset.dataset);
  return dataset instanceof MapDataset ? resumableOf(dataset.source) : null;
}
