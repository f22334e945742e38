import { check, checkOptions, is, show } from '@gradgate/core/internal';

/** The part of an optimizer that schedulers drive. */
export interface Scheduled {
  readonly paramGroups: {
    lr: number;
    /** The rate that schedulers start from: what `lr` was when the first of them was made. */
    initialLr?: number;
  }[];
}

/** What a scheduler's `stateDict` gives, with PyTorch's names. */
export interface SchedulerState {
  last_epoch: number;
  base_lrs: number[];
  _last_lr: number[];
}

const areRates = (value: unknown, length: number): value is number[] =>
  Array.isArray(value) && value.length === length && value.every(is.nonNegative.is);

/** A value by PyTorch's name or that of earlier versions. */
const either = (state: Record<string, unknown>, name: string, former: string): unknown => state[name] ?? state[former];

function checkOptimizer(name: string, optimizer: unknown): void {
  if (!Array.isArray((optimizer as Partial<Scheduled> | null)?.paramGroups))
    throw new TypeError(`${name}: takes an optimizer, got ${show(optimizer)}`);
}

/**
 * Base class of schedulers: a subclass says in `lrAt` the rate of a group after `epoch` steps, given the rate it started
 * with, and may say in `next` how a step changes the rate that is in force.
 *
 * Schedulers of one optimizer may be stepped together, and rates may be set by hand in between: all but those that are
 * defined by the epoch alone (`LambdaLR`, warm restarts, `OneCycleLR`) go on from the rate that they find. The rate that they
 * start from is kept in the groups as `initialLr`, and with the optimizer's state: so a scheduler that is made for a resumed
 * optimizer starts from the same. `lastEpoch` says how many steps a run that is resumed had made, less one.
 *
 * ```ts
 * class Halving extends optim.LRScheduler {
 *   protected override lrAt(baseLr: number, epoch: number): number {
 *     return baseLr / 2 ** epoch;
 *   }
 * }
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new Halving(optimizer).step();
 * optimizer.paramGroups[0]!.lr; // 0.5
 * ```
 */
export abstract class LRScheduler {
  /** How many steps were made. */
  lastEpoch: number;
  /** The rates that the groups started with. */
  readonly baseLrs: number[];

  constructor(
    readonly optimizer: Scheduled,
    lastEpoch = -1,
  ) {
    const { name } = new.target;
    checkOptimizer(name, optimizer);
    if (!Number.isSafeInteger(lastEpoch) || lastEpoch < -1)
      throw new RangeError(`${name}: lastEpoch is a whole number from -1 up, got ${show(lastEpoch)}`);
    for (const group of optimizer.paramGroups) {
      if (lastEpoch >= 0 && group.initialLr === undefined)
        throw new TypeError(
          `${name}: lastEpoch is for a resumed optimizer, whose groups have initialLr; load its state`,
        );
      group.initialLr ??= group.lr;
    }
    this.baseLrs = optimizer.paramGroups.map((g) => g.initialLr!);
    this.lastEpoch = lastEpoch + 1;
  }

  /** The rate of a group after `epoch` steps, if nothing else changes it. */
  protected abstract lrAt(epoch: number, baseLr: number, group: number): number;

  /** The rate of a group after the step to `epoch`, from `lr` before it; by default what `lrAt` gives. */
  protected next(_lr: number, epoch: number, baseLr: number, group: number): number {
    return this.lrAt(epoch, baseLr, group);
  }

  /** The rates in force. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((g) => g.lr);
  }

  /** Goes on by one, from the rates in force; or to `epoch`, from the rates at the start. */
  step(epoch?: number): void {
    if (epoch !== undefined) {
      check(`${this.constructor.name}.step`, 'the epoch', epoch, is.size);
      this.lastEpoch = epoch;
      this.apply();
    } else {
      this.setRates(this.lastEpoch + 1, (lr, baseLr, i) => this.next(lr, this.lastEpoch + 1, baseLr, i));
      this.lastEpoch++;
    }
  }

