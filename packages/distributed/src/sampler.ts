import { Generator } from '@gradgate/core';
import type { data } from '@gradgate/nn';
import { type Group, world } from './world.js';

export interface DistributedSamplerOptions {
  /** The ranks that share the samples; all by default. */
  group?: Group;
  /** A new order in each epoch; true by default. */
  shuffle?: boolean;
  /** What the order starts from, the same in all ranks; 0 by default. */
  seed?: number;
  /** Leave out the last samples rather than take some twice, so that all ranks have equally many; false by default. */
  dropLast?: boolean;
}

/**
 * Each rank's part of the samples: every sample is in one part, up to the few that make all parts equally long, which are
 * taken twice or left out. Call `setEpoch` before each epoch, or all epochs have the same order.
 *
 * @example
 * const sampler = new DistributedSampler(dataset, { seed: 7 });
 * const loader = new data.DataLoader(dataset, { batchSize: 32, sampler });
 * for (let epoch = 0; epoch < 10; epoch++) {
 *   sampler.setEpoch(epoch);
 *   for await (const batch of loader) { ... }
 * }
 */
export class DistributedSampler implements data.Sampler {
  readonly #dataset: { readonly length: number };
  readonly #group: Group;
  readonly #shuffle: boolean;
  readonly #seed: number;
  readonly #dropLast: boolean;
  #epoch = 0;

  constructor(dataset: { readonly length: number }, options: DistributedSamplerOptions = {}) {
    if (!Number.isInteger(dataset?.length))
      throw new TypeError('DistributedSampler: expected a dataset, or anything else with a length');
    const { group = world(), shuffle = true, seed = 0, dropLast = false } = options;
    this.#dataset = dataset;
    this.#group = group;
    this.#shuffle = shuffle;
    this.#seed = seed;
    this.#dropLast = dropLast;
  }

  /** How many samples this rank takes. */
  get length(): number {
    const { length } = this.#dataset;
    return (this.#dropLast ? Math.floor : Math.ceil)(length / this.#group.size);
  }

  /** Makes the order that of an epoch: its number, the same in all ranks. */
  setEpoch(epoch: number): void {
    if (!Number.isInteger(epoch) || epoch < 0)
      throw new RangeError(`DistributedSampler.setEpoch: the epoch is a whole number from 0 up, got ${String(epoch)}`);
    this.#epoch = epoch;
  }

  *[Symbol.iterator](): IterableIterator<number> {
    const n = this.#dataset.length;
    const order = this.#shuffle ? shuffled(n, this.#seed + this.#epoch) : Array.from({ length: n }, (_, i) => i);
    const { rank, size } = this.#group;
    for (let i = 0; i < this.length; i++) yield order[(i * size + rank) % n]!;
  }
}

/** 0 to n - 1 in random order (Fisher and Yates). */
function shuffled(n: number, seed: number): number[] {
  const generator = new Generator(seed);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = generator.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
