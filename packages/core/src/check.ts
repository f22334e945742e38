import { isOfAnotherCopy, twoCopies } from './brand.js';
import type { Kind } from './kinds.js';

// Checks of arguments and options, the same everywhere: what is wrong is refused by the name of the function, before
// anything is computed. JavaScript callers get no help from the compiler, and a misspelled option would go unnoticed.

/** A kind for each option that there is. */
export type Schema<O> = { readonly [K in keyof Required<O>]: Kind };

/** A value as errors show it, in few words. */
export function show(value: unknown): string {
  try {
    return inWords(value);
  } catch {
    return 'an object that cannot be looked at';
  }
}

function inWords(value: unknown): string {
  // Control characters would reach the terminal.
  if (typeof value === 'string')
    return `'${(value.length > 40 ? `${value.slice(0, 40)}…` : value).replace(/\p{Cc}/gu, '\ufffd')}'`;
  if (isOfAnotherCopy(value)) return `${showForeign(value as object)} ${twoCopies}`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return showArray(value);
  const { shape, dtype } = value as { shape?: unknown; dtype?: unknown };
  if (Array.isArray(shape) && typeof dtype === 'string')
    return `a ${'layout' in value ? 'sparse ' : ''}${dtype} tensor of shape ${showArray(shape)}`;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return typeof name === 'string' && name && name !== 'Object' ? `an instance of ${name}` : 'an object';
}

const showForeign = (value: object): string =>
  typeof value === 'function' ? 'a module' : 'shape' in value ? 'a tensor' : `an instance of ${value.constructor.name}`;

const showArray = (values: readonly unknown[]): string => {
  const shown = values.slice(0, 8).map((v) => (Array.isArray(v) ? '[…]' : show(v)));
  return `[${shown.join(', ')}${values.length > 8 ? `, … ${values.length} in all` : ''}]`;
};

/** Refuses an argument that is not of a kind. */
export function check(op: string, name: string, value: unknown, kind: Kind): void {
  if (!kind.is(value)) throw refusal(op, name, value, kind);
}

// A number out of its range is a RangeError, as in JavaScript itself.
function refusal(op: string, name: string, value: unknown, { text }: Kind): Error {
  const Refusal = typeof value === 'number' && /number/.test(text) ? RangeError : TypeError;
  return new Refusal(`${op}: ${name} must be ${text}, got ${show(value)}`);
}

const none = Object.freeze({});

/** The options, or none; refuses what is no object, what is not among `known`, and what is not of its kind. */
export function checkOptions<O extends object>(op: string, options: O | undefined, known: Schema<O>): Partial<O> & O {
  if (options === undefined) return none as Partial<O> & O;
  if (!isOptions(options))
    throw new TypeError(`${op}: options must be an object, such as { ${example(known)} }, got ${show(options)}`);
  for (const name in options) {
    if (!Object.hasOwn(known, name)) {
      // What a library has added to all objects is no option.
      if (name in Object.prototype && !Object.hasOwn(options, name)) continue;
      throw new TypeError(unknownOption(op, name, Object.keys(known)));
    }
    const value = options[name];
    if (value !== undefined) check(op, name, value, known[name]);
  }
  return options;
}

/** Arrays, tensors and functions are what was meant for another place. */
const isOptions = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !(Symbol.iterator in value) && !('storage' in value);

const example = (known: object): string => {
  const names = Object.keys(known);
  return names.length === 0 ? '' : `${names[0]}: …`;
};

function unknownOption(op: string, name: string, known: readonly string[]): string {
  if (known.length === 0) return `${op}: takes no options, got '${name}'`;
  const near = nearest(name, known);
  const shown = `${op}: there is no option '${name.slice(0, 40)}'`;
  const list = known.length === 1 ? `the only one is ${known[0]}` : `there are ${known.join(', ')}`;
  return near === null ? `${shown}; ${list}` : `${shown}; did you mean '${near}'? T${list.slice(1)}`;
}

/** The known name that was probably meant: the same but for case and underscores, its initials, or few letters off. */
export function nearest(name: string, known: readonly string[]): string | null {
  const plain = (s: string) => s.replaceAll(/[_\-\s]/g, '').toLowerCase();
  const initials = (s: string) =>
    s
      .split(/[_\-\s]|(?=[A-Z])/)
      .map((word) => word[0] ?? '')
      .join('')
      .toLowerCase();
  const wanted = plain(name.slice(0, 40));
  const exact = known.find((k) => plain(k) === wanted || plain(k) === initials(name) || initials(k) === wanted);
  if (exact !== undefined) return exact;
  const start = known.find((k) => wanted.length >= 4 && plain(k).startsWith(wanted.slice(0, 4)));
  let best: string | null = start ?? null;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const k of known) {
    const far = editDistance(wanted, plain(k));
    if (far < least) [best, least] = [k, far];
  }
  return best;
}

/** How many letters must be changed, added or taken away (Levenshtein, 1966). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** Whether a value is an object literal, or has no prototype. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