  /** @internal Sets the rates of the current epoch from those at the start. */
  apply(): void {
    this.setRates(this.lastEpoch, (_, baseLr, i) => this.lrAt(this.lastEpoch, baseLr, i));
  }

  /** @internal Sets the rates of the epoch at which the scheduler was made, or those of its first one. */
  begin(): void {
    this.setRates(this.lastEpoch, (lr, baseLr, i) => this.next(lr, this.lastEpoch, baseLr, i));
  }

  /** Sets all rates, or none if one is wrong. */
  private setRates(epoch: number, rate: (lr: number, baseLr: number, group: number) => number): void {
    const groups = this.optimizer.paramGroups;
    // Groups that were added since start from their own rates.
    for (const group of groups.slice(this.baseLrs.length)) {
      group.initialLr ??= group.lr;
      this.baseLrs.push(group.initialLr);
    }
    const rates = groups.map((group, i) => rate(group.lr, this.baseLrs[i]!, i));
    for (const lr of rates)
      if (!(lr >= 0))
        throw new RangeError(`${this.constructor.name}: the rate of epoch ${epoch} is ${lr}; look at its options`);
    rates.forEach((lr, i) => {
      groups[i]!.lr = lr;
    });
  }

  /** Steps made, the rates at the start and those in force, with PyTorch's names. A snapshot. */
  stateDict(): SchedulerState {
    return { last_epoch: this.lastEpoch, base_lrs: [...this.baseLrs], _last_lr: this.getLastLr() };
  }

  /** Takes over a state, rates included; all is checked before anything changes. */
  loadStateDict(state: object): void {
    const given = this.readState(state);
    this.lastEpoch = given.last_epoch;
    this.baseLrs.splice(0, this.baseLrs.length, ...given.base_lrs);
    this.optimizer.paramGroups.forEach((group, i) => {
      group.initialLr = given.base_lrs[i]!;
    });
    if (given._last_lr.length === 0) this.apply();
    given._last_lr.forEach((lr, i) => {
      this.optimizer.paramGroups[i]!.lr = lr;
    });
  }

  /** @internal The state, if it is one of such a scheduler; files of earlier versions have no rates in force. */
  readState(state: object): SchedulerState {
    const count = this.optimizer.paramGroups.length;
    const refuse = (what: string): never => {
      throw new TypeError(
        `${this.constructor.name}.loadStateDict: not a state of a scheduler of ${count} groups: ${what}`,
      );
    };
    if (typeof state !== 'object' || state === null) return refuse(`got ${show(state)}`);
    const given = state as Record<string, unknown>;
    const lastEpoch = either(given, 'last_epoch', 'lastEpoch');
    const baseLrs = either(given, 'base_lrs', 'baseLrs');
    const lastLr = given['_last_lr'] ?? [];
    if (!is.size.is(lastEpoch)) return refuse(`last_epoch is ${show(lastEpoch)}`);
    if (!areRates(baseLrs, count)) return refuse(`base_lrs is ${show(baseLrs)}`);
    if (!areRates(lastLr, count) && !areRates(lastLr, 0)) return refuse(`_last_lr is ${show(lastLr)}`);
    return { last_epoch: lastEpoch as number, base_lrs: baseLrs, _last_lr: lastLr };
  }
}

/** A scheduler whose rate is the first one times a factor of the epoch. */
class Factor extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    private readonly factor: (epoch: number) => number,
    lastEpoch?: number,
    /** What a step to `epoch` multiplies the rate by. */
    private readonly ratio: (epoch: number) => number = (epoch) => {
      const [before, now] = [factor(epoch - 1), factor(epoch)];
      return before === now ? 1 : now / before;
    },
  ) {
    super(optimizer, lastEpoch);
    this.begin();
  }

  protected lrAt(epoch: number, baseLr: number): number {
    return baseLr * this.factor(epoch);
  }

  protected override next(lr: number, epoch: number, baseLr: number): number {
    if (epoch === 0) return lr * this.factor(0);
    const ratio = this.ratio(epoch);
    return Number.isFinite(ratio) ? lr * ratio : this.lrAt(epoch, baseLr);
  }
}

