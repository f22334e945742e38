import { bitsAmong, numbersAmong } from '../backend/host/data.js';
import { allocateUninitialized } from '../memory/allocate.js';
import type { Bits } from '../memory/coding.js';
import { recordOf, type TypedArray } from '../memory/dtype.js';
import type { Tensor } from './tensor.js';

// The elements of tensors, without a copy if they lie in order: read-only arrays over memory that other tensors share.
// Functions and not methods, as any program could call those; `toTypedArray` gives copies. `op` is the name in errors.

/** The elements in row-major order, as numbers. */
export const elementsOf = (t: Tensor, op?: string): TypedArray =>
  elementsAmong(t, t.storage.backend.read(t.storage, op));

/** The elements, out of the whole storage as the backend returns it. */
export function elementsAmong(t: Tensor, stored: TypedArray | Bits): TypedArray {
  const { coding } = recordOf(t.dtype);
  if (coding === undefined) return numbersAmong(stored as TypedArray, t);
  const out = allocateUninitialized(t.dtype, t.numel);
  coding.decode(bitsAmong(stored as Bits, t), out);
  return out;
}

/** What is stored for the elements, in row-major order. */
export const storedOf = (t: Tensor, op?: string): TypedArray | Bits =>
  storedAmong(t, t.storage.backend.read(t.storage, op));

/** The same, out of the whole storage as the backend returns it. */
export const storedAmong = (t: Tensor, stored: TypedArray | Bits): TypedArray | Bits =>
  recordOf(t.dtype).coding === undefined ? numbersAmong(stored as TypedArray, t) : bitsAmong(stored as Bits, t);

/**
 * The elements in exact form, to be compared, or copied to an array of the same class: as `elementsOf` gives them, but
 * int64 as bigints.
 */
export const exactOf = (t: Tensor, op?: string): TypedArray =>
  t.dtype === 'int64' ? (storedOf(t, op) as never) : elementsOf(t, op);
