import { DeviceError } from '../../errors.js';
import { gatherStrided } from '../../kernels/gather.js';
import type { TypedArray } from '../../tensor/dtype.js';
import { allocateUnzeroed } from '../../tensor/dtype.js';
import { sizeOf } from '../../tensor/shape.js';
import type { View } from '../backend.js';
import type { Storage } from '../storage.js';
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

/** The elements of a view in row-major order, read-only: no copy if they lie so already. */
export function elementsOf(view: View): TypedArray {
  if (view.isContiguous) return targetOf(view);
  const out = allocateUnzeroed(view.dtype, sizeOf(view.shape));
  gatherStrided(out, dataOf(view), view.shape, view.strides, view.offset);
  return out;
}