/** Of all schedulers: how many steps a resumed run had made, less one; -1 for a new run. */
interface Resumable {
  lastEpoch?: number;
}
const lastEpochKind = { lastEpoch: is.integer };

/**
 * Multiplies the rate by `gamma`, 0.1 by default, every `stepSize` steps.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.StepLR(optimizer, { stepSize: 2 });
 * for (let epoch = 0; epoch < 2; epoch++) scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.1
 * ```
 */
export class StepLR extends Factor {
  constructor(optimizer: Scheduled, options: { stepSize: number; gamma?: number } & Resumable) {
    const known = { stepSize: is.count, gamma: is.nonNegative, ...lastEpochKind };
    const { stepSize, gamma = 0.1, lastEpoch } = checkOptions('StepLR', options, known);
    if (!Number.isInteger(stepSize) || stepSize < 1)
      throw new RangeError(`StepLR: stepSize is a whole number above 0, got ${stepSize}`);
    const factor = (epoch: number) => gamma ** Math.floor(epoch / stepSize);
    super(optimizer, factor, lastEpoch, (epoch) => (epoch % stepSize === 0 ? gamma : 1));
  }
}

/**
 * Multiplies the rate by `gamma`, 0.1 by default, at each of the steps `milestones`.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.MultiStepLR(optimizer, { milestones: [1, 3] });
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.1
 * ```
 */
export class MultiStepLR extends Factor {
  constructor(optimizer: Scheduled, options: { milestones: readonly number[]; gamma?: number } & Resumable) {
    const known = { milestones: is.arrayOf(is.size), gamma: is.nonNegative, ...lastEpochKind };
    const { milestones, gamma = 0.1, lastEpoch } = checkOptions('MultiStepLR', options, known);
    check('MultiStepLR', 'milestones', milestones, known.milestones);
    const passed = (test: (milestone: number) => boolean) => gamma ** milestones.filter(test).length;
    super(
      optimizer,
      (epoch) => passed((m) => m <= epoch),
      lastEpoch,
      (epoch) => passed((m) => m === epoch),
    );
  }
}

/**
 * Multiplies the rate by `gamma` in each step.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new optim.ExponentialLR(optimizer, { gamma: 0.9 }).step();
 * optimizer.paramGroups[0]!.lr; // 0.9
 * ```
 */
export class ExponentialLR extends Factor {
  constructor(optimizer: Scheduled, options: { gamma: number } & Resumable) {
    const { gamma, lastEpoch } = checkOptions('ExponentialLR', options, { gamma: is.nonNegative, ...lastEpochKind });
    check('ExponentialLR', 'gamma', gamma, is.nonNegative);
    super(
      optimizer,
      (epoch) => gamma ** epoch,
      lastEpoch,
      () => gamma,
    );
  }
}

/**
 * Sets the rate to the one at the start times what `lrLambda` gives for the number of steps made.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new optim.LambdaLR(optimizer, (epoch) => 1 / (1 + epoch)).step();
 * optimizer.paramGroups[0]!.lr; // 0.5
 * ```
 */
export class LambdaLR extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    private readonly lrLambda: (epoch: number) => number,
    options: Resumable = {},
  ) {
    check('LambdaLR', 'lrLambda', lrLambda, is.callback);
    super(optimizer, checkOptions('LambdaLR', options, lastEpochKind).lastEpoch);
    this.begin();
  }

  protected lrAt(epoch: number, baseLr: number): number {
    return baseLr * this.lrLambda(epoch);
  }
}

/**
 * Multiplies the rate by a factor that goes from `startFactor`, 1/3 by default, to `endFactor`, 1, in equal steps,
 * `totalIters` of them, 5 by default: a warm-up.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.LinearLR(optimizer, { startFactor: 0.5, totalIters: 2 });
 * optimizer.paramGroups[0]!.lr; // 0.5
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.75
 * ```
 */
