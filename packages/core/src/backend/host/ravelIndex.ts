import { contiguousStrides, type Shape, stridedOffsets } from '../../memory/shape.js';
import type { View } from '../kernels.js';
import { dataOf, elementsOf } from './data.js';

/** `Kernels.ravelIndex`. */
export function ravelIndex(lists: readonly (View | null)[], shape: Shape, lead: number, out: View): void {
  const strides = contiguousStrides(shape);
  const listed = new Int32Array(lists.find((list) => list !== null)!.numel);
  lists.forEach((list, d) => {
    if (list === null) return;
    const names = elementsOf(list);
    const n = shape[d]!;
    const step = strides[d]!;
    for (let i = 0; i < listed.length; i++) listed[i]! += (names[i]! < 0 ? names[i]! + n : names[i]!) * step;
  });
  const whole = shape.map((_, d) => d).filter((d) => lists[d] === null);
  const offsets = (dims: number[]) =>
    stridedOffsets(
      dims.map((d) => shape[d]!),
      dims.map((d) => strides[d]!),
    );
  const [outer, inner] = [offsets(whole.slice(0, lead)), offsets(whole.slice(lead))];
  const to = dataOf(out);
  for (let o = 0, p = 0; o < outer.length; o++)
    for (let l = 0; l < listed.length; l++) {
      const start = outer[o]! + listed[l]!;
      for (let i = 0; i < inner.length; i++) to[p++] = start + inner[i]!;
    }
}
