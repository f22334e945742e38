import type { View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';

/** `Kernels.dropoutMask` for any dtype. */
export function dropoutMask(draws: View, p: number, out: View): void {
  const [from, to] = [elementsOf(draws), dataOf(out)];
  const scale = 1 / (1 - p);
  for (let i = 0; i < to.length; i++) to[i] = Number(from[i]! >= p) * scale;
}
