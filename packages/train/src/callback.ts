import type { Kind } from '@gradgate/core/internal';
import type { Run } from './run.js';

/**
 * An object that takes part in a run; every member is optional. `fit` awaits promises, and an error of a callback ends
 * the run.
 *
 * A callback with `stateDict` and `loadStateDict` has its state in checkpoints.
 */
export interface Callback {
  /** Whether it is called after the others, as callbacks that save the state must be, since others change it. */
  readonly isLast?: boolean;
  /** Called before the first batch, after the state of a resumed run has been loaded. */
  onFitStart?(run: Run): unknown;
  /** Called after each step of the optimizer, or after each batch if `trainingStep` steps it. */
  onStep?(run: Run): unknown;
  /** Called after the last batch of an epoch, before validation: the place to add to `run.figures`. */
  onTrainEpochEnd?(run: Run): unknown;
  /**
   * Called after validation. `run.epoch` is the number of finished epochs, and `run.figures` has those of the last one.
   */
  onEpochEnd?(run: Run): unknown;
  /** Called when the signal has ended the run, at a point from which it can be resumed. */
  onAbort?(run: Run): unknown;
  /** Called when all epochs are done or the run was stopped. */
  onFitEnd?(run: Run): unknown;
  /** Called at the very end, also after an error, for example to close files. */
  close?(): unknown;
  /** Returns more parts for checkpoints, by name. */
  parts?(run: Run): Record<string, { stateDict(): object; loadStateDict(state: any): unknown }>;
  /** Returns the state between calls, for checkpoints. */
  stateDict?(): object;
  /** Restores a state of `stateDict()`. */
  loadStateDict?(state: any): unknown;
}

const methods = ['onFitStart', 'onStep', 'onTrainEpochEnd', 'onEpochEnd', 'onAbort', 'onFitEnd'];

/** Refuses classes without `new` and misspelled methods, which would do nothing without an error. */
export const aCallback: Kind = {
  text: `a callback, an object with some of ${methods.join(', ')}`,
  is: (v) =>
    typeof v === 'object' &&
    v !== null &&
    Object.keys(v).every((name) => !/^on[A-Z]/.test(name) || methods.includes(name)),
};
