import type { View } from '../kernels.js';
import type { Taps } from '../resampling.js';
import { dataOf, elementsOf } from './data.js';

/** `Kernels.resample` for any dtype. */
export function resample(x: View, { first, second, weight }: Taps, out: View): void {
  const [outer, n, inner] = x.shape as [number, number, number];
  const m = first.length;
  const [from, to] = [elementsOf(x), dataOf(out)];
  for (let row = 0; row < outer * m; row++) {
    const i = row % m;
    const start = Math.floor(row / m) * n;
    const [p, q, w] = [(start + first[i]!) * inner, (start + second[i]!) * inner, weight[i]!];
    for (let k = 0; k < inner; k++)
      to[row * inner + k] = w === 0 ? from[p + k]! : (1 - w) * from[p + k]! + w * from[q + k]!;
  }
}

/** `Kernels.resampleGradient` for any dtype. */
export function resampleGradient(g: View, { first, second, weight }: Taps, out: View): void {
  const [outer, n, inner] = out.shape as [number, number, number];
  const m = first.length;
  const [from, to] = [elementsOf(g), dataOf(out)];
  const sums = new Float64Array(to.length);
  for (let row = 0; row < outer * m; row++) {
    const i = row % m;
    const start = Math.floor(row / m) * n;
    const [p, q, w] = [(start + first[i]!) * inner, (start + second[i]!) * inner, weight[i]!];
    for (let k = 0; k < inner; k++) {
      const v = from[row * inner + k]!;
      sums[p + k]! += w === 0 ? v : (1 - w) * v;
      if (w !== 0) sums[q + k]! += w * v;
    }
  }
  to.set(sums);
}
