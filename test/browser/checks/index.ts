/** What runs in the browser, by name. Each check runs in a page of its own and throws if it fails. */
import * as kernels from './kernels.js';
import * as modes from './modes.js';
import * as training from './training.js';
import * as waiting from './waiting.js';

export const checks: Record<string, () => void | Promise<void>> = { ...kernels, ...modes, ...waiting, ...training };
