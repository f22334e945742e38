import { broadcastView, dataOf } from '../backend/host/data.js';
import { int64Elements, int64Of } from '../backend/host/int64.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';

// Loops over 64-bit integers, apart from those over numbers: a bigint at their places would slow them all down.
// What is written to a BigInt64Array wraps modulo 2^64, as in PyTorch.

export type Exact1 = (x: bigint) => bigint;
export type Exact2 = (a: bigint, b: bigint) => bigint | boolean;

/** The elements of an integer or bool tensor, read as if it had the broadcast shape `shape`, as 64-bit integers. */
export const bigElements = (t: Tensor, shape: Shape = t.shape): BigInt64Array => int64Elements(broadcastView(t, shape));

/** Applies `f` to every element; gives int64. */
export function mapExact(f: Exact1, x: Tensor): Tensor {
  const from = bigElements(x);
  const out = new BigInt64Array(from.length);
  for (let i = 0; i < out.length; i++) out[i] = f(from[i]!);
  return Tensor.of(out, 'int64', x.shape);
}

/** Applies `f` to the elements of `a` and `b`, which broadcast to `shape`; gives int64, or bool from a comparison. */
export function mapExact2(f: Exact2, a: Tensor, b: Tensor, shape: Shape, dtype: DType): Tensor {
  const x = bigElements(a, shape);
  const y = bigElements(b, shape);
  if (dtype === 'int64') {
    const out = new BigInt64Array(x.length);
    for (let i = 0; i < out.length; i++) out[i] = f(x[i]!, y[i]!) as bigint;
    return Tensor.of(out, dtype, shape);
  }
  const out = Tensor.unwritten(dtype, shape);
  const to = dataOf(out);
  for (let i = 0; i < to.length; i++) to[i] = Number(f(x[i]!, y[i]!));
  return out;
}

/** The sums or products of the elements at `start + offsets[j]` for each start: exact, wrapping modulo 2^64. */
export function reduceExact(
  which: 'sum' | 'prod',
  data: BigInt64Array,
  starts: Int32Array,
  offsets: Int32Array,
): BigInt64Array {
  const out = new BigInt64Array(starts.length);
  for (let i = 0; i < out.length; i++) {
    let result = which === 'sum' ? 0n : 1n;
    for (let j = 0; j < offsets.length; j++) {
      const v = data[starts[i]! + offsets[j]!]!;
      result = BigInt.asIntN(64, which === 'sum' ? result + v : result * v);
    }
    out[i] = result;
  }
  return out;
}

export { int64Of };

/** The running sums or products along lines of `n` elements, `step` apart: exact, wrapping modulo 2^64. */
export function scanExact(which: 'sum' | 'prod', data: BigInt64Array, start: number, step: number, n: number): void {
  let result = which === 'sum' ? 0n : 1n;
  for (let i = 0, p = start; i < n; i++, p += step) {
    result = which === 'sum' ? result + data[p]! : result * data[p]!;
    data[p] = result;
    result = data[p]!;
  }
}
