import { bitsAmong, numbersAmong } from '../backend/host/data.js';
import { allocateUninitialized } from '../memory/allocate.js';
import type { Bits } from '../memory/coding.js';
import { recordOf, type TypedArray } from '../memory/dtype.js';
import type { Tensor } from './tensor.js';

// What tensors hold, without a copy where it lies in order: arrays to be read only, over memory that other tensors share.
// So these are no methods, which any program could call; `toTypedArray` gives copies. `op` is whom an error names.

/** The elements in row-major order, as numbers. */
export const elementsOf = (t: Tensor, op?: string): TypedArray =>
  elementsAmong(t, t.storage.backend.read(t.storage, op));

/** The elements out of what the backend has handed over of the whole storage. */
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

/** The same out of what the backend has handed over of the whole storage. */
export const storedAmong = (t: Tensor, stored: TypedArray | Bits): TypedArray | Bits =>
  recordOf(t.dtype).coding === undefined ? numbersAmong(stored as TypedArray, t) : bitsAmong(stored as Bits, t);

/**
 * The elements such that each is exact and can be compared and copied to an array of the same class: as `elementsOf` gives
 * them, but int64 as bigints.
 */
export const exactOf = (t: Tensor, op?: string): TypedArray =>
  t.dtype === 'int64' ? (storedOf(t, op) as never) : elementsOf(t, op);
