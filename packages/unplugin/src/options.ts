// In a file apart from the plugin, whose types need those of all bundlers, and nobody has all of them installed.

/** Selects modules by path: globs, or regular expressions. */
export type Pattern = string | RegExp | readonly (string | RegExp)[];

/** Options of the plugin. */
export interface Options {
  /** Modules to lower; by default those of JavaScript and TypeScript, and of Vue, Svelte and Astro. */
  include?: Pattern;
  /** Modules among those to leave as they are; by default what is in `node_modules`. */
  exclude?: Pattern;
  /** Whether async functions, async generators and `for await` are lowered; true by default. */
  async?: boolean;
  /** Whether standard decorators, `accessor` and `using` are lowered; true by default. */
  decorators?: boolean;
}

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value);
const isPattern = (value: unknown): boolean => typeof value === 'string' || value instanceof RegExp;

interface Kind {
  readonly text: string;
  readonly is: (value: unknown) => boolean;
}
const patterns: Kind = {
  text: 'a regular expression, a glob, or a list of them',
  is: (v) => [v].flat().every(isPattern),
};
const flag: Kind = { text: 'true or false', is: (v) => typeof v === 'boolean' };

const kinds: { readonly [K in keyof Required<Options>]: Kind } = {
  include: patterns,
  exclude: patterns,
  async: flag,
  decorators: flag,
};

/** Refuses unknown options, as `checkOptions` of core does; a build need not have core installed. */
export function checkOptions(op: string, given: unknown): asserts given is Options {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new TypeError(`${op}: options must be an object, such as { async: false }, got ${kindOf(given)}`);
  for (const [option, value] of Object.entries(given)) {
    if (!Object.hasOwn(kinds, option))
      throw new TypeError(`${op}: there is no option '${option}'; there are ${Object.keys(kinds).join(', ')}`);
    const { text, is } = kinds[option as keyof Options];
    if (value !== undefined && !is(value))
      throw new TypeError(`${op}: ${option} must be ${text}, got ${kindOf(value)}`);
  }
}
