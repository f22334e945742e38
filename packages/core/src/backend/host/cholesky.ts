import type { View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';

/** `Kernels.cholesky`, in float64 for any dtype; reads the lower triangle. */
export function cholesky(a: View, out: View, refuse: () => Error): void {
  const [data, to] = [elementsOf(a), dataOf(out)];
  const n = a.shape.at(-1)!;
  const l = new Float64Array(n * n);
  for (let start = 0; start < data.length; start += n * n) {
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        let v = data[start + i * n + j]!;
        for (let k = 0; k < j; k++) v -= l[i * n + k]! * l[j * n + k]!;
        if (i === j && !(v > 0)) throw refuse();
        l[i * n + j] = i === j ? Math.sqrt(v) : v / l[j * n + j]!;
      }
    to.set(l as never, start);
  }
}
