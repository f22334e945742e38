import { type DType, recordOf, type TypedArray } from '../../memory/dtype.js';
import { stridedOffsets } from '../../memory/shape.js';
import type { View } from '../kernels.js';
import { bitsOf, codedOf, dataOf, elementsOf } from './data.js';
import type { Coded } from './storage.js';

/** `copy` where one side is stored in a coded form. int64 keeps all of its bits. */
export function copyCoded(src: View, target: View): void {
  const coded = codedOf(target);
  const to = (coded === null ? dataOf(target) : coded.bits) as TypedArray;
  const values = converted(target, src);
  if (target.isContiguous) {
    to.set(values as never, target.offset);
    return;
  }
  const offsets = stridedOffsets(target.shape, target.strides, target.offset);
  for (let i = 0; i < values.length; i++) to[offsets[i]!] = values[i]!;
}

/** The elements of `src` in the stored form of `target`; a copy, as the two may overlap. */
function converted(target: View, src: View): TypedArray {
  const { dtype } = target;
  if (src.dtype === dtype) return bitsOf(src).slice() as never;
  const { coding, array } = recordOf(dtype);
  if (coding === undefined) {
    const out = new array(src.numel);
    if (src.dtype !== 'int64') fill(out, elementsOf(src), dtype === 'bool');
    else fillFromBig(out, bitsOf(src) as BigInt64Array, dtype);
    return out;
  }
  const out = new coding.bits(src.numel);
  const values = new array(src.numel);
  if (src.dtype === 'int64') fillFromBig(values, bitsOf(src) as BigInt64Array, dtype);
  else fill(values, elementsOf(src), false);
  coding.encode(values, out);
  return out as never;
}

function fill(to: TypedArray, from: TypedArray, toBool: boolean): void {
  if (toBool) for (let i = 0; i < to.length; i++) to[i] = from[i] !== 0 ? 1 : 0;
  else to.set(from as never);
}

function fillFromBig(to: TypedArray, from: BigInt64Array, dtype: DType): void {
  const { kind, bytes } = recordOf(dtype);
  if (kind === 'bool') for (let i = 0; i < to.length; i++) to[i] = from[i] !== 0n ? 1 : 0;
  else if (kind === 'float') for (let i = 0; i < to.length; i++) to[i] = Number(from[i]!);
  else for (let i = 0; i < to.length; i++) to[i] = Number(BigInt.asIntN(bytes * 8, from[i]!));
}

/** Writes one value to all elements of a storage in a coded form. */
export function fillCoded({ bits, coding, dtype }: Coded, value: number): void {
  const one = new coding.bits(1);
  coding.encode(new (recordOf(dtype).array)(1).fill(value), one);
  bits.fill(one[0] as never);
}
