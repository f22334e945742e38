import type { Op } from './library.js';
import type { Numbers } from './mpi.js';

/**
 * For minimum and maximum, converts floats in place to integers of the same order; other data stay as they are. MPI's
 * own results for NaN, and for 0 and -0, depend on the order in which ranks are compared, so ranks would differ. Here
 * NaN wins, as in `min()` and `max()`.
 */
export function toOrdered(data: Numbers, op: Op): Numbers {
  const ordered = orderedLike(data, op);
  if (ordered === data) return data;
  for (let i = 0; i < data.length; i++) if (Number.isNaN(data[i])) setNan(ordered, i, op);
  toggle(ordered);
  return ordered;
}

/** The memory as integers, as `toOrdered` returns it, for results. */
export function orderedLike(data: Numbers, op: Op): Numbers {
  if (op !== 'min' && op !== 'max') return data;
  if (data instanceof Float32Array) return new Int32Array(data.buffer, data.byteOffset, data.length);
  return data instanceof Float64Array ? new BigInt64Array(data.buffer, data.byteOffset, data.length) : data;
}

/** Converts integers of `toOrdered` back to floats, in place. */
export function fromOrdered(ordered: Numbers, data: Numbers): void {
  if (ordered !== data) toggle(ordered);
}

// Sets the bits of the NaN that is larger, or smaller, than all numbers.
function setNan(bits: Numbers, i: number, op: Op): void {
  if (bits instanceof BigInt64Array) bits[i] = op === 'max' ? 2n ** 63n - 1n : -1n;
  else bits[i] = op === 'max' ? 2 ** 31 - 1 : -1;
}

/** Flips the bits of negative floats, whose order is reversed. Applying it twice changes nothing. */
function toggle(bits: Numbers): void {
  if (bits instanceof BigInt64Array) {
    for (let i = 0; i < bits.length; i++) bits[i]! ^= (bits[i]! >> 63n) & (2n ** 63n - 1n);
  } else for (let i = 0; i < bits.length; i++) bits[i]! ^= (bits[i]! >> 31) & 0x7fffffff;
}
