import type { View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';

/** `Kernels.histogram` for any dtype. */
export function histogram(x: View, low: number, high: number, out: View): void {
  const [data, counts] = [elementsOf(x), dataOf(out)];
  const bins = counts.length;
  counts.fill(0);
  for (let i = 0; i < data.length; i++) {
    const v = data[i]!;
    if (v >= low && v <= high) counts[Math.min(bins - 1, Math.floor(((v - low) / (high - low)) * bins))]!++;
  }
}
