import type { Generator } from '@gradgate/core';
import { checkOptions, is, show } from '@gradgate/core/internal';
import { isResumable, isThenable } from '../plain.js';
import { type Collated, defaultCollate } from './collate.js';
import {
  asDataset,
  type Dataset,
  type DatasetLike,
  type IterableDataset,
  MapDataset,
  notedState,
  Subset,
} from './dataset.js';
import { BatchSampler, RandomSampler, ResumableSampler, type Sampler, SequentialSampler } from './sampler.js';

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
  batchSampler?: Batches;
  /** Makes a batch of samples; `defaultCollate` by default. */
  collate?: (samples: T[]) => B;
  /** With `for await`: how many batches are asked for ahead of the one in use; 2 by default. */
  prefetch?: number;
}

type Batches = Iterable<readonly number[]> & { readonly length?: number };

/** Where a loader is: for `loadStateDict`. */
export interface DataLoaderState {
  /** Batches given out of the epoch under way; 0 between epochs. */
  batches: number;
  /** Whether these were all of a stream. */
  finished: boolean;
  /** The state of the order behind these batches, if it has one. */
  order: object | null;
  /** The state of the dataset behind these batches, if it has one. */
  dataset: object | null;
  /** The loader's own generator, of which the orders of later epochs come. */
  generator: number[] | null;
}

/** What stands behind a batch. */
type After = Pick<DataLoaderState, 'finished' | 'order' | 'dataset'>;
type Progress = After & { batches: number };

/**
 * Goes through a dataset in batches: `for (const batch of loader)`, or `for await` where samples come asynchronously
 * (files, workers, streams). Batches come in order, also when later ones are ready first.
 *
 * `stateDict()` tells where the loop that came last is. After `loadStateDict(state)`, in another process too, the next loop
 * goes on behind the last batch that had been given out, in the same order; those after it start anew as ever.
 *
 * ```ts
 * const dataset = new data.TensorDataset(arange(6).reshape([3, 2]), tensor([0, 1, 0]));
 * const loader = new data.DataLoader(dataset, { batchSize: 2 });
 * [...loader].map(([x]) => x.shape[0]); // [2, 1]
 * ```
 */
export class DataLoader<T, B = Collated<T>> {
  readonly dataset: DatasetLike<T> | IterableDataset<T>;
  readonly collate: (samples: T[]) => B;
  /** The dataset by number; null for a stream. */
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

  /** How many batches there are; throws where nobody can tell. */
  get length(): number {
    const { length } = this.batches ?? {};
    if (length === undefined) throw new TypeError('DataLoader: the number of batches of a stream is not known');
    return length;
  }

  /** Where the loop that came last is: in the middle of an epoch, also one that was left by `break`, or between epochs. */
  stateDict(): DataLoaderState {
    const progress = this.progress ?? { batches: 0, ...this.after() };
    return { ...progress, generator: this.generator?.getState() ?? null };
  }

  /** Takes up what `stateDict()` told: the next loop goes on from there. */
  loadStateDict(state: DataLoaderState): void {
    const { batches, finished, order, dataset, generator } = (state ?? {}) as Partial<DataLoaderState>;
    const isState = is.size.is(batches) && typeof finished === 'boolean';
    if (!isState || [order, dataset, generator].includes(undefined))
      throw new TypeError(`DataLoader.loadStateDict: takes what stateDict() gives, got ${show(state)}`);
    if (order && isResumable(this.batches)) this.batches.loadStateDict(order);
    if (dataset) resumableOf(this.dataset)?.loadStateDict(dataset);
    // After the order, whose state is of when its batch was asked for: others may have drawn since.
    if (generator) this.generator?.setState(generator);
    this.progress = batches! > 0 ? { batches: batches!, finished, order: order!, dataset: dataset! } : null;
    this.resumes = batches! > 0;
  }

