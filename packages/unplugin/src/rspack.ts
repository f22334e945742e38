import type { RspackPluginInstance } from '@rspack/core';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';

/** The plugin for Rspack. */
const plugin: (options?: Options) => RspackPluginInstance = unplugin.rspack;

export default plugin;
