import type { RspackPluginInstance } from '@rspack/core';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';

const plugin: (options?: Options) => RspackPluginInstance = unplugin.rspack;

export default plugin;