  *[Symbol.iterator](): IterableIterator<B> {
    const epoch = this.begin();
    for (const { samples, after } of this.mapped ? this.mappedBatches(this.mapped, epoch) : this.streamed(epoch)) {
      epoch.batches++;
      this.progress = { batches: epoch.batches, ...after };
      yield this.collate(samples);
    }
    this.progress = null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Awaited<B>, void, undefined> {
    const epoch = this.begin();
    const batches = this.mapped ? this.prefetched(this.mapped, epoch) : this.streamedAsync(epoch);
    for await (const { samples, after } of batches) {
      epoch.batches++;
      this.progress = { batches: epoch.batches, ...after };
      yield await this.collate(samples);
    }
    this.progress = null;
  }

  /** Batches given out already of the epoch that starts or goes on. */
  private begin(): Start {
    const { batches, finished } = (this.resumes && this.progress) || { batches: 0, finished: false };
    this.resumes = false;
    this.progress = null;
    return { batches, finished };
  }

  private datasetState = (): object | null => resumableOf(this.dataset)?.stateDict() ?? null;
  private after = (finished = false): After => ({
    finished,
    order: isResumable(this.batches) ? this.batches.stateDict() : null,
    dataset: this.datasetState(),
  });

  /** The sample numbers of the batches to come; an order without a state is gone through anew as far as it was. */
  private *upcoming(done: number): IterableIterator<readonly number[]> {
    let left = isResumable(this.batches) ? 0 : done;
    for (const indices of this.batches!) if (left-- <= 0) yield indices;
  }

  private *mappedBatches(dataset: Dataset<T>, { batches }: Start): IterableIterator<Batch<T>> {
    for (const indices of this.upcoming(batches)) {
      const samples = indices.map((i) => dataset.get(i));
      refusePromises(samples);
      yield { samples: samples as T[], after: this.after() };
    }
  }

  private async *prefetched(dataset: Dataset<T>, { batches }: Start): AsyncIterableIterator<Batch<T>> {
    const waiting: Promise<Batch<T>>[] = [];
    const upcoming = this.upcoming(batches);
    const ask = (): void => {
      const { value, done } = upcoming.next();
      if (done) return;
      const samples = load(dataset, value);
      const after = this.after();
      const batch = samples.then((all) => ({ samples: all, after }));
      // It may fail long before its turn to be waited for.
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

  private *streamed({ batches, finished }: Start): IterableIterator<Batch<T>> {
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

  private async *streamedAsync({ batches, finished }: Start): AsyncIterableIterator<Batch<T>> {
    if (finished) return;
    const gather = this.gatherer(batches);
    for await (const sample of this.dataset as AsyncIterable<T>) {
      const batch = gather.add(sample);
      if (batch) yield batch;
    }
    const rest = gather.rest();
    if (rest) yield rest;
  }

  /** Makes batches of a stream's samples; a stream without a state has those again that were given out before. */
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
  after: After;
}

/** How far an epoch is that starts or goes on. */
type Start = Pick<DataLoaderState, 'batches' | 'finished'>;

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

/** The samples of these numbers; whatever happens, by the promise. */
async function load<T>(dataset: Dataset<T>, indices: readonly number[]): Promise<T[]> {
  if (!dataset.getMany) return Promise.all(indices.map(async (i) => dataset.get(i)));
  const samples = await dataset.getMany(indices);
  if (!Array.isArray(samples) || samples.length !== indices.length)
    throw new TypeError(
      `DataLoader: the dataset's getMany() gave ${show(samples)} for ${indices.length} samples; it gives an array of as many`,
    );
  return samples;
}

function refusePromises(samples: readonly unknown[]): void {
  const promises = samples.filter(isThenable);
  if (promises.length === 0) return;
  // Nobody will look at these: their errors would end the process.
  for (const p of promises) Promise.resolve(p).catch(() => {});
  throw new TypeError('DataLoader: the dataset gives promises; use for await (const batch of loader)');
}

/** The generator from which samplers draw, if it is not the default one. */
function generatorOf(order: unknown): Generator | undefined {
  if (order instanceof BatchSampler) return generatorOf(order.sampler);
  return order instanceof ResumableSampler ? order.generator : undefined;
}

/** What has the state of a dataset: itself, or what it is a part or a function of. */
function resumableOf(dataset: unknown): { stateDict(): object; loadStateDict(state: object): unknown } | null {
  if (isResumable(dataset)) return dataset;
  if (dataset instanceof Subset) return resumableOf(dataset.dataset);
  return dataset instanceof MapDataset ? resumableOf(dataset.source) : null;
}
