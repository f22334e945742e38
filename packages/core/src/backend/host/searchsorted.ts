import type { TypedArray } from '../../memory/dtype.js';
import type { View } from '../kernels.js';
import { dataOf, exactElementsOf } from './data.js';

/** Compares as for `sort`, NaN last; takes bigints beside numbers too. */
export const inOrder = (a: number, b: number): number =>
  a < b ? -1 : a > b ? 1 : Number(Number.isNaN(a)) - Number(Number.isNaN(b));

/** `Kernels.searchsorted` for any dtypes, by bisection. */
export function searchsorted(sorted: View, values: View, right: boolean, out: View): void {
  const [edges, data, to] = [exactElementsOf(sorted), exactElementsOf(values), dataOf(out)];
  const n = sorted.shape.at(-1)!;
  const perLine = sorted.shape.length > 1 ? values.shape.at(-1)! : data.length;
  for (let i = 0; i < to.length; i++)
    to[i] = bisect(edges, Math.floor(i / Math.max(1, perLine)) * n, n, data[i]!, right);
}

function bisect(edges: TypedArray, start: number, n: number, value: number, right: boolean): number {
  let low = 0;
  let high = n;
  while (low < high) {
    const mid = (low + high) >> 1;
    const c = inOrder(edges[start + mid]!, value);
    if (c < 0 || (right && c === 0)) low = mid + 1;
    else high = mid;
  }
  return low;
}
