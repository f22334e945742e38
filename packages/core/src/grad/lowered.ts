/**
 * What async functions become in a build that lowers them to generators: each step is synchronous and runs in the mode
 * of the flow at its last `await`, so modes follow promises without AsyncLocalStorage. `@gradgate/unplugin` uses these
 * in place of its compiler's helpers.
 */
import { bindCallbacks } from './callbacks.js';

export { asyncFunction } from './asyncFunction.js';
export { asyncGenerator, Wait } from './asyncGenerator.js';

bindCallbacks();
