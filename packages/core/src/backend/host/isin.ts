import type { View } from '../kernels.js';
import { dataOf, elementsOf, exactElementsOf } from './data.js';

/** `Kernels.isin` for any dtype; 64-bit integers are compared exactly with each other. */
export function isin(x: View, values: View, invert: boolean, out: View): void {
  const elements = x.dtype === values.dtype ? exactElementsOf : elementsOf;
  const known = new Set<number>(elements(values));
  // NaN is not equal to itself, but a Set takes it for equal.
  known.delete(Number.NaN);
  const data = elements(x);
  const to = dataOf(out);
  for (let i = 0; i < to.length; i++) to[i] = Number(known.has(data[i]!) !== invert);
}
