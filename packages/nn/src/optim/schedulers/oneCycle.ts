import { check, checkOptions, is } from '@gradgate/core/internal';
import { cosine } from './cosine.js';
import { type MomentumRange, MomentumScheduler, momentumRange } from './momentum.js';
import { checkOptimizer, type LastEpochOption, lastEpochKind, ratesOf, type Scheduled } from './scheduler.js';

/** Options of `OneCycleLR`. */
export interface OneCycleOptions extends LastEpochOption {
  /** The highest learning rate, for all groups or for each. */
  maxLr: number | readonly number[];
  /** The number of steps of the cycle; or give `epochs` and `stepsPerEpoch`. */
  totalSteps?: number;
  /** The number of epochs, where `totalSteps` is not given. */
  epochs?: number;
  /** The number of batches in an epoch, where `totalSteps` is not given. */
  stepsPerEpoch?: number;
  /** The fraction of the steps in which the rate rises; 0.3 by default. */
  pctStart?: number;
  /** Whether rates follow a cosine or a line; 'cos' by default. */
  annealStrategy?: 'cos' | 'linear';
  /** The rate starts at `maxLr / divFactor`; 25 by default. */
  divFactor?: number;
  /** The rate ends at its first value divided by this; 1e4 by default. */
  finalDivFactor?: number;
  /**
   * Whether momentum, or the first of `betas`, goes from `maxMomentum` to `baseMomentum` and back; by default if the
   * optimizer has one.
   */
  cycleMomentum?: boolean;
  /** The lowest momentum; 0.85 by default. */
  baseMomentum?: number;
  /** The highest momentum; 0.95 by default. */
  maxMomentum?: number;
  /**
   * Whether the rate falls in two phases: to its first value in as many steps as it rose, then to the last one. False
   * by default.
   */
  threePhase?: boolean;
}

const oneCycleKinds = {
  maxLr: is.either(is.positive, is.arrayOf(is.positive)),
  totalSteps: is.count,
  epochs: is.count,
  stepsPerEpoch: is.count,
  pctStart: is.probability,
  annealStrategy: is.oneOf('cos', 'linear'),
  divFactor: is.positive,
  finalDivFactor: is.positive,
  cycleMomentum: is.boolean,
  baseMomentum: is.nonNegative,
  maxMomentum: is.nonNegative,
  threePhase: is.boolean,
  ...lastEpochKind,
};

/** A part of the cycle, up to step `end`, with the rate and momentum at its end. */
interface Phase {
  readonly end: number;
  readonly lr: 'first' | 'top' | 'last';
  readonly momentum: 'high' | 'low';
}

/**
 * One cycle (Smith and Topin, 2018): raises the learning rate to `maxLr` over the first `pctStart` of the steps, then
 * lowers it far below its first value, and moves momentum in the opposite direction. Step it after each batch.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.OneCycleLR(optimizer, { maxLr: 1, totalSteps: 10, cycleMomentum: false });
 * optimizer.paramGroups[0]!.lr; // 0.04
 * ```
 */
export class OneCycleLR extends MomentumScheduler {
  /** The options that it was made with. */
  readonly options: { totalSteps: number; divFactor: number; finalDivFactor: number };
  private readonly maxRates: readonly number[];
  private readonly phases: readonly Phase[];
  private readonly anneal: (from: number, to: number, part: number) => number;

  constructor(optimizer: Scheduled, options: OneCycleOptions) {
    const given = checkOptions('OneCycleLR', options, oneCycleKinds);
    const { maxLr, epochs, stepsPerEpoch, pctStart = 0.3, divFactor = 25, finalDivFactor = 1e4, lastEpoch } = given;
    const { annealStrategy = 'cos', cycleMomentum, baseMomentum = 0.85, maxMomentum = 0.95, threePhase } = given;
    check('OneCycleLR', 'maxLr', maxLr, oneCycleKinds.maxLr);
    checkOptimizer('OneCycleLR', optimizer);
    const totalSteps = given.totalSteps ?? (epochs ?? Number.NaN) * (stepsPerEpoch ?? Number.NaN);
    if (Number.isNaN(totalSteps)) throw new TypeError('OneCycleLR: give totalSteps, or epochs and stepsPerEpoch');
    const momentum = momentumRange('OneCycleLR', optimizer, cycleMomentum, { low: baseMomentum, high: maxMomentum });
    const maxRates = ratesOf('OneCycleLR', 'maxLr', maxLr, optimizer);
    super(optimizer, lastEpoch, momentum);
    this.options = { totalSteps, divFactor, finalDivFactor };
    this.maxRates = maxRates;
    this.anneal = annealStrategy === 'cos' ? cosine : (from, to, part) => from + (to - from) * part;
    const up: Phase = { end: pctStart * totalSteps - 1, lr: 'top', momentum: 'low' };
    const down: Phase = { end: 2 * pctStart * totalSteps - 2, lr: 'first', momentum: 'high' };
    const out: Phase = { end: totalSteps - 1, lr: 'last', momentum: 'high' };
    this.phases = threePhase ? [up, down, out] : [up, out];
    this.beginFrom(maxRates.map((rate) => rate / divFactor));
  }

  /** The phase of a step, the one before, and the fraction of the phase that is over. */
  private at(epoch: number): { before: Phase; phase: Phase; part: number } {
    let before: Phase = { end: 0, lr: 'first', momentum: 'high' };
    for (const phase of this.phases) {
      if (epoch <= phase.end || phase === this.phases.at(-1))
        return { before, phase, part: Math.min(1, (epoch - before.end) / (phase.end - before.end)) };
      before = phase;
    }
    throw new RangeError('OneCycleLR: there are no phases');
  }

  protected lrAt(epoch: number, _baseLr: number, group: number): number {
    const { totalSteps, divFactor, finalDivFactor } = this.options;
    // One more step is allowed, as loops end with a step of the scheduler.
    if (epoch > totalSteps)
      throw new RangeError(`OneCycleLR: step ${epoch} is beyond the ${totalSteps} steps it was made for`);
    const top = this.maxRates[group] ?? this.maxRates.at(-1)!;
    const first = top / divFactor;
    const rates = { first, top, last: first / finalDivFactor };
    const { before, phase, part } = this.at(epoch);
    return this.anneal(rates[before.lr], rates[phase.lr], part);
  }

  protected momentumAt(epoch: number, range: MomentumRange): number {
    const { before, phase, part } = this.at(epoch);
    return this.anneal(range[before.momentum], range[phase.momentum], part);
  }
}
