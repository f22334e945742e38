import { isPlain } from '../check.js';
import { Tensor } from '../tensor/tensor.js';

/** What an object held at the start of a call: the call may have read it. */
export interface Held {
  readonly object: object;
  /** Names of its fields; null for a map, a set or a date. */
  readonly names: readonly PropertyKey[] | null;
  readonly values: readonly unknown[];
  /** How many names an array or a plain object has, which may get others; null for other objects. */
  readonly size: number | null;
}

/** Of larger collections it is not noted what they hold. */
const maxNoted = 1024;

/** What is noted within one field: deeper collections are compared by identity. */
const maxDepth = 8;

/**
 * Notes what fields of `object`, which is not known yet, hold, and what the collections and plain objects in them do.
 */
export function noteFields(object: object, into: Held[], known: Set<object>): void {
  known.add(object);
  const names = Reflect.ownKeys(object).filter(
    (name) => 'value' in (Object.getOwnPropertyDescriptor(object, name) as PropertyDescriptor),
  );
  const values = names.map((name) => fieldOf(object, name));
  into.push({ object, names, values, size: null });
  for (const value of values) noteContents(value, into, known);
}

/** Notes what a collection or a plain object holds, and what those in it do. */
export function noteContents(value: unknown, into: Held[], known: Set<object>, depth = 0): void {
  if (depth > maxDepth || !isCollection(value) || known.has(value)) return;
  known.add(value);
  const isObject = Array.isArray(value) || isPlain(value);
  const names = isObject ? Reflect.ownKeys(value) : null;
  const values =
    names === null ? contentsOf(value as Map<unknown, unknown>) : names.map((name) => fieldOf(value, name));
  if (values.length > maxNoted) return;
  into.push({ object: value, names, values, size: isObject ? sizeOf(value) : null });
  for (const item of values) noteContents(item, into, known, depth + 1);
}

/** An object that belongs to one call, such as a batch: it is an instance of a class, and has tensors in its fields. */
export const holdsTensors = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  !Tensor.is(value) &&
  !isCollection(value) &&
  Object.values(Object.getOwnPropertyDescriptors(value)).some((field) => Tensor.is(field.value));

/**
 * What is no longer as it was, in words; null if all is. At each call, so nothing is made here for objects and arrays.
 */
export function changeOf({ object, names, values, size }: Held): string | null {
  if (names === null)
    return areAlike(contentsOf(object as Map<unknown, unknown>), values) ? null : contentsChanged(object);
  for (let i = 0; i < names.length; i++)
    if (!Object.is(fieldOf(object, names[i]!), values[i]))
      return size === null ? `the field ${String(names[i])} of ${kindOf(object)}` : contentsChanged(object);
  return size === null || size === sizeOf(object) ? null : contentsChanged(object);
}

const contentsChanged = (object: object): string => `what ${kindOf(object)} in a field or an argument holds`;

const areAlike = (now: readonly unknown[], before: readonly unknown[]): boolean =>
  now.length === before.length && now.every((value, i) => Object.is(value, before[i]));

function sizeOf(object: object): number {
  if (Array.isArray(object)) return object.length;
  let size = 0;
  for (const _ in object) size++;
  return size;
}

type Collection = unknown[] | Map<unknown, unknown> | Set<unknown> | Date | Record<PropertyKey, unknown>;

const isCollection = (value: unknown): value is Collection =>
  Array.isArray(value) || isPlain(value) || value instanceof Map || value instanceof Set || value instanceof Date;

function contentsOf(value: Map<unknown, unknown> | Set<unknown> | Date): unknown[] {
  if (value instanceof Date) return [value.getTime()];
  return value instanceof Map ? [...value].flat() : [...value];
}

const kindOf = (object: object): string =>
  Array.isArray(object) ? 'an array' : isPlain(object) ? 'an object' : `a ${object.constructor?.name ?? 'object'}`;

const fieldOf = (object: object, name: PropertyKey): unknown => (object as Record<PropertyKey, unknown>)[name];
