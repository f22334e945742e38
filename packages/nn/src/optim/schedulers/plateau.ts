import { checkOptions, is, show } from '@gradgate/core/internal';
import { checkOptimizer, type Scheduled, savedAs } from './scheduler.js';

/** Options of `ReduceLROnPlateau`. */
export interface PlateauOptions {
  /** Whether the metric should become small ('min', the default) or large ('max'). */
  mode?: 'min' | 'max';
  /** The factor of the learning rate; 0.1 by default. */
  factor?: number;
  /** The number of epochs without improvement that are allowed; 10 by default. */
  patience?: number;
  /** The relative change of the metric that counts as an improvement; 1e-4 by default. */
  threshold?: number;
  /** The number of epochs after a change in which none are counted; 0 by default. */
  cooldown?: number;
  /** The lowest learning rate; 0 by default. */
  minLr?: number;
}

const plateauKinds = {
  mode: is.oneOf('min', 'max'),
  factor: is.nonNegative,
  patience: is.size,
  threshold: is.nonNegative,
  cooldown: is.size,
  minLr: is.nonNegative,
};

/**
 * Multiplies the learning rate by `factor`, 0.1 by default, when a metric has not improved for more than `patience`
 * epochs, 10 by default.
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
  /** The number of epochs since. */
  numBadEpochs = 0;
  private cooldown = 0;
  /** The options that it was made with. */
  readonly options: Required<PlateauOptions>;

  constructor(
    /** The optimizer whose learning rate it sets. */
    readonly optimizer: Scheduled,
    options: PlateauOptions = {},
  ) {
    checkOptimizer('ReduceLROnPlateau', optimizer);
    const given = checkOptions('ReduceLROnPlateau', options, plateauKinds);
    this.options = { mode: 'min', factor: 0.1, patience: 10, threshold: 1e-4, cooldown: 0, minLr: 0, ...given };
    this.best = this.options.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  /** Takes the metric of an epoch, and lowers the learning rate if it is time. */
  step(metric: number): void {
    if (typeof metric !== 'number')
      throw new TypeError(`ReduceLROnPlateau.step: takes the metric as a number, got ${show(metric)}`);
    checkOptimizer('ReduceLROnPlateau', this.optimizer);
    const { mode, factor, patience, threshold, cooldown, minLr } = this.options;
    const better = mode === 'min' ? metric < this.best * (1 - threshold) : metric > this.best * (1 + threshold);
    if (better) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldown > 0) {
      this.cooldown--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs <= patience) return;
    for (const group of this.optimizer.paramGroups) group.lr = Math.max(group.lr * factor, minLr);
    this.cooldown = cooldown;
    this.numBadEpochs = 0;
  }

  /**
   * Returns the best metric and the counters, under PyTorch's names. The learning rates are in the optimizer's state.
   */
  stateDict(): Record<string, number> {
    return { best: this.best, num_bad_epochs: this.numBadEpochs, cooldown_counter: this.cooldown };
  }

  /** Restores a state. Everything is checked before anything changes. */
  loadStateDict(state: object): void {
    const given = (state ?? {}) as Record<string, unknown>;
    const { best } = given;
    const bad = savedAs(given, 'num_bad_epochs', 'numBadEpochs');
    const cooldown = given['cooldown_counter'] ?? given['cooldown'];
    if (typeof best !== 'number' || !is.size.is(bad) || !is.size.is(cooldown))
      throw new TypeError('ReduceLROnPlateau.loadStateDict: not a state of a ReduceLROnPlateau');
    this.best = best;
    this.numBadEpochs = bad as number;
    this.cooldown = cooldown as number;
  }
}
