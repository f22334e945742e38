import { asAction, check, is, show } from '@gradgate/core/internal';
import { checkGroups } from '../groups.js';

/** The part of an optimizer that schedulers use. */
export interface Scheduled {
  /** The groups of parameters, each with its learning rate. */
  readonly paramGroups: {
    lr: number;
    /** The learning rate that schedulers start from: `lr` when the first of them was made. */
    initialLr?: number;
  }[];
}

/** The result of a scheduler's `stateDict`, under PyTorch's names. */
export interface SchedulerState {
  /** The number of steps made. */
  last_epoch: number;
  /** The learning rates that the groups started with. */
  base_lrs: number[];
  /** The current learning rates. */
  _last_lr: number[];
}

const areRates = (value: unknown, length: number): value is number[] =>
  Array.isArray(value) && value.length === length && value.every(is.nonNegative.is);

/** A value of a state under PyTorch's name, or under the name that earlier versions wrote. */
export const savedAs = (state: Record<string, unknown>, name: string, former: string): unknown =>
  state[name] ?? state[former];

/** Throws unless `schedulers` is an array of them. */
export function checkSchedulers(name: string, schedulers: readonly LRScheduler[]): void {
  check(name, 'schedulers', schedulers, is.arrayOf(is.object));
  for (const scheduler of schedulers)
    if (typeof scheduler.step !== 'function' || !is.object.is(scheduler.optimizer))
      throw new TypeError(`${name}: schedulers must be schedulers of an optimizer, got ${show(scheduler)}`);
}

/** Throws unless `optimizer` is one, with groups. */
export function checkOptimizer(name: string, optimizer: unknown): void {
  const groups = (optimizer as Partial<Scheduled> | null)?.paramGroups;
  if (!Array.isArray(groups)) throw new TypeError(`${name}: takes an optimizer, got ${show(optimizer)}`);
  checkGroups(name, groups);
}

