import { defaultGenerator, type Generator } from '@gradgate/core';
import { shuffled } from './dataset.js';

/** The order in which samples are taken: a new one each time it is gone through. */
export interface Sampler extends Iterable<number> {
  readonly length: number;
}

/** 0, 1, 2, ... */
export class SequentialSampler implements Sampler {
  constructor(readonly length: number) {}

  *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0; i < this.length; i++) yield i;
  }
}

export interface RandomSamplerOptions {
  /** Draw samples again and again. */
  replacement?: boolean;
  /** How many to draw; all by default. */
  numSamples?: number;
  generator?: Generator;
}

/** All samples in random order, or, with replacement, as many draws. */
export class RandomSampler implements Sampler {
  readonly length: number;
  private readonly options: RandomSamplerOptions;

  constructor(
    readonly size: number,
    options: RandomSamplerOptions = {},
  ) {
    const { replacement = false, numSamples = size } = options;
    if (
      !Number.isInteger(numSamples) ||
      numSamples < 0 ||
      (!replacement && numSamples > size) ||
      (size === 0 && numSamples > 0)
    )
      throw new RangeError(
        `RandomSampler: cannot draw ${numSamples} of ${size} samples${replacement ? '' : ' without replacement'}`,
      );
    this.length = numSamples;
    this.options = options;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    const { replacement = false, generator = defaultGenerator } = this.options;
    if (replacement) for (let i = 0; i < this.length; i++) yield generator.below(this.size);
    else yield* shuffled(this.size, generator).slice(0, this.length);
  }
}

/** The samples that `indices` name, in random order. */
export class SubsetRandomSampler implements Sampler {
  constructor(
    readonly indices: readonly number[],
    private readonly options: { generator?: Generator } = {},
  ) {}

  get length(): number {
    return this.indices.length;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    for (const i of shuffled(this.indices.length, this.options.generator)) yield this.indices[i]!;
  }
}

/** `numSamples` draws with these weights, with replacement: to balance classes, for example. */
export class WeightedRandomSampler implements Sampler {
  private readonly sums: Float64Array;

  constructor(
    weights: ArrayLike<number>,
    readonly length: number,
    private readonly options: { generator?: Generator } = {},
  ) {
    this.sums = Float64Array.from(weights);
    for (let i = 0, sum = 0; i < this.sums.length; i++) {
      if (!(this.sums[i]! >= 0 && this.sums[i]! < Number.POSITIVE_INFINITY))
        throw new RangeError(`WeightedRandomSampler: weights are from 0 up, and finite, got ${this.sums[i]}`);
      sum += this.sums[i]!;
      this.sums[i] = sum;
    }
    if (!(this.sums.at(-1)! > 0)) throw new RangeError('WeightedRandomSampler: no weight is above 0');
  }

  *[Symbol.iterator](): IterableIterator<number> {
    const { generator = defaultGenerator } = this.options;
    const total = this.sums.at(-1)!;
    for (let k = 0; k < this.length; k++) {
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

/** The samples of another sampler in batches. */
export class BatchSampler implements Iterable<number[]> {
  constructor(
    readonly sampler: Sampler,
    readonly batchSize: number,
    readonly dropLast = false,
  ) {
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new RangeError(`BatchSampler: batchSize is a whole number above 0, got ${batchSize}`);
  }

  get length(): number {
    const n = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(n) : Math.ceil(n);
  }

  *[Symbol.iterator](): IterableIterator<number[]> {
    let batch: number[] = [];
    for (const i of this.sampler) {
      batch.push(i);
      if (batch.length < this.batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}
