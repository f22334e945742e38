import { checkOptions, is, show } from '@gradgate/core/internal';
import { checkOptimizer, either, type Scheduled } from './scheduler.js';

export interface PlateauOptions {
  /** Whether the metric is to become small or large; 'min' by default. */
  mode?: 'min' | 'max';
  /** What the rate is multiplied by; 0.1 by default. */
  factor?: number;
  /** How many epochs without improvement are put up with; 10 by default. */
  patience?: number;
  /** By which part the metric has to improve to count; 1e-4 by default. */
  threshold?: number;
  /** For how many epochs after a change nothing is counted; 0 by default. */
  cooldown?: number;
  /** The lowest rate; 0 by default. */
  minLr?: number;
}

const plateauKinds = {
  ...{ mode: is.oneOf('min', 'max'), factor: is.nonNegative, patience: is.size, threshold: is.nonNegative },
  ...{ cooldown: is.size, minLr: is.nonNegative },
};

/**
 * Multiplies the rate by `factor`, 0.1 by default, when a metric has not improved for more than `patience` epochs, 10
 * by default.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.ReduceLROnPlateau(optimizer, { patience: 0 });
 * scheduler.step(0.7);
 * scheduler.step(0.8);
 * optimizer.paramGroups[0]!.lr; // 0.1
 * ```
 */
export class ReduceLROnPlateau {
  /** The best metric so far. */
  best: number;
  /** How many epochs there were since. */
  numBadEpochs = 0;
  #cooldown = 0;
  readonly options: Required<PlateauOptions>;

  constructor(
    readonly optimizer: Scheduled,
    options: PlateauOptions = {},
  ) {
    checkOptimizer('ReduceLROnPlateau', optimizer);
    const given = checkOptions('ReduceLROnPlateau', options, plateauKinds);
    this.options = { mode: 'min', factor: 0.1, patience: 10, threshold: 1e-4, cooldown: 0, minLr: 0, ...given };
    this.best = this.options.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** Takes the metric of an epoch. */
  step(metric: number): void {
    if (typeof metric !== 'number')
      throw new TypeError(`ReduceLROnPlateau.step: takes the metric as a number, got ${show(metric)}`);
    const { mode, factor, patience, threshold, cooldown, minLr } = this.options;
    const better = mode === 'min' ? metric < this.best * (1 - threshold) : metric > this.best * (1 + threshold);
    if (better) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.#cooldown > 0) {
      this.#cooldown--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs <= patience) return;
    for (const group of this.optimizer.paramGroups) group.lr = Math.max(group.lr * factor, minLr);
    this.#cooldown = cooldown;
    this.numBadEpochs = 0;
  }

  /** The best metric and the counters, with PyTorch's names; without the rates themselves, which are the optimizer's. */
  stateDict(): Record<string, number> {
    return { best: this.best, num_bad_epochs: this.numBadEpochs, cooldown_counter: this.#cooldown };
  }

  /** Takes over a state; all is checked before anything changes. */
  loadStateDict(state: object): void {
    const given = (state ?? {}) as Record<string, unknown>;
    const { best } = given;
    const bad = either(given, 'num_bad_epochs', 'numBadEpochs');
    const cooldown = given['cooldown_counter'] ?? given['cooldown'];
    if (typeof best !== 'number' || !is.size.is(bad) || !is.size.is(cooldown))
      throw new TypeError('ReduceLROnPlateau.loadStateDict: not a state of a ReduceLROnPlateau');
    this.best = best;
    this.numBadEpochs = bad as number;
    this.#cooldown = cooldown as number;
  }
}
