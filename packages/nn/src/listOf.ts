import { check, is, show } from '@gradgate/core/internal';

/** An iterable with more parameters or modules than this is taken for one that never ends. */
const maxItems = 2 ** 20;

/** The items of an iterable, which is refused by name if it is none or does not end. */
export function listOf<T>(op: string, name: string, values: Iterable<T>): T[] {
  check(op, name, values, is.iterable);
  // Their numbers are of no use, and those of memory that was transferred cannot even be gone through.
  if (ArrayBuffer.isView(values))
    throw new TypeError(`${op}: ${name} must not be an array of numbers, got ${show(values)}`);
  const list: T[] = [];
  for (const value of values)
    if (list.push(value) > maxItems)
      throw new RangeError(`${op}: ${name} has more than ${maxItems} items; does its iterator end?`);
  return list;
}
