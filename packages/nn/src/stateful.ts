/**
 * An object with `stateDict()` and `loadStateDict()`: a module, an optimizer, a scheduler, an average, a data loader.
 */
export interface Stateful {
  /** What is to be saved. */
  stateDict(): object;
  /** Takes what `stateDict()` gave. */
  loadStateDict(state: any): unknown;
}

/** Whether a value has a state to save and to restore. */
export const isStateful = (value: unknown): value is Stateful =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as Partial<Stateful>).stateDict === 'function' &&
  typeof (value as Partial<Stateful>).loadStateDict === 'function';