/** One rate for each group of an optimizer, from an option with one for all or one for each. */
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
 * The base class of schedulers. A subclass defines `lrAt`, the learning rate of a group after `epoch` steps given its
 * initial one, and may define `next`, which computes the rate from the current one.
 *
 * Schedulers of one optimizer may step together, and rates may be set by hand in between: all schedulers continue from
 * the current rate, except those defined by the epoch alone (`LambdaLR`, warm restarts, `OneCycleLR`). The initial rate
 * is stored in the groups as `initialLr`, and in the optimizer's state, so that a scheduler made for a resumed
 * optimizer starts from the same one. `lastEpoch` is the number of steps that a resumed run had made, minus one.
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
  /** The number of steps made. */
  lastEpoch: number;
  /** The learning rates that the groups started with. */
  readonly baseLrs: number[];

  constructor(
    /** The optimizer whose learning rate it sets. */
    readonly optimizer: Scheduled,
    lastEpoch = -1,
  ) {
    const { name } = new.target;
    if (typeof this.lrAt !== 'function') throw new TypeError(`${name}: has no lrAt(); define it in the class`);
    checkOptimizer(name, optimizer);
    if (!Number.isSafeInteger(lastEpoch) || lastEpoch < -1)
      throw new RangeError(`${name}: lastEpoch must be a whole number from -1 up, got ${show(lastEpoch)}`);
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

  /** The learning rate of a group after `epoch` steps, if nothing else changes it. */
  protected abstract lrAt(epoch: number, baseLr: number, group: number): number;

  /** The learning rate of a group after the step to `epoch`, where `lr` is the one before; `lrAt` by default. */
  protected next(_lr: number, epoch: number, baseLr: number, group: number): number {
    return this.lrAt(epoch, baseLr, group);
  }

  /** Returns the current learning rate of each group. */
  getLastLr(): number[] {
    checkGroups(this.constructor.name, this.optimizer.paramGroups);
    return this.optimizer.paramGroups.map((g) => g.lr);
  }

  /** Makes one step from the current learning rates; or sets those of `epoch`, from the initial ones. */
  step(epoch?: number): void {
    asAction(() => this.stepTo(epoch));
  }

  private stepTo(epoch: number | undefined): void {
    if (epoch !== undefined) {
      check(`${this.constructor.name}.step`, 'the epoch', epoch, is.size);
      this.orAsBefore(() => {
        this.lastEpoch = epoch;
        this.apply();
      });
    } else {
      this.setRates(this.lastEpoch + 1, (lr, baseLr, i) => this.next(lr, this.lastEpoch + 1, baseLr, i));
      this.lastEpoch++;
    }
  }

  /** Makes a change of the epoch and the initial rates, or none if it throws. */
  private orAsBefore(change: () => void): void {
    const { lastEpoch } = this;
    const baseLrs = [...this.baseLrs];
    try {
      change();
    } catch (error) {
      this.lastEpoch = lastEpoch;
      this.baseLrs.splice(0, this.baseLrs.length, ...baseLrs);
      throw error;
    }
  }

  /** @internal Sets the rates of the current epoch from the initial ones. */
  apply(): void {
    this.setRates(this.lastEpoch, (_, baseLr, i) => this.lrAt(this.lastEpoch, baseLr, i));
  }

  /** @internal Sets the rates of the first epoch, or of the one at which a resumed run continues. */
  begin(): void {
    this.setRates(this.lastEpoch, (lr, baseLr, i) => this.next(lr, this.lastEpoch, baseLr, i));
  }

  /** Sets all rates, or none if one is wrong. */
  protected setRates(epoch: number, rate: (lr: number, baseLr: number, group: number) => number): void {
    checkGroups(this.constructor.name, this.optimizer.paramGroups);
    const groups = this.optimizer.paramGroups;
    // Groups that were added later start from their own rates.
    const baseLrs = groups.map((group, i) => this.baseLrs[i] ?? group.initialLr ?? group.lr);
    const rates = groups.map((group, i) => rate(group.lr, baseLrs[i]!, i));
    for (const lr of rates)
      if (!(lr >= 0))
        throw new RangeError(
          `${this.constructor.name}: the learning rate of epoch ${epoch} would be ${lr}; check the options`,
        );
    this.baseLrs.splice(0, this.baseLrs.length, ...baseLrs);
    rates.forEach((lr, i) => {
      groups[i]!.initialLr ??= baseLrs[i]!;
      groups[i]!.lr = lr;
    });
  }

  /** Returns the number of steps, the initial and the current learning rates, under PyTorch's names. A snapshot. */
  stateDict(): SchedulerState {
    return { last_epoch: this.lastEpoch, base_lrs: [...this.baseLrs], _last_lr: this.getLastLr() };
  }

  /** Restores a state, with the learning rates. Everything is checked before anything changes. */
  loadStateDict(state: object): void {
    const given = this.readState(state);
    this.orAsBefore(() => {
      this.lastEpoch = given.last_epoch;
      this.baseLrs.splice(0, this.baseLrs.length, ...given.base_lrs);
      if (given._last_lr.length === 0) this.apply();
    });
    this.optimizer.paramGroups.forEach((group, i) => {
      group.initialLr = given.base_lrs[i]!;
    });
    given._last_lr.forEach((lr, i) => {
      this.optimizer.paramGroups[i]!.lr = lr;
    });
  }

  /** @internal Reads a state, or throws. Files of earlier versions have no current rates. */
  readState(state: object): SchedulerState {
    checkGroups(this.constructor.name, this.optimizer.paramGroups);
    const count = this.optimizer.paramGroups.length;
    const refuse = (what: string): never => {
      throw new TypeError(
        `${this.constructor.name}.loadStateDict: not a state of a scheduler of ${count} groups: ${what}`,
      );
    };
    if (typeof state !== 'object' || state === null) return refuse(`got ${show(state)}`);
    const given = state as Record<string, unknown>;
    const lastEpoch = savedAs(given, 'last_epoch', 'lastEpoch');
    const baseLrs = savedAs(given, 'base_lrs', 'baseLrs');
    const lastLr = given['_last_lr'] ?? [];
    if (!is.size.is(lastEpoch)) return refuse(`last_epoch is ${show(lastEpoch)}`);
    if (!areRates(baseLrs, count)) return refuse(`base_lrs is ${show(baseLrs)}`);
    if (!areRates(lastLr, count) && !areRates(lastLr, 0)) return refuse(`_last_lr is ${show(lastLr)}`);
    return { last_epoch: lastEpoch as number, base_lrs: baseLrs, _last_lr: lastLr };
  }
}

/** A scheduler whose rate is the initial one times a factor that depends on the epoch. */
export class FactorScheduler extends LRScheduler {
  constructor(
    optimizer: Scheduled,
    private readonly factor: (epoch: number) => number,
    lastEpoch?: number,
    /** The factor of the rate in the step to `epoch`. */
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

/** The option that all schedulers have. */
export interface LastEpochOption {
  /** The number of steps that a resumed run had made, minus one; -1 (the default) for a new run. */
  lastEpoch?: number;
}

export const lastEpochKind = { lastEpoch: is.integer };
