import { currentGenerator, Generator } from '@gradgate/core';
import { check, checkOptions, is } from '@gradgate/core/internal';
import { notAState } from '../notAState.js';
import { isStateful } from '../stateful.js';
import { shuffled } from './shuffled.js';

/**
 * An order of samples, as their indices; each iteration may have a new one. A sampler with `stateDict` and
 * `loadStateDict` can be resumed in the middle.
 */
export interface Sampler extends Iterable<number> {
  /** The number of indices in an iteration. */
  readonly length: number;
}

/** The number of samples: a number, or an object with a length, such as a dataset, which is read for each epoch. */
export type Size = number | { readonly length: number };

const sizeKind = {
  text: 'a whole number from 0 up, or an object with such a length',
  is: (v: unknown): boolean => is.size.is(v) || is.size.is((v as { length?: unknown } | null)?.length),
};
const sizeOf = (source: Size): number => {
  const n = typeof source === 'number' ? source : source.length;
  check('a sampler', 'the number of samples', n, is.size);
  return n;
};
/** A seed for the order of an epoch, so that it can be repeated whatever else draws from the generator. */
const drawSeed = (generator = currentGenerator()): number => generator.below(2 ** 53);

/** The number of samples and the seed, which determine the order of an epoch. */
interface Epoch {
  readonly size: number;
  readonly seed: number | null;
}

/** The state of a sampler. */
export interface SamplerState {
  /** The current epoch, or null. */
  epoch: Epoch | null;
  /** The number of indices yielded in it. */
  taken: number;
  /** The state of the sampler's generator, if it has its own. */
  generator: number[] | null;
}

/**
 * A sampler that can be resumed in the middle of an epoch: after `loadStateDict(state)` the next loop continues after
 * the indices that had been yielded when `stateDict()` was called.
 *
 * ```ts
 * const sampler = new data.RandomSampler(10);
 * const order = sampler[Symbol.iterator]();
 * order.next();
 * const state = sampler.stateDict();
 * sampler.loadStateDict(state);
 * [...sampler].length; // 9
 * ```
 */
export abstract class ResumableSampler implements Sampler {
  /** The number of indices in an iteration. */
  abstract readonly length: number;
  private now: { epoch: Epoch; taken: number } | null = null;
  private resumes = false;

  /** The generator that seeds epochs; undefined for that of the flow, which is not part of the state. */
  abstract readonly generator: Generator | undefined;
  /** What the next epoch depends on: its size and seed. */
  protected abstract begin(): Epoch;
  /** The indices of an epoch, in order. */
  protected abstract order(epoch: Epoch): Iterable<number>;

  *[Symbol.iterator](): IterableIterator<number> {
    const now = this.resumes && this.now ? { ...this.now } : { epoch: this.begin(), taken: 0 };
    this.resumes = false;
    this.now = now;
    const skipped = now.taken;
    let i = 0;
    for (const index of this.order(now.epoch)) {
      if (i++ < skipped) continue;
      now.taken = i;
      yield index;
    }
    if (this.now === now) this.now = null;
  }

  /** Returns the position in the current epoch. */
  stateDict(): SamplerState {
    return {
      epoch: this.now && { ...this.now.epoch },
      taken: this.now?.taken ?? 0,
      generator: this.generator?.getState() ?? null,
    };
  }

  /** Restores a state of `stateDict()`: the next loop continues from there. */
  loadStateDict(state: SamplerState): void {
    const { epoch, taken, generator } = (state ?? {}) as Partial<SamplerState>;
    const fits =
      is.size.is(taken) &&
      (epoch === null || (is.size.is(epoch?.size) && (epoch!.seed === null || is.size.is(epoch!.seed))));
    if (!fits) throw notAState(this.constructor.name, state);
    if (generator && this.generator) this.generator.setState(generator);
    this.now = epoch ? { epoch: { ...epoch }, taken: taken! } : null;
    this.resumes = epoch !== null;
  }
}

/**
 * Yields 0, 1, 2, ... in order.
 *
 * ```ts
 * [...new data.SequentialSampler(3)]; // [0, 1, 2]
 * ```
 */
export class SequentialSampler extends ResumableSampler {
  readonly generator = undefined;

  constructor(private readonly source: Size) {
    super();
    check('SequentialSampler', 'the number of samples', source, sizeKind);
  }

