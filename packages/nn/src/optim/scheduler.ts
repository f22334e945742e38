/** The part of an optimizer that schedulers drive. */
interface Scheduled {
  readonly paramGroups: { lr: number }[];
}

/**
 * Base class of schedulers: a subclass says the rate of a group after `epoch` steps, given the rate it started with.
 * Closed forms of the epoch, so that a scheduler can be set to any point.
 */
export abstract class LRScheduler {
  lastEpoch = 0;
  readonly baseLrs: number[];

  constructor(readonly optimizer: Scheduled) {
    this.baseLrs = optimizer.paramGroups.map((g) => g.lr);
  }

  protected abstract lrAt(epoch: number, baseLr: number, group: number): number;

  /** The rates in force. */
  getLastLr(): number[] {
    return this.optimizer.paramGroups.map((g) => g.lr);
  }

  /** Goes on by one, or to `epoch`. */
  step(epoch = this.lastEpoch + 1): void {
    this.lastEpoch = epoch;
    this.apply();
  }

  /** @internal Sets the rates of the current epoch. */
  apply(): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      const lr = this.lrAt(this.lastEpoch, this.baseLrs[i]!, i);
      if (!(lr >= 0))
        throw new RangeError(
          `${this.constructor.name}: the rate of epoch ${this.lastEpoch} is ${lr}; look at its options`,
        );
      group.lr = lr;
    });
  }

  stateDict(): Record<string, unknown> {
    return { lastEpoch: this.lastEpoch, baseLrs: [...this.baseLrs] };
  }

  loadStateDict(state: Record<string, unknown>): void {
    const { lastEpoch, baseLrs } = state as { lastEpoch: number; baseLrs: number[] };
    if (!Number.isInteger(lastEpoch) || !Array.isArray(baseLrs) || baseLrs.length !== this.baseLrs.length)
      throw new TypeError(
        `${this.constructor.name}.loadStateDict: not a state of a scheduler of ${this.baseLrs.length} groups`,
      );
    this.lastEpoch = lastEpoch;
    this.baseLrs.splice(0, baseLrs.length, ...baseLrs);
    this.apply();
  }
}

/** A scheduler whose rate is the first one times a factor of the epoch. */
class Factor extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    private readonly factor: (epoch: number) => number,
  ) {
    super(optimizer);
    this.apply();
  }
  protected lrAt(epoch: number, baseLr: number): number {
    return baseLr * this.factor(epoch);
  }
}

/** Times `gamma` every `stepSize` epochs. */
export class StepLR extends Factor {
  constructor(optimizer: Scheduled, { stepSize, gamma = 0.1 }: { stepSize: number; gamma?: number }) {
    if (!Number.isInteger(stepSize) || stepSize < 1)
      throw new RangeError(`StepLR: stepSize is a whole number above 0, got ${stepSize}`);
    super(optimizer, (epoch) => gamma ** Math.floor(epoch / stepSize));
  }
}

/** Times `gamma` at each milestone. */
export class MultiStepLR extends Factor {
  constructor(optimizer: Scheduled, { milestones, gamma = 0.1 }: { milestones: readonly number[]; gamma?: number }) {
    super(optimizer, (epoch) => gamma ** milestones.filter((m) => m <= epoch).length);
  }
}

/** Times `gamma` each epoch. */
export class ExponentialLR extends Factor {
  constructor(optimizer: Scheduled, { gamma }: { gamma: number }) {
    super(optimizer, (epoch) => gamma ** epoch);
  }
}

/** Times what `lrLambda` gives for the epoch. */
export class LambdaLR extends Factor {
  constructor(optimizer: Scheduled, lrLambda: (epoch: number) => number) {
    super(optimizer, lrLambda);
  }
}

/** From `startFactor` to `endFactor` in equal steps over `totalIters` epochs. */
export class LinearLR extends Factor {
  constructor(optimizer: Scheduled, { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = {}) {
    super(optimizer, (epoch) => startFactor + ((endFactor - startFactor) * Math.min(epoch, totalIters)) / totalIters);
  }
}

/** Times `factor` for the first `totalIters` epochs. */
export class ConstantLR extends Factor {
  constructor(optimizer: Scheduled, { factor = 1 / 3, totalIters = 5 } = {}) {
    super(optimizer, (epoch) => (epoch < totalIters ? factor : 1));
  }
}

/** To 0 over `totalIters` epochs, as a power of what is left. */
export class PolynomialLR extends Factor {
  constructor(optimizer: Scheduled, { totalIters = 5, power = 1 } = {}) {
    super(optimizer, (epoch) => (1 - Math.min(epoch, totalIters) / totalIters) ** power);
  }
}

const cosine = (from: number, to: number, part: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * part))) / 2;

/** Down to `etaMin` along half a cosine over `tMax` epochs, and up again after (Loshchilov and Hutter, 2017). */
export class CosineAnnealingLR extends LRScheduler {
  readonly options: { tMax: number; etaMin: number };
  constructor(optimizer: Scheduled, { tMax, etaMin = 0 }: { tMax: number; etaMin?: number }) {
    super(optimizer);
    this.options = { tMax, etaMin };
  }
  protected lrAt(epoch: number, baseLr: number): number {
    return cosine(baseLr, this.options.etaMin, epoch / this.options.tMax);
  }
}

