import type { WebpackPluginInstance } from 'webpack';
import type { Options } from './options.js';
import { unplugin } from './plugin.js';
import { withDefault } from './withDefault.js';

/** The plugin for webpack. */
const plugin = withDefault<(options?: Options) => WebpackPluginInstance>(unplugin.webpack);

export { plugin as default, plugin as 'module.exports' };
