// Apart from the plugin: the types of all bundlers come with that, and nobody has all of them installed.

/** Modules by their paths: patterns, or expressions that match. */
export type Pattern = string | RegExp | readonly (string | RegExp)[];

export interface Options {
  /** Modules to lower; by default those of JavaScript and TypeScript, and of Vue, Svelte and Astro. */
  include?: Pattern;
  /** Modules to leave as they are, of those; by default what is in `node_modules`. */
  exclude?: Pattern;
  /** Whether async functions, async generators and `for await` are lowered; true by default. */
  async?: boolean;
  /** Whether standard decorators, `accessor` and `using` are lowered; true by default. */
  decorators?: boolean;
}
