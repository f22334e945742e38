import { check, is } from '@gradgate/core/internal';
import { checkSchedulers, type LRScheduler, savedAs } from './scheduler.js';

/**
 * Schedulers one after another: each starts at its milestone, a number of steps, from its own beginning.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const warmUp = new optim.LinearLR(optimizer, { startFactor: 0.1, totalIters: 5 });
 * const scheduler = new optim.SequentialLR([warmUp, new optim.CosineAnnealingLR(optimizer, { tMax: 95 })], [5]);
 * optimizer.paramGroups[0]!.lr; // 0.1
 * ```
 */
export class SequentialLR {
  /** The number of steps made. */
  lastEpoch = 0;

  constructor(
    /** The schedulers, one after another. */
    readonly schedulers: readonly LRScheduler[],
    /** The epochs at which the next one takes over. */
    readonly milestones: readonly number[],
  ) {
    checkSchedulers('SequentialLR', schedulers);
    check('SequentialLR', 'milestones', milestones, is.arrayOf(is.size));
    if (schedulers.length === 0 || milestones.length !== schedulers.length - 1)
      throw new TypeError(
        `SequentialLR: ${schedulers.length} schedulers need ${schedulers.length - 1} milestones, got ${milestones.length}`,
      );
    // Each set its own initial rates when it was made; restore those of the first.
    const [first] = schedulers as [LRScheduler];
    for (const group of first.optimizer.paramGroups) group.lr = group.initialLr!;
    first.begin();
  }

  /** The index of the scheduler of the current epoch. */
  private get current(): number {
    return this.milestones.filter((m) => m <= this.lastEpoch).length;
  }

  /** Steps the current scheduler. */
  step(): void {
    this.lastEpoch++;
    const which = this.current;
    const scheduler = this.schedulers[which]!;
    if (which > 0 && this.milestones[which - 1] === this.lastEpoch) scheduler.step(0);
    else scheduler.step();
  }

  /** Returns the current learning rate of each group. */
  getLastLr(): number[] {
    return this.schedulers[0]!.getLastLr();
  }

  /** Returns the states of all schedulers, under PyTorch's names. A snapshot. */
  stateDict(): Record<string, unknown> {
    return { last_epoch: this.lastEpoch, _schedulers: this.schedulers.map((s) => s.stateDict()) };
  }

  /** Restores a state, with the learning rates. Everything is checked before anything changes. */
  loadStateDict(state: object): void {
    const given = (state ?? {}) as Record<string, unknown>;
    const lastEpoch = savedAs(given, 'last_epoch', 'lastEpoch');
    const states = savedAs(given, '_schedulers', 'schedulers');
    const count = this.schedulers.length;
    if (!is.size.is(lastEpoch) || !Array.isArray(states) || states.length !== count)
      throw new TypeError(`SequentialLR.loadStateDict: not a state of ${count} schedulers`);
    this.schedulers.forEach((s, i) => void s.readState(states[i]));
    this.lastEpoch = lastEpoch as number;
    // Each sets the rates; the current one comes last.
    for (const i of [...this.schedulers.keys()].filter((k) => k !== this.current).concat(this.current))
      this.schedulers[i]!.loadStateDict(states[i]);
  }
}
