import type { Plugin } from 'vite';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';

/** The plugin for Vite. */
const plugin: (options?: Options) => Plugin | Plugin[] = unplugin.vite;

export default plugin;
