import type { Plugin } from 'vite';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';
import { withDefault } from './withDefault.js';

/** The plugin for Vite. */
const plugin = withDefault<(options?: Options) => Plugin | Plugin[]>(unplugin.vite);

export { plugin as default, plugin as 'module.exports' };