  /** The number of indices in an iteration. */
  get length(): number {
    return sizeOf(this.source);
  }

  protected begin(): Epoch {
    return { size: this.length, seed: null };
  }

  protected *order({ size }: Epoch): Iterable<number> {
    for (let i = 0; i < size; i++) yield i;
  }
}

/** Options of `RandomSampler`. */
export interface RandomSamplerOptions {
  /** Whether samples may be drawn several times; false by default. */
  replacement?: boolean;
  /** The number of samples to draw; all by default. */
  numSamples?: number;
  /** The generator that draws; that of the flow by default. */
  generator?: Generator;
}

/**
 * Yields all indices in random order or, with `replacement`, `numSamples` random ones.
 *
 * ```ts
 * [...new data.RandomSampler(10, { replacement: true, numSamples: 4 })].length; // 4
 * ```
 */
export class RandomSampler extends ResumableSampler {
  readonly generator: Generator | undefined;
  private readonly replacement: boolean;
  private readonly numSamples: number | undefined;

  constructor(
    private readonly source: Size,
    options: RandomSamplerOptions = {},
  ) {
    super();
    check('RandomSampler', 'the number of samples', source, sizeKind);
    const { replacement, numSamples, generator } = checkOptions('RandomSampler', options, {
      replacement: is.boolean,
      numSamples: is.size,
      generator: is.generator,
    });
    this.replacement = replacement ?? false;
    this.numSamples = numSamples;
    this.generator = generator;
    this.checkDraws(this.size);
  }

  /** The number of indices in an epoch. */
  get size(): number {
    return sizeOf(this.source);
  }

  /** The number of indices in an iteration. */
  get length(): number {
    return this.numSamples ?? this.size;
  }

  private checkDraws(size: number): void {
    const { numSamples = size, replacement } = this;
    if ((!replacement && numSamples > size) || (size === 0 && numSamples > 0))
      throw new RangeError(
        `RandomSampler: cannot draw ${numSamples} of ${size} samples${replacement ? '' : ' without replacement'}`,
      );
  }

  protected begin(): Epoch {
    const { size } = this;
    this.checkDraws(size);
    return { size, seed: drawSeed(this.generator) };
  }

  protected *order({ size, seed }: Epoch): Iterable<number> {
    const generator = new Generator(seed!);
    const { numSamples = size } = this;
    if (this.replacement) for (let i = 0; i < numSamples; i++) yield generator.below(size);
    else yield* shuffled(size, generator).slice(0, numSamples);
  }
}

/**
 * Yields `indices` in random order.
 *
 * ```ts
 * [...new data.SubsetRandomSampler([3, 5])].sort(); // [3, 5]
 * ```
 */
export class SubsetRandomSampler extends ResumableSampler {
  readonly generator: Generator | undefined;

  constructor(
    /** What is drawn from. */
    readonly indices: readonly number[],
    options: { generator?: Generator } = {},
  ) {
    super();
    check('SubsetRandomSampler', 'indices', indices, is.arrayOf(is.size));
    this.generator = checkOptions('SubsetRandomSampler', options, { generator: is.generator }).generator;
  }

  /** The number of indices in an iteration. */
  get length(): number {
    return this.indices.length;
  }

  protected begin(): Epoch {
    return { size: this.length, seed: drawSeed(this.generator) };
  }

  protected *order({ size, seed }: Epoch): Iterable<number> {
    for (const i of shuffled(size, new Generator(seed!))) yield this.indices[i]!;
  }
}

/**
 * Yields `numSamples` random indices, with replacement and with these weights, for example to balance classes.
 *
 * ```ts
 * [...new data.WeightedRandomSampler([0, 1], 3)]; // [1, 1, 1]
 * ```
 */
export class WeightedRandomSampler extends ResumableSampler {
  readonly generator: Generator | undefined;
  private readonly sums: Float64Array;

  constructor(
    weights: ArrayLike<number>,
    /** The number of indices in an iteration. */
    readonly length: number,
    options: { generator?: Generator } = {},
  ) {
    super();
    check('WeightedRandomSampler', 'weights', weights, numbers);
    check('WeightedRandomSampler', 'numSamples', length, is.size);
    this.generator = checkOptions('WeightedRandomSampler', options, { generator: is.generator }).generator;
    this.sums = Float64Array.from(weights);
    for (let i = 0, sum = 0; i < this.sums.length; i++) {
      if (!(this.sums[i]! >= 0 && this.sums[i]! < Number.POSITIVE_INFINITY))
        throw new RangeError(`WeightedRandomSampler: weights must be finite and from 0 up, got ${this.sums[i]}`);
      sum += this.sums[i]!;
      this.sums[i] = sum;
    }
    if (!(this.sums.at(-1)! > 0)) throw new RangeError('WeightedRandomSampler: at least one weight must be above 0');
  }

