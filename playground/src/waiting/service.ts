import { isGradEnabled, noGrad } from '@gradgate/core';
import { note } from '../timeline/calls.js';

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
export const mode = (): string => `gradients ${isGradEnabled() ? 'on' : 'off'}`;

/** Two ways to wait inside `noGrad`. Without AsyncLocalStorage, as in browsers, the first one is refused. */
export class Service {
  @noGrad async score(): Promise<void> {
    await wait(1);
  }

  /** A generator yields what it waits for: each of its steps is synchronous, and so can be covered. */
  scoreInSteps = noGrad.async(function* scoreInSteps(say: (line: string) => void) {
    note('score');
    say(`the coroutine, before it waits: ${mode()}`);
    yield wait(400);
    note('score');
    say(`the coroutine, after it waited: ${mode()}`);
  });
}
