/**
 * What async functions become in a build that lowers them to generators: each step is synchronous and runs in the mode
 * of the flow at its last `await`, so modes follow promises without AsyncLocalStorage. `@gradgate/unplugin` uses these
 * in place of its compiler's helpers.
 */
import { awaitSteps } from './asyncFunction.js';
import { bindCallbacks } from './callbacks.js';
import { checkBody, type LoweredBody, stepsOf } from './loweredBody.js';

export { asyncGenerator, Wait } from './asyncGenerator.js';

/** An async function: `body` yields what it awaits. */
export function asyncFunction(self: unknown, args: ArrayLike<unknown> | null, body: LoweredBody): Promise<unknown> {
  checkBody('asyncFunction', args, body);
  return awaitSteps(() => stepsOf('asyncFunction', self, args, body));
}

bindCallbacks();
