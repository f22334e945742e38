import { check, checkOptions, is } from '@gradgate/core/internal';
import { type LastEpochOption, LRScheduler, lastEpochKind, type Scheduled } from './scheduler.js';

/** Options of `SWALR`. */
export interface SWALROptions extends LastEpochOption {
  /** The learning rate at the end, which stays. */
  swaLr: number;
  /** The number of steps in which it is reached; 10 by default. */
  annealEpochs?: number;
  /** Whether the rate follows a cosine or a line; 'cos' by default. */
  annealStrategy?: 'cos' | 'linear';
}

const kinds = {
  swaLr: is.nonNegative,
  annealEpochs: is.size,
  annealStrategy: is.oneOf('cos', 'linear'),
  ...lastEpochKind,
};

/**
 * Moves the learning rate from its current value to `swaLr` over `annealEpochs` steps and keeps it there, for averaging
 * weights from then on; see `AveragedModel`.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.SWALR(optimizer, { swaLr: 0.5, annealEpochs: 2, annealStrategy: 'linear' });
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.75
 * ```
 */
export class SWALR extends LRScheduler {
  private readonly swaLr: number;
  private readonly part: (epoch: number) => number;

  constructor(optimizer: Scheduled, options: SWALROptions) {
    const { swaLr, annealEpochs = 10, annealStrategy = 'cos', lastEpoch } = checkOptions('SWALR', options, kinds);
    check('SWALR', 'swaLr', swaLr, is.nonNegative);
    super(optimizer, lastEpoch);
    this.swaLr = swaLr;
    const over = (epoch: number) => (annealEpochs === 0 ? 1 : Math.min(1, Math.max(0, epoch / annealEpochs)));
    this.part = annealStrategy === 'linear' ? over : (epoch) => (1 - Math.cos(Math.PI * over(epoch))) / 2;
    this.begin();
  }

  protected lrAt(epoch: number, baseLr: number): number {
    return baseLr + (this.swaLr - baseLr) * this.part(epoch);
  }

  /** Continues from the current rate, which another scheduler may have changed, as if the curve had led to it. */
  protected override next(lr: number, epoch: number, baseLr: number): number {
    if (epoch === 0) return this.lrAt(0, baseLr);
    const before = this.part(epoch - 1);
    if (before === 1) return this.swaLr;
    const start = (lr - before * this.swaLr) / (1 - before);
    return start + (this.swaLr - start) * this.part(epoch);
  }
}
