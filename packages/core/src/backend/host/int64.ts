import { isFloat, recordOf, type TypedArray } from '../../memory/dtype.js';
import type { View } from '../kernels.js';
import { bitsOf, elementsOf } from './data.js';

/**
 * The elements of a view in row-major order as 64-bit integers, read-only. Fractions are cut off, larger numbers wrap.
 */
export function int64Elements(view: View): BigInt64Array {
  if (view.dtype === 'int64') return bitsOf(view) as BigInt64Array;
  if (!isFloat(view.dtype)) return int64Of(elementsOf(view));
  const out = new BigInt64Array(view.numel);
  recordOf('int64').coding!.encode(elementsOf(view), out);
  return out;
}

/** Whole numbers as 64-bit integers. */
const int64Of = (values: TypedArray): BigInt64Array => {
  const out = new BigInt64Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = BigInt(values[i]!);
  return out;
};
