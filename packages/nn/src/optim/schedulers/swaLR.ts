import { check, checkOptions, is } from '@gradgate/core/internal';
import { LRScheduler, lastEpochKind, type Resumable, type Scheduled } from './scheduler.js';

export interface SWALROptions extends Resumable {
  /** The rate that stays. */
  swaLr: number;
  /** In how many steps it is reached; 10 by default. */
  annealEpochs?: number;
  annealStrategy?: 'cos' | 'linear';
}

const kinds = {
  swaLr: is.nonNegative,
  annealEpochs: is.size,
  annealStrategy: is.oneOf('cos', 'linear'),
  ...lastEpochKind,
};

/**
 * Takes the rate from where it is to `swaLr`, where it stays: for weights that are averaged from then on, see
 * `AveragedModel`.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.SWALR(optimizer, { swaLr: 0.5, annealEpochs: 2, annealStrategy: 'linear' });
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.75
 * ```
 */
export class SWALR extends LRScheduler {
  readonly #swaLr: number;
  readonly #part: (epoch: number) => number;

  constructor(optimizer: Scheduled, options: SWALROptions) {
    const { swaLr, annealEpochs = 10, annealStrategy = 'cos', lastEpoch } = checkOptions('SWALR', options, kinds);
    check('SWALR', 'swaLr', swaLr, is.nonNegative);
    super(optimizer, lastEpoch);
    this.#swaLr = swaLr;
    const over = (epoch: number) => (annealEpochs === 0 ? 1 : Math.min(1, Math.max(0, epoch / annealEpochs)));
    this.#part = annealStrategy === 'linear' ? over : (epoch) => (1 - Math.cos(Math.PI * over(epoch))) / 2;
    this.begin();
  }

  protected lrAt(epoch: number, baseLr: number): number {
    return baseLr + (this.#swaLr - baseLr) * this.#part(epoch);
  }

  /** From the rate in force, which another scheduler may have changed: as if the way had begun such that it is now here. */
  protected override next(lr: number, epoch: number, baseLr: number): number {
    if (epoch === 0) return this.lrAt(0, baseLr);
    const before = this.#part(epoch - 1);
    if (before === 1) return this.#swaLr;
    const start = (lr - before * this.#swaLr) / (1 - before);
    return start + (this.#swaLr - start) * this.#part(epoch);
  }
}
