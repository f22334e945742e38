import type { Op } from './library.js';
import type { Numbers } from './mpi.js';

/**
 * Floats as whole numbers of the same order, in the same memory, where the least or the greatest is asked for; everything else
 * as it is. What MPI itself finds of NaN, and of 0 and -0, depends on the order in which ranks are compared, so that they
 * would differ. Here NaN comes first, as in `min()` and `max()`.
 */
export function toOrdered(data: Numbers, op: Op): Numbers {
  const ordered = orderedLike(data, op);
  if (ordered === data) return data;
  for (let i = 0; i < data.length; i++) if (Number.isNaN(data[i])) setNan(ordered, i, op);
  toggle(ordered);
  return ordered;
}

/** The memory as `toOrdered` gives it, for what is written there. */
export function orderedLike(data: Numbers, op: Op): Numbers {
  if (op !== 'min' && op !== 'max') return data;
  if (data instanceof Float32Array) return new Int32Array(data.buffer, data.byteOffset, data.length);
  return data instanceof Float64Array ? new BigInt64Array(data.buffer, data.byteOffset, data.length) : data;
}

/** Makes what `toOrdered` gave floats again. */
export function fromOrdered(ordered: Numbers, data: Numbers): void {
  if (ordered !== data) toggle(ordered);
}

// The bits of the NaN that comes last, or first.
function setNan(bits: Numbers, i: number, op: Op): void {
  if (bits instanceof BigInt64Array) bits[i] = op === 'max' ? 2n ** 63n - 1n : -1n;
  else bits[i] = op === 'max' ? 2 ** 31 - 1 : -1;
}

/** Floats below zero are the smaller the greater their bits are; the same again makes it undone. */
function toggle(bits: Numbers): void {
  if (bits instanceof BigInt64Array) {
    for (let i = 0; i < bits.length; i++) bits[i]! ^= (bits[i]! >> 63n) & (2n ** 63n - 1n);
  } else for (let i = 0; i < bits.length; i++) bits[i]! ^= (bits[i]! >> 31) & 0x7fffffff;
}
