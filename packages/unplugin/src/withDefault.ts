/**
 * The plugin, which has itself as `default`. Entries export it under the name 'module.exports' too: that is what
 * `require()` of the entry gives.
 */
export const withDefault = <T extends object>(plugin: T): T & { readonly default: T } =>
  Object.assign(plugin, { default: plugin });
