import type { Plugin } from 'rolldown';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';
import { withDefault } from './withDefault.js';

/** The plugin for Rolldown. */
const plugin = withDefault<(options?: Options) => Plugin | Plugin[]>(unplugin.rolldown);

export { plugin as default, plugin as 'module.exports' };