  protected begin(): Epoch {
    return { size: this.length, seed: drawSeed(this.generator) };
  }

  protected *order({ size, seed }: Epoch): Iterable<number> {
    const generator = new Generator(seed!);
    const total = this.sums.at(-1)!;
    for (let k = 0; k < size; k++) {
      const target = generator.uniform() * total;
      let low = 0;
      let high = this.sums.length - 1;
      while (low < high) {
        const mid = (low + high) >> 1;
        if (this.sums[mid]! > target) high = mid;
        else low = mid + 1;
      }
      yield low;
    }
  }
}

const numbers = {
  text: 'an array of numbers',
  is: (v: unknown): boolean =>
    (Array.isArray(v) || ArrayBuffer.isView(v)) && Array.from(v as ArrayLike<unknown>).every(is.number.is),
};

/** The state of a `BatchSampler`. */
export interface BatchSamplerState {
  /** The number of batches yielded in the current epoch. */
  batches: number;
  /** Whether these were all batches. */
  finished: boolean;
  /** The state of the sampler, if it has one. */
  sampler: object | null;
}

/**
 * Groups the indices of another sampler into lists of `batchSize`. `dropLast`, false by default, leaves out a last list
 * that is not full.
 *
 * ```ts
 * [...new data.BatchSampler(new data.SequentialSampler(5), 2)]; // [[0, 1], [2, 3], [4]]
 * ```
 */
export class BatchSampler implements Iterable<number[]> {
  private now = { batches: 0, finished: false };
  private resumes = false;

  constructor(
    /** Where the indices come from. */
    readonly sampler: Sampler,
    /** How many indices a batch has. */
    readonly batchSize: number,
    /** Whether a last batch that is too short is left out. */
    readonly dropLast = false,
  ) {
    check('BatchSampler', 'sampler', sampler, is.iterable);
    check('BatchSampler', 'batchSize', batchSize, is.count);
    check('BatchSampler', 'dropLast', dropLast, is.boolean);
  }

  /** The number of batches. */
  get length(): number {
    const n = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(n) : Math.ceil(n);
  }

  *[Symbol.iterator](): IterableIterator<number[]> {
    const now = this.resumes ? { ...this.now } : { batches: 0, finished: false };
    const skipped = this.resumes && !isStateful(this.sampler) ? now.batches * this.batchSize : 0;
    this.resumes = false;
    this.now = now;
    if (!now.finished) yield* this.batchesOf(now, skipped);
    if (this.now === now) this.now = { batches: 0, finished: false };
  }

  private *batchesOf(now: { batches: number; finished: boolean }, skipped: number): IterableIterator<number[]> {
    let batch: number[] = [];
    let left = skipped;
    for (const i of this.sampler) {
      if (left-- > 0) continue;
      batch.push(i);
      if (batch.length < this.batchSize) continue;
      now.batches++;
      yield batch;
      batch = [];
    }
    if (batch.length === 0 || this.dropLast) return;
    now.batches++;
    // The sampler has finished: with its state alone, the next loop would start from the beginning.
    now.finished = true;
    yield batch;
  }

  /** Returns the position in the current epoch, with the sampler's state if it has one. */
  stateDict(): BatchSamplerState {
    return { ...this.now, sampler: isStateful(this.sampler) ? this.sampler.stateDict() : null };
  }

  /** Restores a state of `stateDict()`: the next loop continues from there. */
  loadStateDict(state: BatchSamplerState): void {
    const { batches, finished, sampler } = (state ?? {}) as Partial<BatchSamplerState>;
    if (!is.size.is(batches) || typeof finished !== 'boolean' || sampler === undefined)
      throw notAState('BatchSampler', state);
    if (sampler !== null && isStateful(this.sampler)) this.sampler.loadStateDict(sampler);
    this.now = { batches: batches!, finished };
    this.resumes = batches! > 0;
  }
}
