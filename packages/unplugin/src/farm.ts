import type { Options } from './options.js';
import { unplugin } from './plugin.js';
import { withDefault } from './withDefault.js';

/** The plugin for Farm. */
const plugin = withDefault<(options?: Options) => any>(unplugin.farm);

export { plugin as default, plugin as 'module.exports' };
