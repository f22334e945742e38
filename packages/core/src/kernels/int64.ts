import { broadcastView } from '../backend/host/data.js';
import { int64Elements } from '../backend/host/int64.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** The elements of an integer or bool tensor, read as if it had the broadcast shape `shape`, as 64-bit integers. */
export const bigElements = (t: Tensor, shape: Shape = t.shape): BigInt64Array => int64Elements(broadcastView(t, shape));

/** The running sums or products along lines of `n` elements, `step` apart: exact, wrapping modulo 2^64. */
export function scanExact(which: 'sum' | 'prod', data: BigInt64Array, start: number, step: number, n: number): void {
  let result = which === 'sum' ? 0n : 1n;
  for (let i = 0, p = start; i < n; i++, p += step) {
    result = which === 'sum' ? result + data[p]! : result * data[p]!;
    data[p] = result;
    result = data[p]!;
  }
}
