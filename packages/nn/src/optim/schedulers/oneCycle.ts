import { asAction, check, checkOptions, is } from '@gradgate/core/internal';
import { cosine } from './cosine.js';
import { hasMomentum, setMomentum } from './momentum.js';
import { checkOptimizer, LRScheduler, lastEpochKind, ratesOf, type Scheduled } from './scheduler.js';

export interface OneCycleOptions {
  /** The highest rate, for all groups or for each. */
  maxLr: number | readonly number[];
  /** How many steps the cycle has; or give `epochs` and `stepsPerEpoch`. */
  totalSteps?: number;
  epochs?: number;
  stepsPerEpoch?: number;
  /** The part of the steps in which the rate goes up; 0.3 by default. */
  pctStart?: number;
  annealStrategy?: 'cos' | 'linear';
  /** The rate starts at `maxLr / divFactor`; 25 by default. */
  divFactor?: number;
  /** It ends at the one it started with divided by this; 1e4 by default. */
  finalDivFactor?: number;
  /** Whether momentum, or the first of `betas`, goes the other way: from `maxMomentum` to `baseMomentum` and back. */
  cycleMomentum?: boolean;
  baseMomentum?: number;
  maxMomentum?: number;
  /** Down to the rate of the start in as many steps as up, and from there on to the last one. */
  threePhase?: boolean;
  lastEpoch?: number;
}

const oneCycleKinds = {
  ...{ maxLr: is.either(is.positive, is.arrayOf(is.positive)), totalSteps: is.count, epochs: is.count },
  ...{ stepsPerEpoch: is.count, pctStart: is.probability, annealStrategy: is.oneOf('cos', 'linear') },
  ...{ divFactor: is.positive, finalDivFactor: is.positive, cycleMomentum: is.boolean, threePhase: is.boolean },
  ...{ baseMomentum: is.nonNegative, maxMomentum: is.nonNegative, ...lastEpochKind },
};

/** A part of the cycle, up to step `end`: which rate and momentum it comes to. */
interface Phase {
  readonly end: number;
  readonly lr: 'first' | 'top' | 'last';
  readonly momentum: 'high' | 'low';
}

/**
 * Up to `maxLr` over the first `pctStart` of the steps, then down far below the start (Smith and Topin, 2018), while
 * momentum goes down and up again. To be stepped after each batch.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 10, cycleMomentum: false });
 * optimizer.paramGroups[0]!.lr; // 0.04
 * ```
 */
export class OneCycleLR extends LRScheduler {
  readonly options: { totalSteps: number; divFactor: number; finalDivFactor: number };
  readonly #tops: readonly number[];
  readonly #phases: readonly Phase[];
  readonly #momentum: { high: number; low: number } | null;
  readonly #anneal: (from: number, to: number, part: number) => number;

  constructor(optimizer: Scheduled, options: OneCycleOptions) {
    const given = checkOptions('OneCycleLR', options, oneCycleKinds);
    const { maxLr, epochs, stepsPerEpoch, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4, lastEpoch } = given;
    const { annealStrategy = 'cos', cycleMomentum, baseMomentum = 0.85, maxMomentum = 0.95, threePhase } = given;
    check('OneCycleLR', 'maxLr', maxLr, oneCycleKinds.maxLr);
    checkOptimizer('OneCycleLR', optimizer);
    const totalSteps = given.totalSteps ?? (epochs ?? Number.NaN) * (stepsPerEpoch ?? Number.NaN);
    if (Number.isNaN(totalSteps)) throw new TypeError('OneCycleLR: give totalSteps, or epochs and stepsPerEpoch');
    if (cycleMomentum === true && !hasMomentum(optimizer))
      throw new TypeError('OneCycleLR: cycleMomentum is for optimizers that have momentum or betas');
    const tops = ratesOf('OneCycleLR', 'maxLr', maxLr, optimizer);
    super(optimizer, lastEpoch);
    this.options = { totalSteps, divFactor, finalDivFactor };
    this.#tops = tops;
    this.#anneal = annealStrategy === 'cos' ? cosine : (from, to, part) => from + (to - from) * part;
    this.#momentum =
      cycleMomentum !== false && hasMomentum(optimizer) ? { high: maxMomentum, low: baseMomentum } : null;
    const up: Phase = { end: pctStart * totalSteps - 1, lr: 'top', momentum: 'low' };
    const down: Phase = { end: 2 * pctStart * totalSteps - 2, lr: 'first', momentum: 'high' };
    const out: Phase = { end: totalSteps - 1, lr: 'last', momentum: 'high' };
    this.#phases = threePhase ? [up, down, out] : [up, out];
    optimizer.paramGroups.forEach((group, i) => {
      group.initialLr = tops[i]! / divFactor;
      this.baseLrs[i] = group.initialLr;
    });
    this.begin();
  }

  /** The phase of a step, and how much of it is over. */
  #at(epoch: number): { before: Phase; phase: Phase; part: number } {
    let before: Phase = { end: 0, lr: 'first', momentum: 'high' };
    for (const phase of this.#phases) {
      if (epoch <= phase.end || phase === this.#phases.at(-1))
        return { before, phase, part: Math.min(1, (epoch - before.end) / (phase.end - before.end)) };
      before = phase;
    }
    throw new RangeError('OneCycleLR: there are no phases');
  }

  protected lrAt(epoch: number, _baseLr: number, group: number): number {
    const { totalSteps, divFactor, finalDivFactor } = this.options;
    // The step after the last one may be asked for: a loop ends with a step of the scheduler.
    if (epoch > totalSteps)
      throw new RangeError(`OneCycleLR: step ${epoch} is beyond the ${totalSteps} steps it was made for`);
    const top = this.#tops[group] ?? this.#tops.at(-1)!;
    const first = top / divFactor;
    const rates = { first, top, last: first / finalDivFactor };
    const { before, phase, part } = this.#at(epoch);
    return this.#anneal(rates[before.lr], rates[phase.lr], part);
  }

  override step(epoch?: number): void {
    asAction(() => {
      super.step(epoch);
      this.#setMomentum();
    });
  }

  /** @internal */
  override apply(): void {
    super.apply();
    this.#setMomentum();
  }

  /** @internal */
  override begin(): void {
    super.begin();
    this.#setMomentum();
  }

  #setMomentum(): void {
    const range = this.#momentum;
    if (range === null) return;
    const { before, phase, part } = this.#at(this.lastEpoch);
    const momentum = this.#anneal(range[before.momentum], range[phase.momentum], part);
    setMomentum(this.optimizer, momentum);
  }
}
