import type { TypedArray } from '../../memory/dtype.js';
import type { Kernels, View } from '../kernels.js';
import { exactElementsOf, exactOf, storedElementsOf, storedOf } from './data.js';
import { positionsAlong } from './positions.js';

type Reduce = Parameters<Kernels['scatter']>[0];

/** `Kernels.scatter` for any dtype. */
export function scatter(reduce: Reduce, dim: number, index: View, src: View, out: View): void {
  const positions = positionsAlong(out, dim, index);
  if (reduce === 'set') put(storedOf(out), positions, storedElementsOf(src));
  else if (reduce === 'amin') takeSmaller(exactOf(out), positions, exactElementsOf(src));
  else if (reduce === 'amax' || out.dtype === 'bool') takeLarger(exactOf(out), positions, exactElementsOf(src));
  else addTo(exactOf(out), positions, exactElementsOf(src));
}

function put(to: TypedArray, positions: Int32Array, values: TypedArray): void {
  for (let i = 0; i < positions.length; i++) to[positions[i]!] = values[i]!;
}

// float32 has a loop of its own: see `loops.ts`.
function addTo(to: TypedArray, positions: Int32Array, values: TypedArray): void {
  if (to instanceof Float32Array && values instanceof Float32Array)
    for (let i = 0; i < positions.length; i++) to[positions[i]!]! += values[i]!;
  else for (let i = 0; i < positions.length; i++) to[positions[i]!]! += values[i]!;
}

// An element that is not equal to itself is NaN, and replaces any number.

function takeLarger(to: TypedArray, positions: Int32Array, values: TypedArray): void {
  for (let i = 0; i < positions.length; i++) {
    const v = values[i]!;
    // biome-ignore lint/suspicious/noSelfCompare: the elements may be bigints.
    if (v > to[positions[i]!]! || v !== v) to[positions[i]!] = v;
  }
}

function takeSmaller(to: TypedArray, positions: Int32Array, values: TypedArray): void {
  for (let i = 0; i < positions.length; i++) {
    const v = values[i]!;
    // biome-ignore lint/suspicious/noSelfCompare: the elements may be bigints.
    if (v < to[positions[i]!]! || v !== v) to[positions[i]!] = v;
  }
}
