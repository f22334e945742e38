/**
 * A plugin for Vite, Rollup, Rolldown, webpack, Rspack, esbuild and Farm. It lowers standard decorators, which browsers
 * cannot parse, and async functions, whose steps then stay in the mode of their flow: gates cover them as they do in
 * Node.
 */
import type { Options } from './options.js';
import { unplugin } from './plugin.js';
import { withDefault } from './withDefault.js';

export type { Options, Pattern } from './options.js';

type Bundler = 'vite' | 'rollup' | 'rolldown' | 'webpack' | 'rspack' | 'esbuild' | 'farm';

/**
 * Makes the plugin for a bundler: `gradgate.vite(options)`. The entries such as `@gradgate/unplugin/vite` have its
 * type.
 */
const plugins = withDefault<Readonly<Record<Bundler, (options?: Options) => any>>>(unplugin);

export { plugins as default, plugins as 'module.exports' };
