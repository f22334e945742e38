import type { Plugin } from 'rolldown';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';

/** The plugin for Rolldown. */
const plugin: (options?: Options) => Plugin | Plugin[] = unplugin.rolldown;

export default plugin;