export class LinearLR extends Factor {
  constructor(
    optimizer: Scheduled,
    options: { startFactor?: number; endFactor?: number; totalIters?: number } & Resumable = {},
  ) {
    const known = { startFactor: is.nonNegative, endFactor: is.nonNegative, totalIters: is.count, ...lastEpochKind };
    const given = checkOptions('LinearLR', options, known);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5, lastEpoch } = given;
    const factor = (epoch: number) =>
      startFactor + ((endFactor - startFactor) * Math.min(epoch, totalIters)) / totalIters;
    super(optimizer, factor, lastEpoch);
  }
}

/**
 * Multiplies the rate by `factor`, 1/3 by default, for the first `totalIters` steps, 5 by default.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new optim.ConstantLR(optimizer, { factor: 0.5 });
 * optimizer.paramGroups[0]!.lr; // 0.5
 * ```
 */
export class ConstantLR extends Factor {
  constructor(optimizer: Scheduled, options: { factor?: number; totalIters?: number } & Resumable = {}) {
    const known = { factor: is.nonNegative, totalIters: is.size, ...lastEpochKind };
    const { factor = 1 / 3, totalIters = 5, lastEpoch } = checkOptions('ConstantLR', options, known);
    super(optimizer, (epoch) => (epoch < totalIters ? factor : 1), lastEpoch);
  }
}

/**
 * Brings the rate down to 0 over `totalIters` steps, 5 by default, as the power `power`, 1 by default, of the part of
 * them that is left.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * new optim.PolynomialLR(optimizer, { totalIters: 4 }).step();
 * optimizer.paramGroups[0]!.lr; // 0.75
 * ```
 */
export class PolynomialLR extends Factor {
  constructor(optimizer: Scheduled, options: { totalIters?: number; power?: number } & Resumable = {}) {
    const known = { totalIters: is.count, power: is.nonNegative, ...lastEpochKind };
    const { totalIters = 5, power = 1, lastEpoch } = checkOptions('PolynomialLR', options, known);
    super(optimizer, (epoch) => (1 - Math.min(epoch, totalIters) / totalIters) ** power, lastEpoch);
  }
}

