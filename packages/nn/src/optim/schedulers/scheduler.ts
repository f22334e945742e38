import { asAction, check, is, show } from '@gradgate/core/internal';

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
export const either = (state: Record<string, unknown>, name: string, former: string): unknown =>
  state[name] ?? state[former];

/** Refuses what is no optimizer. */
export function checkOptimizer(name: string, optimizer: unknown): void {
  if (!Array.isArray((optimizer as Partial<Scheduled> | null)?.paramGroups))
    throw new TypeError(`${name}: takes an optimizer, got ${show(optimizer)}`);
}

/** One rate for each group of an optimizer, of an option that gives one for all or one for each. */
export function ratesOf(
  scheduler: string,
  option: string,
  rates: number | readonly number[],
  { paramGroups: groups }: Scheduled,
): readonly number[] {
  if (typeof rates === 'number') return groups.map(() => rates);
  if (rates.length !== groups.length)
    throw new TypeError(`${scheduler}: ${option} has ${rates.length} rates, and the optimizer ${groups.length} groups`);
  return [...rates];
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
 *   protected override lrAt(epoch: number, baseLr: number): number {
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
    if (typeof this.lrAt !== 'function') throw new TypeError(`${name}: has no lrAt(); define it in the class`);
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
    asAction(() => this.#goOn(epoch));
  }

  #goOn(epoch: number | undefined): void {
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
export class Factor extends LRScheduler {
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
export interface Resumable {
  lastEpoch?: number;
}
export const lastEpochKind = { lastEpoch: is.integer };
