import { DeviceError } from '../../errors.js';
import type { Bits } from '../../tensor/coding.js';
import type { TypedArray } from '../../tensor/dtype.js';
import { allocateUnzeroed } from '../../tensor/dtype.js';
import { broadcastStrides, isContiguous, type Shape, sameShape, sizeOf, stridedOffsets } from '../../tensor/shape.js';
import type { View } from '../backend.js';
import type { Storage } from '../storage.js';
import { gatherStrided } from './gather.js';
import type { Coded, HostStorage } from './storage.js';

/** The array that a view of host memory looks at. */
export function dataOf({ storage }: View): TypedArray {
  const { data } = storage as HostStorage;
  if (data === undefined) refuse(storage);
  return data;
}

function refuse({ backend }: Storage): never {
  throw new DeviceError(
    backend.name,
    `this operator is not there yet on ${backend.name}; move its tensors with .to('cpu')`,
  );
}

/** What is stored for elements that are no numbers in memory: see `Coded`; null for other dtypes. */
export const codedOf = ({ storage }: View): Coded | null => (storage as HostStorage).coded ?? null;

/** The elements of a contiguous view, to be read and written. */
export function targetOf(view: View): TypedArray {
  const data = dataOf(view);
  const n = sizeOf(view.shape);
  return view.offset === 0 && n === data.length ? data : data.subarray(view.offset, view.offset + n);
}

/** The elements of a view in row-major order, read-only: no copy if they lie so already and are stored as numbers. */
export function elementsOf(view: View): TypedArray {
  const coded = codedOf(view);
  if (view.isContiguous && coded === null) return targetOf(view);
  const out = allocateUnzeroed(view.dtype, sizeOf(view.shape));
  if (coded !== null) coded.coding.decode(bitsOf(view), out);
  else gatherStrided(out, dataOf(view), view.shape, view.strides, view.offset);
  return out;
}

/** What is stored for the elements of a view, in row-major order, read-only; of dtypes that are not stored as numbers. */
export function bitsOf(view: View): Bits {
  const { bits, coding } = codedOf(view)!;
  const n = sizeOf(view.shape);
  if (view.isContiguous) return n === bits.length ? bits : bits.subarray(view.offset, view.offset + n);
  const gathered = new coding.bits(n);
  // A loop of its own: those of numbers shall not see these arrays.
  const offsets = stridedOffsets(view.shape, view.strides, view.offset);
  for (let i = 0; i < n; i++) gathered[i] = bits[offsets[i]!]!;
  return gathered;
}

/** The view read as if it had this shape, to which its own broadcasts. */
export function broadcastView(view: View, shape: Shape): View {
  if (sameShape(view.shape, shape)) return view;
  const { storage, dtype, offset } = view;
  const strides = broadcastStrides(view.shape, view.strides, shape);
  return { storage, dtype, shape, strides, offset, isContiguous: isContiguous(shape, strides) };
}
