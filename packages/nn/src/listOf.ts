import { check, is } from '@gradgate/core/internal';

/** An iterable with more parameters or modules than this is taken for one that never ends. */
const maxItems = 2 ** 20;

/** The items of an iterable, which is refused by name if it is none or does not end. */
export function listOf<T>(op: string, name: string, values: Iterable<T>): T[] {
  check(op, name, values, is.iterable);
  const list: T[] = [];
  for (const value of values)
    if (list.push(value) > maxItems)
      throw new RangeError(`${op}: ${name} has more than ${maxItems} items; does its iterator end?`);
  return list;
}
