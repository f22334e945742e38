import type { View } from '../backend.js';
import { dataOf, elementsOf, exactElementsOf } from './data.js';

/** `Kernels.isin` for any dtype: 64-bit integers are compared exactly with such. */
export function isin(x: View, values: View, invert: boolean, out: View): void {
  const elements = x.dtype === values.dtype ? exactElementsOf : elementsOf;
  const known = new Set<number>(elements(values));
  // A set takes NaN for equal to itself, which it is not.
  known.delete(Number.NaN);
  const data = elements(x);
  const to = dataOf(out);
  for (let i = 0; i < to.length; i++) to[i] = Number(known.has(data[i]!) !== invert);
}
