import { pinResults, useNative } from '@gradgate/core/internal';
import { type Addon, loadAddon } from './addon.js';
import { collector, Results } from './results.js';

const addon: Addon | null = loadAddon();
if (addon) {
  useNative(addon);
  const collect = collector(addon.references);
  if (collect) pinResults(new Results(addon.references, collect).watch);
}

/**
 * Whether kernels of this package are used. If not, a line on the console has said why.
 *
 * ```ts
 * typeof isNativeLoaded(); // 'boolean'
 * ```
 */
export const isNativeLoaded = (): boolean => addon !== null;

/**
 * The instruction set that the kernels use: `'avx512'`, `'avx2'`, `'sse'` or `'neon'`; null if none are loaded.
 *
 * ```ts
 * ['avx512', 'avx2', 'sse', 'neon', null].includes(nativeTarget()); // true
 * ```
 */
export const nativeTarget = (): string | null => addon?.target ?? null;
