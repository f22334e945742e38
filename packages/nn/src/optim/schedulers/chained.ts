import { check, is } from '@gradgate/core/internal';
import type { LRScheduler } from './scheduler.js';

/**
 * Schedulers that are stepped together: each changes the rate that the ones before it leave.
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
  constructor(readonly schedulers: readonly LRScheduler[]) {
    check('ChainedScheduler', 'schedulers', schedulers, is.arrayOf(is.object));
    if (schedulers.length === 0) throw new TypeError('ChainedScheduler: takes one scheduler or more');
    if (schedulers.some((s) => s.optimizer !== schedulers[0]!.optimizer))
      throw new TypeError('ChainedScheduler: the schedulers are of one optimizer');
  }

  /** Steps all of them. */
  step(): void {
    for (const scheduler of this.schedulers) scheduler.step();
  }

  /** The rates in force. */
  getLastLr(): number[] {
    return this.schedulers[0]!.getLastLr();
  }

  /** The state of all, with PyTorch's names. A snapshot. */
  stateDict(): Record<string, unknown> {
    return { _schedulers: this.schedulers.map((s) => s.stateDict()) };
  }

  /** Takes over a state, rates included; all is checked before anything changes. */
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
