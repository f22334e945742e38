/** What can be saved in the middle of its work and resumed. */
export interface Resumable {
  /** What is to be saved. */
  stateDict(): object;
  /** Takes what `stateDict()` gave. */
  loadStateDict(state: any): unknown;
}

export const isResumable = (value: unknown): value is Resumable =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as Partial<Resumable>).stateDict === 'function' &&
  typeof (value as Partial<Resumable>).loadStateDict === 'function';
