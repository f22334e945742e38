import type { Plugin } from 'rollup';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';

/** The plugin for Rollup. */
const plugin: (options?: Options) => Plugin | Plugin[] = unplugin.rollup;

export default plugin;
