import type { Plugin } from 'rollup';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';
import { withDefault } from './withDefault.js';

/** The plugin for Rollup. */
const plugin = withDefault<(options?: Options) => Plugin | Plugin[]>(unplugin.rollup);

export { plugin as default, plugin as 'module.exports' };
