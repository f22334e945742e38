import { Generator } from '@gradgate/core';
import { check, checkOptions, is } from '@gradgate/core/internal';
import { data } from '@gradgate/nn';
import { checkMember, type Group, groupKind, world } from './world.js';

/** Options of `DistributedSampler`. */
export interface DistributedSamplerOptions {
  /** The ranks that share the samples; all by default. */
  group?: Group;
  /** Whether each epoch has a new random order; true by default. */
  shuffle?: boolean;
  /** The seed of the order, which must be the same in all ranks; 0 by default. */
  seed?: number;
  /**
   * Whether to leave out the last samples rather than use some twice, so that ranks have equally many; false by
   * default.
   */
  dropLast?: boolean;
}

/**
 * A sampler that yields this rank's part of the samples: each sample is in one part, except for the few that make all
 * parts equally long, which are used twice or left out. Call `setEpoch` before each epoch; otherwise all epochs have
 * the same order. Its state is the same in all ranks, so the state saved by rank 0 resumes all of them in the middle of
 * an epoch.
 *
 * @example
 * const sampler = new DistributedSampler(dataset, { seed: 7 });
 * const loader = new data.DataLoader(dataset, { batchSize: 32, sampler });
 * for (let epoch = 0; epoch < 10; epoch++) {
 *   sampler.setEpoch(epoch);
 *   for await (const batch of loader) { ... }
 * }
 */
export class DistributedSampler extends data.ResumableSampler {
  readonly generator = undefined;
  readonly #dataset: { readonly length: number };
  readonly #group: Group;
  readonly #shuffle: boolean;
  readonly #seed: number;
  readonly #dropLast: boolean;
  #epoch = 0;

  constructor(dataset: { readonly length: number }, options?: DistributedSamplerOptions) {
    super();
    check('DistributedSampler', 'dataset', dataset, {
      text: 'a dataset, or anything else with a length',
      is: (v) => is.size.is((v as { length?: unknown } | null | undefined)?.length),
    });
    const {
      group = world(),
      shuffle = true,
      seed = 0,
      dropLast = false,
    } = checkOptions('DistributedSampler', options, {
      group: groupKind,
      shuffle: is.boolean,
      seed: is.size,
      dropLast: is.boolean,
    });
    checkMember('DistributedSampler', group);
    this.#dataset = dataset;
    this.#group = group;
    this.#shuffle = shuffle;
    this.#seed = seed;
    this.#dropLast = dropLast;
  }

  /** The number of samples of this rank. */
  get length(): number {
    return this.#lengthOf(this.#dataset.length);
  }

  #lengthOf(size: number): number {
    return (this.#dropLast ? Math.floor : Math.ceil)(size / this.#group.size);
  }

  /** Sets the number of the epoch, which determines the order. It must be the same in all ranks. */
  setEpoch(epoch: number): void {
    check('DistributedSampler.setEpoch', 'the epoch', epoch, is.size);
    this.#epoch = epoch;
  }

  protected begin(): { size: number; seed: number } {
    return { size: this.#dataset.length, seed: this.#seed + this.#epoch };
  }

  protected *order({ size, seed }: { size: number; seed: number | null }): Iterable<number> {
    const order = this.#shuffle ? [...new data.RandomSampler(size, { generator: new Generator(seed!) })] : null;
    const { rank, size: ranks } = this.#group;
    for (let i = 0; i < this.#lengthOf(size); i++) {
      const at = (i * ranks + rank) % size;
      yield order ? order[at]! : at;
    }
  }
}
