import type { Plugin } from 'esbuild';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';
import { withDefault } from './withDefault.js';

/** The plugin for esbuild. */
const plugin = withDefault<(options?: Options) => Plugin>(unplugin.esbuild);

export { plugin as default, plugin as 'module.exports' };
