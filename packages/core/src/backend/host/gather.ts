import type { View } from '../kernels.js';
import { storedOf } from './data.js';
import { positionsAlong } from './positions.js';

/** `Kernels.gather` for any dtype: copies the stored form. float32 has a loop of its own: see `loops.ts`. */
export function gather(x: View, dim: number, index: View, out: View): void {
  const positions = positionsAlong(x, dim, index);
  const from = storedOf(x);
  const to = storedOf(out);
  if (from instanceof Float32Array && to instanceof Float32Array)
    for (let i = 0; i < positions.length; i++) to[i] = from[positions[i]!]!;
  else for (let i = 0; i < positions.length; i++) to[i] = from[positions[i]!]!;
}
