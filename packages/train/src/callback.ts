import type { Kind } from '@gradgate/core/internal';
import type { Run } from './run.js';

/**
 * What takes part in a run; every member may be missing. `fit` waits for promises. An error of one ends the run.
 *
 * What is remembered between calls is part of checkpoints if there are `stateDict` and `loadStateDict`.
 */
export interface Callback {
  /** Called behind those of the others: for what saves the state, which they change. */
  readonly isLast?: boolean;
  /** Before the first batch; the state of a resumed run has been loaded. */
  onFitStart?(run: Run): unknown;
  /** After each step of the optimizer, or after each batch where `trainingStep` steps it. */
  onStep?(run: Run): unknown;
  /** After the last batch of an epoch, before validation: the place to add to `run.figures`. */
  onTrainEpochEnd?(run: Run): unknown;
  /** After validation. `run.epoch` is how many epochs are done, and `run.figures` has the figures of the one that has ended. */
  onEpochEnd?(run: Run): unknown;
  /** The signal has ended the run, at a place from which it can be resumed. */
  onAbort?(run: Run): unknown;
  /** All epochs are done, or the run was stopped. */
  onFitEnd?(run: Run): unknown;
  /** At the very end, also after an error: to close files and the like. */
  close?(): unknown;
  /** What belongs to checkpoints under names of its own. */
  parts?(run: Run): Record<string, { stateDict(): object; loadStateDict(state: any): unknown }>;
  stateDict?(): object;
  loadStateDict?(state: any): unknown;
}

const methods = ['onFitStart', 'onStep', 'onTrainEpochEnd', 'onEpochEnd', 'onAbort', 'onFitEnd'];

/** An object, as a class that was not made would do nothing unnoticed; so would a misspelt method. */
export const aCallback: Kind = {
  text: `a callback, an object with some of ${methods.join(', ')}`,
  is: (v) =>
    typeof v === 'object' &&
    v !== null &&
    Object.keys(v).every((name) => !/^on[A-Z]/.test(name) || methods.includes(name)),
};
