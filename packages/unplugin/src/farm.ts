import type { Options } from './options.js';
import { unplugin } from './plugin.js';

/** The plugin for Farm. */
const plugin: (options?: Options) => any = unplugin.farm;

export default plugin;
