import { check, is } from '@gradgate/core/internal';

/** How deep samples and states may be nested; deeper ones most likely contain themselves. */
export const maxDepth = 64;

const tagOf = (value: object): string => Object.prototype.toString.call(value);

/** Whether a value is an object literal or without a prototype, in this realm or another (an iframe, `node:vm`). */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && tagOf(value) === '[object Object]');
}

/** Plain objects, and instances of classes with fields; not those that keep their value elsewhere, such as dates and maps. */
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  isPlain(value) ||
  (typeof value === 'object' && value !== null && tagOf(value) === '[object Object]' && Object.keys(value).length > 0);

/** A typed array of this realm; arrays of other realms are copied. Null for other values. */
export function typedArray(value: unknown): ArrayLike<number> | null {
  if (!ArrayBuffer.isView(value)) return null;
  const Own = (globalThis as unknown as Record<string, { new (values: unknown): ArrayLike<number> } | undefined>)[
    tagOf(value).slice(8, -1)
  ];
  if (!Own || tagOf(value) === '[object DataView]') return null;
  return value instanceof Own ? (value as unknown as ArrayLike<number>) : new Own(value);
}

/** Whether `await` would wait for it: promises of any library and realm. */
export const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as { then?: unknown }).then === 'function';

/** Refuses what a function gave that nobody would wait for. */
export function refusePromise(what: string, value: unknown): void {
  if (isThenable(value)) throw new TypeError(`${what} gave a promise; it has to be synchronous`);
}

/** What can be saved in the middle of its work and resumed. */
export interface Resumable {
  /** What is to be saved. */
  stateDict(): object;
  /** Takes what `stateDict()` gave. */
  loadStateDict(state: any): unknown;
}

export const isResumable = (value: unknown): value is Resumable =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as Partial<Resumable>).stateDict === 'function' &&
  typeof (value as Partial<Resumable>).loadStateDict === 'function';

/** More parameters or modules than this are what an iterator gives that never ends. */
const most = 2 ** 20;

/** The items of an iterable, which is refused by name if it is none or does not end. */
export function listOf<T>(op: string, name: string, values: Iterable<T>): T[] {
  check(op, name, values, is.iterable);
  const list: T[] = [];
  for (const value of values)
    if (list.push(value) > most)
      throw new RangeError(`${op}: ${name} has more than ${most} items; does its iterator end?`);
  return list;
}
