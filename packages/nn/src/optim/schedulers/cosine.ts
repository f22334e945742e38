import { check, checkOptions, is, show } from '@gradgate/core/internal';
import { type LastEpochOption, LRScheduler, lastEpochKind, type Scheduled } from './scheduler.js';

/** The value at `part` of half a cosine from `from` to `to`. */
export const cosine = (from: number, to: number, part: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;

/**
 * Lowers the learning rate to `etaMin`, 0 by default, along half a cosine over `tMax` steps; further steps raise it
 * again (Loshchilov and Hutter, 2017).
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.CosineAnnealingLR(optimizer, { tMax: 2 });
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.5
 * ```
 */
export class CosineAnnealingLR extends LRScheduler {
  /** The options that it was made with. */
  readonly options: { tMax: number; etaMin: number };

  constructor(optimizer: Scheduled, options: { tMax: number; etaMin?: number } & LastEpochOption) {
    const known = { tMax: is.count, etaMin: is.nonNegative, ...lastEpochKind };
    const { tMax, etaMin = 0, lastEpoch } = checkOptions('CosineAnnealingLR', options, known);
    check('CosineAnnealingLR', 'tMax', tMax, is.count);
    super(optimizer, lastEpoch);
    this.options = { tMax, etaMin };
    this.begin();
  }

  protected lrAt(epoch: number, baseLr: number): number {
    return cosine(baseLr, this.options.etaMin, epoch / this.options.tMax);
  }

  protected override next(lr: number, epoch: number, baseLr: number): number {
    const { tMax, etaMin } = this.options;
    if (epoch === 0) return lr;
    // At the lowest point the rate may be 0, which no factor changes.
    if ((epoch - 1 - tMax) % (2 * tMax) === 0) return lr + ((baseLr - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
    const height = (e: number) => 1 + Math.cos((Math.PI * e) / tMax);
    return etaMin + ((lr - etaMin) * height(epoch)) / height(epoch - 1);
  }
}

/**
 * Lowers the learning rate along half cosines with restarts (Loshchilov and Hutter, 2017): the first takes `t0` steps,
 * each further one `tMult` times as many, 1 by default; the rates fall to `etaMin`, 0 by default.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.CosineAnnealingWarmRestarts(optimizer, { t0: 2 });
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.5
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 1
 * ```
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /** The options that it was made with. */
  readonly options: { t0: number; tMult: number; etaMin: number };

  constructor(optimizer: Scheduled, options: { t0: number; tMult?: number; etaMin?: number } & LastEpochOption) {
    const known = { t0: is.number, tMult: is.number, etaMin: is.nonNegative, ...lastEpochKind };
    const { t0, tMult = 1, etaMin = 0, lastEpoch } = checkOptions('CosineAnnealingWarmRestarts', options, known);
    if (!(t0 > 0 && tMult >= 1))
      throw new RangeError(
        `CosineAnnealingWarmRestarts: t0 must be above 0 and tMult at least 1, got ${show(t0)} and ${show(tMult)}`,
      );
    super(optimizer, lastEpoch);
    this.options = { t0, tMult, etaMin };
    this.begin();
  }

  protected lrAt(epoch: number, baseLr: number): number {
    const { t0, tMult, etaMin } = this.options;
    let [length, at] = [t0, epoch];
    if (tMult === 1) at %= t0;
    while (at >= length) {
      at -= length;
      length *= tMult;
    }
    return cosine(baseLr, etaMin, at / length);
  }
}
