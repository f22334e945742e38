import type { RspackPluginInstance } from '@rspack/core';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';
import { withDefault } from './withDefault.js';

/** The plugin for Rspack. */
const plugin = withDefault<(options?: Options) => RspackPluginInstance>(unplugin.rspack);

export { plugin as default, plugin as 'module.exports' };
