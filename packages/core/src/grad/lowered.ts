/**
 * What async functions become where a build lowers them to generators: each step is synchronous and runs in the mode that the
 * flow had at its last `await`, so modes follow promises without an AsyncLocalStorage. `@gradgate/unplugin` puts these in
 * the place of its compiler's helpers.
 */
import { bindCallbacks } from './callbacks.js';

export { asyncFunction } from './asyncFunction.js';
export { asyncGenerator, Wait } from './asyncGenerator.js';

bindCallbacks();
