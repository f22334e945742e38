import type { TypedArray } from '../../memory/dtype.js';
import { stridedOffsets } from '../../memory/shape.js';
import type { View } from '../kernels.js';
import { elementsOf } from './data.js';

/** The offsets in the storage of `x` of the elements that `index` names along `dim`, in row-major order. */
export function positionsAlong(x: View, dim: number, index: View): Int32Array {
  const n = x.shape[dim] ?? 1;
  const step = x.strides[dim] ?? 0;
  const names = elementsOf(index);
  if (index.shape.length === 1) return inVector(names, n, step, x.offset);
  const out = new Int32Array(names.length);
  const count = index.shape[dim] ?? 1;
  const starts = stridedOffsets(index.shape.slice(0, dim), x.strides.slice(0, dim), x.offset);
  const offsets = stridedOffsets(index.shape.slice(dim + 1), x.strides.slice(dim + 1));
  const inner = offsets.length;
  for (let s = 0, p = 0; s < starts.length; s++)
    for (let k = 0; k < count; k++)
      for (let j = 0; j < inner; j++, p++) {
        const at = names[p]!;
        out[p] = starts[s]! + (at < 0 ? at + n : at) * step + offsets[j]!;
      }
  return out;
}

function inVector(names: TypedArray, n: number, step: number, offset: number): Int32Array {
  if (step === 1 && offset === 0 && names instanceof Int32Array && arePositions(names)) return names;
  const out = new Int32Array(names.length);
  for (let i = 0; i < out.length; i++) out[i] = offset + (names[i]! < 0 ? names[i]! + n : names[i]!) * step;
  return out;
}

/** Whether no index is negative: then indices are offsets of a contiguous vector as they are. */
function arePositions(names: Int32Array): boolean {
  for (let i = 0; i < names.length; i++) if (names[i]! < 0) return false;
  return true;
}
