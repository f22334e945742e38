/** What runs in the browser, by name. Each throws if it fails, and is run in a page of its own. */
import * as kernels from './kernels.js';
import * as modes from './modes.js';
import * as training from './training.js';
import * as waiting from './waiting.js';

export const checks: Record<string, () => void | Promise<void>> = { ...kernels, ...modes, ...waiting, ...training };
