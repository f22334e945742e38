import type { Plugin } from 'esbuild';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';

const plugin: (options?: Options) => Plugin = unplugin.esbuild;

export default plugin;
