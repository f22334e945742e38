import { DeviceError } from '../../errors.js';
import { allocateUninitialized } from '../../memory/allocate.js';
import type { Bits } from '../../memory/coding.js';
import type { TypedArray } from '../../memory/dtype.js';
import { recordOf } from '../../memory/dtype.js';
import { broadcastStrides, isContiguous, type Shape, sameShape, sizeOf, stridedOffsets } from '../../memory/shape.js';
import type { Storage } from '../../memory/storage.js';
import { isGone, refuseGone } from '../gone.js';
import type { View } from '../kernels.js';
import type { Coded, HostStorage } from './storage.js';
import { gatherStrided } from './strided.js';

/** The array of the storage of a host view. */
export function dataOf({ storage }: View): TypedArray {
  const { data } = storage as HostStorage;
  if (data === undefined) refuse(storage);
  return data;
}

function refuse(storage: Storage): never {
  const { backend } = storage;
  if (isGone(storage)) refuseGone('read', storage);
  // It says why.
  if (backend.over !== undefined) backend.read(storage);
  throw new DeviceError(
    backend.name,
    `this operator is not there yet on ${backend.name}; move its tensors with .to('cpu')`,
  );
}

/** The coded elements of a dtype that is not stored as numbers (see `Coded`); null for other dtypes. */
export const codedOf = ({ storage }: View): Coded | null => (storage as HostStorage).coded ?? null;

/** The stored form of all elements of the storage, to copy elements without decoding them. */
export function storedOf(view: View): TypedArray {
  const coded = codedOf(view);
  return coded === null ? dataOf(view) : (coded.bits as never);
}

/** The stored form of the elements of a view, in row-major order, read-only. */
export const storedElementsOf = (view: View): TypedArray =>
  codedOf(view) === null ? numbersAmong(dataOf(view), view) : (bitsOf(view) as never);

/** The array of a view for exact arithmetic: bigints for int64. */
export const exactOf = (view: View): TypedArray => (view.dtype === 'int64' ? storedOf(view) : dataOf(view));

/** The elements of a view for exact arithmetic, in row-major order, read-only. */
export const exactElementsOf = (view: View): TypedArray =>
  view.dtype === 'int64' ? (bitsOf(view) as never) : elementsOf(view);

/** The elements of a contiguous view, for reading and writing. */
export function targetOf(view: View): TypedArray {
  const data = dataOf(view);
  const n = view.numel;
  return view.offset === 0 && n === data.length ? data : data.subarray(view.offset, view.offset + n);
}

/** The elements of a view in row-major order, read-only; no copy if they are contiguous and stored as numbers. */
export function elementsOf(view: View): TypedArray {
  const coded = codedOf(view);
  if (coded === null) return numbersAmong(dataOf(view), view);
  const out = allocateUninitialized(view.dtype, view.numel);
  coded.coding.decode(bitsOf(view), out);
  return out;
}

/** The stored form of a view's elements, in row-major order, read-only; for dtypes that are not stored as numbers. */
export const bitsOf = (view: View): Bits => bitsAmong(codedOf(view)!.bits, view);

/** The elements of a view in row-major order, read-only, given all numbers of its storage. */
export function numbersAmong(stored: TypedArray, view: View): TypedArray {
  const n = view.numel;
  if (view.isContiguous)
    return view.offset === 0 && n === stored.length ? stored : stored.subarray(view.offset, view.offset + n);
  const gathered = allocateUninitialized(view.dtype, n);
  gatherStrided(gathered, stored, view.shape, view.strides, view.offset);
  return gathered;
}

/** The same for a dtype that is not stored as numbers. */
export function bitsAmong(stored: Bits, view: View): Bits {
  const n = view.numel;
  if (view.isContiguous) return n === stored.length ? stored : stored.subarray(view.offset, view.offset + n);
  const gathered = new (recordOf(view.dtype).coding!.bits)(n);
  // A loop of its own, so that the loop over numbers stays monomorphic.
  const offsets = stridedOffsets(view.shape, view.strides, view.offset);
  for (let i = 0; i < n; i++) gathered[i] = stored[offsets[i]!]!;
  return gathered;
}

/** The view broadcast to this shape. */
export function broadcastView(view: View, shape: Shape): View {
  if (sameShape(view.shape, shape)) return view;
  const { storage, dtype, offset } = view;
  const strides = broadcastStrides(view.shape, view.strides, shape);
  return { storage, dtype, shape, numel: sizeOf(shape), strides, offset, isContiguous: isContiguous(shape, strides) };
}