/** Half cosines with restarts, the first `t0` epochs long, each `tMult` times the one before. */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  readonly options: { t0: number; tMult: number; etaMin: number };
  constructor(optimizer: Scheduled, { t0, tMult = 1, etaMin = 0 }: { t0: number; tMult?: number; etaMin?: number }) {
    super(optimizer);
    if (!(t0 > 0 && tMult >= 1))
      throw new RangeError(`CosineAnnealingWarmRestarts: t0 is above 0 and tMult from 1 up, got ${t0} and ${tMult}`);
    this.options = { t0, tMult, etaMin };
  }
  protected lrAt(epoch: number, baseLr: number): number {
    const { t0, tMult, etaMin } = this.options;
    let [length, at] = [t0, epoch];
    while (at >= length) {
      at -= length;
      length *= tMult;
    }
    return cosine(baseLr, etaMin, at / length);
  }
}

/** Up to `maxLr` over the first `pctStart` of `totalSteps`, then down far below the start (Smith and Topin, 2018). */
export class OneCycleLR extends LRScheduler {
  readonly options: { maxLr: number; totalSteps: number; pctStart: number; divFactor: number; finalDivFactor: number };
  constructor(
    optimizer: Scheduled,
    {
      maxLr,
      totalSteps,
      pctStart = 0.3,
      divFactor = 25,
      finalDivFactor = 1e4,
    }: { maxLr: number; totalSteps: number; pctStart?: number; divFactor?: number; finalDivFactor?: number },
  ) {
    super(optimizer);
    this.options = { maxLr, totalSteps, pctStart, divFactor, finalDivFactor };
    this.apply();
  }
  protected lrAt(epoch: number): number {
    const { maxLr, totalSteps, pctStart, divFactor, finalDivFactor } = this.options;
    // The step after the last one may be asked for: a loop ends with a step of the scheduler.
    if (epoch > totalSteps)
      throw new RangeError(`OneCycleLR: step ${epoch} is beyond the ${totalSteps} steps it was made for`);
    const first = maxLr / divFactor;
    const top = pctStart * totalSteps - 1;
    if (epoch <= top) return cosine(first, maxLr, epoch / top);
    return cosine(maxLr, first / finalDivFactor, Math.min(1, (epoch - top) / (totalSteps - 1 - top)));
  }
}

/** Schedulers one after another: each from its milestone on, starting at its own beginning. */
export class SequentialLR {
  lastEpoch = 0;
  constructor(
    readonly schedulers: readonly LRScheduler[],
    readonly milestones: readonly number[],
  ) {
    if (schedulers.length === 0 || milestones.length !== schedulers.length - 1)
      throw new TypeError(
        `SequentialLR: ${schedulers.length} schedulers need ${schedulers.length - 1} milestones, got ${milestones.length}`,
      );
    // Each was made with the optimizer's rates at that time; the first one made saw the true ones.
    const [first] = schedulers as [LRScheduler];
    for (const s of schedulers) s.baseLrs.splice(0, s.baseLrs.length, ...first.baseLrs);
    first.apply();
  }
  /** Which scheduler the current epoch belongs to. */
  private get current(): number {
    return this.milestones.filter((m) => m <= this.lastEpoch).length;
  }

  step(): void {
    this.lastEpoch++;
    const which = this.current;
    this.schedulers[which]!.step(this.lastEpoch - (which === 0 ? 0 : this.milestones[which - 1]!));
  }
  getLastLr(): number[] {
    return this.schedulers[0]!.getLastLr();
  }

  stateDict(): Record<string, unknown> {
    return { lastEpoch: this.lastEpoch, schedulers: this.schedulers.map((s) => s.stateDict()) };
  }

  loadStateDict(state: Record<string, unknown>): void {
    const { lastEpoch, schedulers } = state as { lastEpoch: number; schedulers: Record<string, unknown>[] };
    if (!Number.isInteger(lastEpoch) || !Array.isArray(schedulers) || schedulers.length !== this.schedulers.length)
      throw new TypeError(`SequentialLR.loadStateDict: not a state of ${this.schedulers.length} schedulers`);
    this.schedulers.forEach((s, i) => {
      s.loadStateDict(schedulers[i]!);
    });
    this.lastEpoch = lastEpoch;
    // Each has set the rates as it was loaded; those of the current one hold.
    this.schedulers[this.current]!.apply();
  }
}

/** Times `factor` when a metric has not improved for more than `patience` epochs. */
export class ReduceLROnPlateau {
  best: number;
  numBadEpochs = 0;
  #cooldown = 0;
  readonly options: {
    mode: 'min' | 'max';
    factor: number;
    patience: number;
    threshold: number;
    cooldown: number;
    minLr: number;
  };

  constructor(
    readonly optimizer: Scheduled,
    options: {
      mode?: 'min' | 'max';
      factor?: number;
      patience?: number;
      threshold?: number;
      cooldown?: number;
      minLr?: number;
    } = {},
  ) {
    this.options = { mode: 'min', factor: 0.1, patience: 10, threshold: 1e-4, cooldown: 0, minLr: 0, ...options };
    this.best = this.options.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

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

  /** Without the rates themselves, which are the optimizer's. */
  stateDict(): Record<string, number> {
    return { best: this.best, numBadEpochs: this.numBadEpochs, cooldown: this.#cooldown };
  }

  loadStateDict(state: Record<string, unknown>): void {
    const { best, numBadEpochs, cooldown } = state;
    if (![best, numBadEpochs, cooldown].every((v) => typeof v === 'number'))
      throw new TypeError('ReduceLROnPlateau.loadStateDict: not a state of a ReduceLROnPlateau');
    this.best = best as number;
    this.numBadEpochs = numBadEpochs as number;
    this.#cooldown = cooldown as number;
  }
}
