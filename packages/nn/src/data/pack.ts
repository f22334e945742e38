import { type PackedTensor, packTensor, Tensor, unpackTensor } from '@gradgate/core';
import { isRecord, maxDepth } from '../plain.js';

/**
 * A value as it is sent between threads. Each level says what it is, so that no key of a sample has a special meaning.
 */
export type Packed =
  | { tensor: PackedTensor }
  | { array: Packed[] }
  | { object: [key: string, value: Packed][] }
  | { map: [key: Packed, value: Packed][] }
  | { set: Packed[] }
  | { value: unknown };

/** Converts tensors to data, also within arrays, objects, maps and sets. */
export function pack(value: unknown, depth = 0): Packed {
  if (Tensor.is(value)) return { tensor: packTensor(value) };
  if (depth > maxDepth) throw new TypeError(`a sample is nested deeper than ${maxDepth} levels, or contains itself`);
  // Arrays of plain values are sent as they are, since they may be long.
  if (Array.isArray(value))
    return value.some((v) => typeof v === 'object')
      ? { array: Array.from(value, (v) => pack(v, depth + 1)) }
      : { value };
  if (value instanceof Map) return { map: Array.from(value, ([k, v]) => [pack(k, depth + 1), pack(v, depth + 1)]) };
  if (value instanceof Set) return { set: Array.from(value, (v) => pack(v, depth + 1)) };
  if (isRecord(value)) return { object: Object.entries(value).map(([k, v]) => [k, pack(v, depth + 1)]) };
  return { value };
}

/** The inverse of `pack`. */
export function unpack(packed: Packed): unknown {
  if ('tensor' in packed) return unpackTensor(packed.tensor);
  if ('array' in packed) return packed.array.map(unpack);
  if ('object' in packed) return Object.fromEntries(packed.object.map(([k, v]) => [k, unpack(v)]));
  if ('map' in packed) return new Map(packed.map.map(([k, v]) => [unpack(k), unpack(v)]));
  if ('set' in packed) return new Set(packed.set.map(unpack));
  return packed.value;
}
