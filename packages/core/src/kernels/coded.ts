import { codedOf, dataOf } from '../backend/host/data.js';
import { recordOf, type TypedArray } from '../tensor/dtype.js';
import { stridedOffsets } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** `copyInto` where either side is stored otherwise than as numbers. int64 keeps all of its bits. */
export function copyCoded(target: Tensor, src: Tensor): void {
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

/** The elements of `src` as they are stored in a tensor like `target`; a copy, for the two may overlap. */
function converted(target: Tensor, src: Tensor): TypedArray {
  const { dtype } = target;
  if (src.dtype === dtype) return src.bits().slice() as never;
  const { coding, array } = recordOf(dtype);
  if (coding === undefined) {
    const out = new array(src.numel);
    if (src.dtype !== 'int64') fill(out, src.elements(), dtype === 'bool');
    else fillFromBig(out, src.bits() as BigInt64Array, dtype);
    return out;
  }
  const out = new coding.bits(src.numel);
  const values = new array(src.numel);
  if (src.dtype === 'int64') fillFromBig(values, src.bits() as BigInt64Array, dtype);
  else fill(values, src.elements(), false);
  coding.encode(values, out);
  return out as never;
}

function fill(to: TypedArray, from: TypedArray, toBool: boolean): void {
  if (toBool) for (let i = 0; i < to.length; i++) to[i] = from[i] !== 0 ? 1 : 0;
  else to.set(from as never);
}

function fillFromBig(to: TypedArray, from: BigInt64Array, dtype: Tensor['dtype']): void {
  const { kind, bytes } = recordOf(dtype);
  if (kind === 'bool') for (let i = 0; i < to.length; i++) to[i] = from[i] !== 0n ? 1 : 0;
  else if (kind === 'float') for (let i = 0; i < to.length; i++) to[i] = Number(from[i]!);
  else for (let i = 0; i < to.length; i++) to[i] = Number(BigInt.asIntN(bytes * 8, from[i]!));
}
