import { check, is } from '@gradgate/core/internal';
import { type StateDict, snapshot } from '@gradgate/nn';
import type { Callback } from './callback.js';
import { Monitor, type MonitorOptions } from './monitor.js';
import { checkRun, type Run } from './run.js';

/**
 * A callback that stops a run when a figure has not improved for `patience` epochs, or is NaN or infinite.
 *
 * @example
 * await fit(model, { train, validation, optimizer, epochs: 100, callbacks: [new EarlyStopping({ patience: 5,
 * restoreBest: true })] });
 */
export class EarlyStopping implements Callback {
  /** The number of epochs since the best one. */
  badEpochs = 0;
  private readonly monitor: Monitor;
  private readonly patience: number;
  private readonly restoreBest: boolean;
  private weights: StateDict | null = null;

  /**
   * @param options.patience The number of epochs without a better value after which it stops; 3 by default.
   * @param options.restoreBest Whether the model gets the weights of its best epoch at the end; false by default. Keeps
   * a copy of them.
   */
  constructor(options: MonitorOptions & { patience?: number; restoreBest?: boolean } = {}) {
    const known = { patience: is.count, restoreBest: is.boolean };
    const { patience = 3, restoreBest = false } = Monitor.check('EarlyStopping', options, known);
    this.monitor = new Monitor(options);
    this.patience = patience;
    this.restoreBest = restoreBest;
  }

  /** The best value so far; null before the first epoch. */
  get best(): number | null {
    return this.monitor.best;
  }

  onFitStart(run: Run): void {
    checkRun('EarlyStopping.onFitStart', run);
    // A run from the start owes nothing to one before it.
    if (run.epoch === 0) {
      this.monitor.best = null;
      this.badEpochs = 0;
      this.weights = null;
    }
    this.stopIfDone(run);
  }

  onEpochEnd(run: Run): void {
    checkRun('EarlyStopping.onEpochEnd', run);
    const value = this.monitor.valueIn('EarlyStopping', run);
    if (this.monitor.isBest(value)) {
      this.badEpochs = 0;
      if (this.restoreBest) this.weights = snapshot(run.evaluated.stateDict());
    } else this.badEpochs++;
    if (!Number.isFinite(value)) run.stop(`the monitored figure is ${value}`);
    this.stopIfDone(run);
  }

  onFitEnd(run: Run): void {
    checkRun('EarlyStopping.onFitEnd', run);
    if (this.weights) run.evaluated.loadStateDict(this.weights);
  }

  private stopIfDone(run: Run): void {
    if (this.badEpochs >= this.patience) run.stop(`no better value than ${this.best} for ${this.badEpochs} epochs`);
  }

  stateDict(): object {
    return { best: this.best, badEpochs: this.badEpochs, weights: this.weights };
  }

  loadStateDict(state: { best: number | null; badEpochs: number; weights: StateDict | null }): void {
    check('EarlyStopping.loadStateDict', 'the state', state, is.object);
    this.monitor.best = state.best;
    this.badEpochs = state.badEpochs;
    this.weights = state.weights;
  }
}
