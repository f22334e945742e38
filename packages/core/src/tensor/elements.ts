import { bitsAmong, numbersAmong } from '../backend/host/data.js';
import { entered } from '../errors.js';
import { allocateOwn, allocateUninitialized } from '../memory/allocate.js';
import type { Bits } from '../memory/coding.js';
import { type Complex, recordOf, type TypedArray } from '../memory/dtype.js';
import { contiguousStrides } from '../memory/shape.js';
import type { Tensor } from './tensor.js';

// What tensors hold, without a copy where it lies in order: arrays to be read only, over memory that other tensors
// share. So these are no methods, which any program could call; `toTypedArray` gives copies. `op` is whom an error
// names.

/** The elements in row-major order, as numbers. */
export const elementsOf = (t: Tensor, op?: string): TypedArray =>
  elementsAmong(t, t.storage.backend.read(t.storage, op));

/** The elements out of what the backend has handed over of the whole storage. */
function elementsAmong(t: Tensor, stored: TypedArray | Bits): TypedArray {
  const { coding } = recordOf(t.dtype);
  if (coding === undefined) return numbersAmong(stored as TypedArray, t);
  const out = allocateUninitialized(t.dtype, t.numel);
  coding.decode(bitsAmong(stored as Bits, t), out);
  return out;
}

/** The same as a copy, which is the caller's. */
export function copyAmong(op: string, t: Tensor, stored: TypedArray | Bits): TypedArray {
  entered.op = op;
  const out = allocateOwn(t.dtype, t.numel);
  out.set(elementsAmong(t, stored) as never);
  return out;
}

/** The values of a tensor as nested arrays, or a single value for one without dimensions. */
export type NestedArray = number | boolean | NestedArray[];

/** Elements in row-major order as nested arrays. */
export function nestedOf({ dtype, shape, ndim }: Tensor, flat: ArrayLike<number | Complex>): NestedArray {
  const value = (i: number) => (dtype === 'bool' ? flat[i] !== 0 : (flat[i] as number));
  const steps = contiguousStrides(shape);
  const nest = (dim: number, start: number): NestedArray =>
    dim === ndim ? value(start) : Array.from({ length: shape[dim]! }, (_, i) => nest(dim + 1, start + i * steps[dim]!));
  return nest(0, 0);
}

/** What is stored for the elements, in row-major order. */
export const storedOf = (t: Tensor, op?: string): TypedArray | Bits =>
  storedAmong(t, t.storage.backend.read(t.storage, op));

/** The same out of what the backend has handed over of the whole storage. */
export const storedAmong = (t: Tensor, stored: TypedArray | Bits): TypedArray | Bits =>
  recordOf(t.dtype).coding === undefined ? numbersAmong(stored as TypedArray, t) : bitsAmong(stored as Bits, t);

/**
 * The elements such that each is exact and can be compared and copied to an array of the same class: as `elementsOf`
 * gives them, but int64 as bigints.
 */
export const exactOf = (t: Tensor, op?: string): TypedArray =>
  t.dtype === 'int64' ? (storedOf(t, op) as never) : elementsOf(t, op);
