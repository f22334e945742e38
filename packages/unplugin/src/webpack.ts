import type { WebpackPluginInstance } from 'webpack';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';

/** The plugin for webpack. */
const plugin: (options?: Options) => WebpackPluginInstance = unplugin.webpack;

export default plugin;
