import { type PackedTensor, packTensor, Tensor, unpackTensor } from '@gradgate/core';
import { isRecord, maxDepth } from '../plain.js';

/** A value in the form in which threads can send it to each other: each tells what it is, so that no key has a meaning. */
export type Packed =
  | { tensor: PackedTensor }
  | { array: Packed[] }
  | { object: [key: string, value: Packed][] }
  | { map: [key: Packed, value: Packed][] }
  | { set: Packed[] }
  | { value: unknown };

/** Tensors, within arrays, objects, maps and sets too, as data. */
export function pack(value: unknown, depth = 0): Packed {
  if (Tensor.is(value)) return { tensor: packTensor(value) };
  if (depth > maxDepth) throw new TypeError(`a sample is nested deeper than ${maxDepth} levels, or contains itself`);
  // Long arrays of numbers are sent as they are.
  if (Array.isArray(value))
    return value.some((v) => typeof v === 'object')
      ? { array: Array.from(value, (v) => pack(v, depth + 1)) }
      : { value };
  if (value instanceof Map) return { map: Array.from(value, ([k, v]) => [pack(k, depth + 1), pack(v, depth + 1)]) };
  if (value instanceof Set) return { set: Array.from(value, (v) => pack(v, depth + 1)) };
  if (isRecord(value)) return { object: Object.entries(value).map(([k, v]) => [k, pack(v, depth + 1)]) };
  return { value };
}

/** The reverse of `pack`. */
export function unpack(packed: Packed): unknown {
  if ('tensor' in packed) return unpackTensor(packed.tensor);
  if ('array' in packed) return packed.array.map(unpack);
  if ('object' in packed) return Object.fromEntries(packed.object.map(([k, v]) => [k, unpack(v)]));
  if ('map' in packed) return new Map(packed.map.map(([k, v]) => [unpack(k), unpack(v)]));
  if ('set' in packed) return new Set(packed.set.map(unpack));
  return packed.value;
}
