import { show } from '@gradgate/core/internal';

/** The error of a `loadStateDict` that was given something else than what `stateDict()` gives. */
export const notAState = (name: string, state: unknown): TypeError =>
  new TypeError(`${name}.loadStateDict: takes a state from stateDict(), got ${show(state)}`);
