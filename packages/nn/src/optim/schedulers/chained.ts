import { checkSchedulers, type LRScheduler } from './scheduler.js';

/**
 * Schedulers that step together: each changes the learning rate that those before it have set.
 *
 * ```ts
 * const optimizer = new optim.SGD(new Linear(3, 1).parameters(), { lr: 1 });
 * const warmUp = new optim.ConstantLR(optimizer, { factor: 0.1, totalIters: 2 });
 * const scheduler = new optim.ChainedScheduler([warmUp, new optim.ExponentialLR(optimizer, { gamma: 0.9 })]);
 * scheduler.step();
 * optimizer.paramGroups[0]!.lr; // 0.09
 * ```
 */
export class ChainedScheduler {
  constructor(
    /** The schedulers, in the order in which they step. */
    readonly schedulers: readonly LRScheduler[],
  ) {
    checkSchedulers('ChainedScheduler', schedulers);
    if (schedulers.length === 0) throw new TypeError('ChainedScheduler: takes at least one scheduler');
    if (schedulers.some((s) => s.optimizer !== schedulers[0]!.optimizer))
      throw new TypeError('ChainedScheduler: the schedulers must have the same optimizer');
  }

  /** Steps all schedulers, in order. */
  step(): void {
    for (const scheduler of this.schedulers) scheduler.step();
  }

  /** Returns the current learning rate of each group. */
  getLastLr(): number[] {
    return this.schedulers[0]!.getLastLr();
  }

  /** Returns the states of all schedulers, under PyTorch's names. A snapshot. */
  stateDict(): Record<string, unknown> {
    return { _schedulers: this.schedulers.map((s) => s.stateDict()) };
  }

  /** Restores a state, with the learning rates. Everything is checked before anything changes. */
  loadStateDict(state: object): void {
    const states = (state as Record<string, unknown> | null)?.['_schedulers'];
    const count = this.schedulers.length;
    if (!Array.isArray(states) || states.length !== count)
      throw new TypeError(`ChainedScheduler.loadStateDict: not a state of ${count} schedulers`);
    this.schedulers.forEach((s, i) => void s.readState(states[i]));
    this.schedulers.forEach((s, i) => {
      s.loadStateDict(states[i]);
    });
  }
}