const cosine = (from: number, to: number, part: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;

/**
 * Down to `etaMin`, 0 by default, along half a cosine over `tMax` steps, and up again after (Loshchilov and Hutter,
 * 2017).
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const scheduler = new optim.CosineAnnealingLR(optimizer, { tMax: 2 });
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.5
 * ```
 */
export class CosineAnnealingLR extends LRScheduler {
  readonly options: { tMax: number; etaMin: number };

  constructor(optimizer: Scheduled, options: { tMax: number; etaMin?: number } & Resumable) {
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
    // At the lowest point there is nothing that could be multiplied.
    if ((epoch - 1 - tMax) % (2 * tMax) === 0) return lr + ((baseLr - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2;
    const height = (e: number) => 1 + Math.cos((Math.PI * e) / tMax);
    return etaMin + ((lr - etaMin) * height(epoch)) / height(epoch - 1);
  }
}

/**
 * Half cosines with restarts, the first `t0` steps long, each `tMult` times the one before, 1 by default (Loshchilov
 * and Hutter, 2017).
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
  readonly options: { t0: number; tMult: number; etaMin: number };

  constructor(optimizer: Scheduled, options: { t0: number; tMult?: number; etaMin?: number } & Resumable) {
    const known = { t0: is.number, tMult: is.number, etaMin: is.nonNegative, ...lastEpochKind };
    const { t0, tMult = 1, etaMin = 0, lastEpoch } = checkOptions('CosineAnnealingWarmRestarts', options, known);
    if (!(t0 > 0 && tMult >= 1))
      throw new RangeError(`CosineAnnealingWarmRestarts: t0 is above 0 and tMult from 1 up, got ${t0} and ${tMult}`);
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

type WithMomentum = { momentum?: number; betas?: readonly [number, number] };

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
    const groups = optimizer.paramGroups as WithMomentum[];
    const hasMomentum = groups.every((g) => g.momentum !== undefined || g.betas !== undefined);
    if (cycleMomentum === true && !hasMomentum)
      throw new TypeError('OneCycleLR: cycleMomentum is for optimizers that have momentum or betas');
    const tops = typeof maxLr === 'number' ? groups.map(() => maxLr) : maxLr;
    if (tops.length !== groups.length)
      throw new TypeError(`OneCycleLR: maxLr has ${tops.length} rates, and the optimizer ${groups.length} groups`);
    super(optimizer, lastEpoch);
    this.options = { totalSteps, divFactor, finalDivFactor };
    this.#tops = tops;
    this.#anneal = annealStrategy === 'cos' ? cosine : (from, to, part) => from + (to - from) * part;
    this.#momentum = cycleMomentum !== false && hasMomentum ? { high: maxMomentum, low: baseMomentum } : null;
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
    super.step(epoch);
    this.#setMomentum();
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
    for (const group of this.optimizer.paramGroups as WithMomentum[])
      if (group.betas !== undefined) group.betas = [momentum, group.betas[1]];
      else group.momentum = momentum;
  }
}

/**
 * Schedulers one after another: each from its milestone on, starting at its own beginning.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const warmUp = new optim.LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
 * const scheduler = new optim.SequentialLR([warmUp, new optim.CosineAnnealingLR(optimizer, { tMax: 95 })], [5]);
 * optimizer.paramGroups[0]!.lr; // 0.1
 * ```
 */
export class SequentialLR {
  /** How many steps were made. */
  lastEpoch = 0;

  constructor(
    readonly schedulers: readonly LRScheduler[],
    readonly milestones: readonly number[],
  ) {
    check('SequentialLR', 'schedulers', schedulers, is.arrayOf(is.object));
    check('SequentialLR', 'milestones', milestones, is.arrayOf(is.size));
    if (schedulers.length === 0 || milestones.length !== schedulers.length - 1)
      throw new TypeError(
        `SequentialLR: ${schedulers.length} schedulers need ${schedulers.length - 1} milestones, got ${milestones.length}`,
      );
    // Each has set the rates of its own beginning when it was made.
    const [first] = schedulers as [LRScheduler];
    for (const group of first.optimizer.paramGroups) group.lr = group.initialLr!;
    first.begin();
  }

  /** Which scheduler the current epoch belongs to. */
  private get current(): number {
    return this.milestones.filter((m) => m <= this.lastEpoch).length;
  }

  /** Steps the scheduler whose turn it is. */
  step(): void {
    this.lastEpoch++;
    const which = this.current;
    const scheduler = this.schedulers[which]!;
    if (which > 0 && this.milestones[which - 1] === this.lastEpoch) scheduler.step(0);
    else scheduler.step();
  }

  /** The rates in force. */
  getLastLr(): number[] {
    return this.schedulers[0]!.getLastLr();
  }

  /** The state of all, with PyTorch's names. A snapshot. */
  stateDict(): Record<string, unknown> {
    return { last_epoch: this.lastEpoch, _schedulers: this.schedulers.map((s) => s.stateDict()) };
  }

  /** Takes over a state, rates included; all is checked before anything changes. */
  loadStateDict(state: object): void {
    const given = (state ?? {}) as Record<string, unknown>;
    const lastEpoch = either(given, 'last_epoch', 'lastEpoch');
    const states = either(given, '_schedulers', 'schedulers');
    const count = this.schedulers.length;
    if (!is.size.is(lastEpoch) || !Array.isArray(states) || states.length !== count)
      throw new TypeError(`SequentialLR.loadStateDict: not a state of ${count} schedulers`);
    this.schedulers.forEach((s, i) => void s.readState(states[i]));
    this.lastEpoch = lastEpoch as number;
    // Each sets the rates; those of the current one hold.
    for (const i of [...this.schedulers.keys()].filter((k) => k !== this.current).concat(this.current))
      this.schedulers[i]!.loadStateDict(states[i]);
  }
}

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
      throw new TypeError(`ReduceLROnPlateau.step takes the metric as a number, got ${typeof metric}`);
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
