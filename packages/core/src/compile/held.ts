import { isPlain } from '../check.js';
import { Tensor } from '../tensor/tensor.js';

/** What an object held at the start of a call: the call may have read it. */
export interface Held {
  readonly object: object;
  /** Names of its fields; null for a collection and a plain object, which may get others. */
  readonly names: readonly PropertyKey[] | null;
  readonly values: readonly unknown[];
}

/** Of larger collections it is not noted what they hold. */
const mostNoted = 1024;

/** What is noted within one field: deeper collections are compared by identity. */
const mostNested = 8;

/** Notes what fields of `object` hold, and what the collections and plain objects in them do. */
export function noteFields(object: object, into: Held[], known: Set<object>): void {
  if (known.has(object)) return;
  known.add(object);
  const names = Reflect.ownKeys(object).filter(
    (name) => 'value' in (Object.getOwnPropertyDescriptor(object, name) as PropertyDescriptor),
  );
  const values = names.map((name) => fieldOf(object, name));
  into.push({ object, names, values });
  for (const value of values) noteContents(value, into, known);
}

/** Notes what a collection or a plain object holds, and what those in it do. */
export function noteContents(value: unknown, into: Held[], known: Set<object>, depth = 0): void {
  if (depth > mostNested || !isCollection(value) || known.has(value)) return;
  known.add(value);
  const values = contentsOf(value);
  if (values.length > mostNoted) return;
  into.push({ object: value, names: null, values });
  for (const item of values) noteContents(item, into, known, depth + 1);
}

/** An object that belongs to one call, such as a batch: it is an instance of a class, and has tensors in its fields. */
export const holdsTensors = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  !Tensor.is(value) &&
  !isCollection(value) &&
  Object.values(Object.getOwnPropertyDescriptors(value)).some((field) => Tensor.is(field.value));

/** What is no longer as it was, in words; null if all is. */
export function changeOf({ object, names, values }: Held): string | null {
  if (names === null) {
    const now = contentsOf(object as Collection);
    const same = now.length === values.length && now.every((value, i) => Object.is(value, values[i]));
    return same ? null : `what ${kindOf(object)} in a field or an argument holds`;
  }
  for (let i = 0; i < names.length; i++)
    if (!Object.is(fieldOf(object, names[i]!), values[i])) return `the field ${String(names[i])} of ${kindOf(object)}`;
  return null;
}

type Collection = unknown[] | Map<unknown, unknown> | Set<unknown> | Date | Record<PropertyKey, unknown>;

const isCollection = (value: unknown): value is Collection =>
  Array.isArray(value) || isPlain(value) || value instanceof Map || value instanceof Set || value instanceof Date;

function contentsOf(value: Collection): unknown[] {
  if (Array.isArray(value)) return [...value];
  if (value instanceof Map) return [...value].flat();
  if (value instanceof Set) return [...value];
  if (value instanceof Date) return [value.getTime()];
  return Reflect.ownKeys(value).flatMap((name) => [name, fieldOf(value, name)]);
}

const kindOf = (object: object): string =>
  Array.isArray(object) ? 'an array' : isPlain(object) ? 'an object' : `a ${object.constructor?.name ?? 'object'}`;

const fieldOf = (object: object, name: PropertyKey): unknown => (object as Record<PropertyKey, unknown>)[name];
