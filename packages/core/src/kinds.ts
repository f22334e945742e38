import { isClass } from './grad/original.js';

// What arguments and options may be: for `check` and `checkOptions`. Read as `is.positive`, `is.oneOf('mean', 'sum')`.

/** What an argument or an option may be. */
export interface Kind {
  /** As in "lr is a number". */
  readonly text: string;
  readonly is: (value: unknown) => boolean;
}

const numeric = (text: string, is: (n: number) => boolean): Kind => ({
  text,
  is: (v) => typeof v === 'number' && is(v),
});

export const anything: Kind = { text: 'anything', is: () => true };
export const boolean: Kind = { text: 'true or false', is: (v) => typeof v === 'boolean' };
export const number = numeric('a number', () => true);
export const finite = numeric('a finite number', Number.isFinite);
export const positive = numeric('a number above 0', (n) => n > 0);
export const nonNegative = numeric('a number from 0 up', (n) => n >= 0);
export const probability = numeric('a number from 0 to 1', (n) => n >= 0 && n <= 1);
export const integer = numeric('a whole number', Number.isSafeInteger);
/** Sizes may be 0. */
export const size = numeric('a whole number from 0 up', (n) => Number.isSafeInteger(n) && n >= 0);
export const count = numeric('a whole number above 0', (n) => Number.isSafeInteger(n) && n > 0);
export const string: Kind = { text: 'a string', is: (v) => typeof v === 'string' };
/** Not a class, which cannot be called. */
export const callback: Kind = {
  text: 'a function',
  is: (v) => typeof v === 'function' && !isClass(v),
};
export const object: Kind = { text: 'an object', is: (v) => typeof v === 'object' && v !== null };
export const iterable: Kind = {
  text: 'an array or another iterable',
  is: (v) => v != null && typeof v !== 'string' && typeof (v as Iterable<unknown>)[Symbol.iterator] === 'function',
};

export const oneOf = (...values: readonly string[]): Kind => ({
  text: values.map((v) => `'${v}'`).join(' or '),
  is: (v) => values.includes(v as string),
});
/** One of these numbers. */
export const oneOfNumbers = (...values: readonly number[]): Kind => ({
  text: values.join(' or '),
  is: (v) => values.includes(v as number),
});
export const either = (...kinds: readonly Kind[]): Kind => ({
  text: kinds.map((k) => k.text).join(', or '),
  is: (v) => kinds.some((k) => k.is(v)),
});
/** Null is as good as not given. */
export const nullable = ({ text, is }: Kind): Kind => ({ text: `${text}, or null`, is: (v) => v === null || is(v) });
export const arrayOf = ({ text, is }: Kind): Kind => ({
  text: `an array, each item ${text}`,
  // Not `every`, which passes over holes.
  is: (v) => Array.isArray(v) && v.findIndex((item) => !is(item)) === -1,
});
/** An argument that may be left out. */
export const optional = ({ text, is }: Kind): Kind => ({ text, is: (v) => v === undefined || is(v) });
/** An array of exactly these. */
export const tuple = (...kinds: readonly Kind[]): Kind => ({
  text: `[${kinds.map((k) => k.text).join(', ')}]`,
  is: (v) => Array.isArray(v) && v.length === kinds.length && kinds.every((k, i) => k.is(v[i])),
});
export const instanceOf = (text: string, type: () => Function): Kind => ({ text, is: (v) => v instanceof type() });
