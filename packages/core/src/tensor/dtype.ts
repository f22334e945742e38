import { DTypeError } from '../errors.js';
import { keepFreedBlocks } from './malloc.js';

/** Element types: float32 by default, float64 for gradient checks, int32 and bool for indices and masks. */
export type DType = 'float32' | 'float64' | 'int32' | 'bool';

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array;

const constructors = { float32: Float32Array, float64: Float64Array, int32: Int32Array, bool: Uint8Array } as const;

/** Promotion order: the higher of two dtypes holds the result. */
const rank: Record<DType, number> = { bool: 0, int32: 1, float32: 2, float64: 3 };

export const bytesPerElement: Record<DType, number> = { bool: 1, int32: 4, float32: 4, float64: 8 };

export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtype === 'float64';

export function checkDType(op: string, dtype: unknown): DType {
  if (typeof dtype !== 'string' || !Object.hasOwn(rank, dtype))
    throw new DTypeError(op, `unknown dtype ${String(dtype)}; use one of ${Object.keys(rank).join(', ')}`);
  return dtype as DType;
}

/**
 * Small arrays are carved from slabs: an ArrayBuffer of its own costs far more than the elements. A slab is collected
 * with the last array on it, and is never carved twice, so its arrays are zeroed.
 */
const slabBytes = 64 * 1024;
const smallBytes = 2 * 1024;
let slab = new ArrayBuffer(slabBytes);
let carved = 0;

// `new constructors[dtype](...)` would be one place for all kinds of array, and slow for that.
function arrayOf(dtype: DType, length: number): TypedArray {
  if (dtype === 'float32') return new Float32Array(length);
  return new constructors[dtype](length);
}

function arrayOn(buffer: ArrayBuffer, dtype: DType, offset: number, length: number): TypedArray {
  if (dtype === 'float32') return new Float32Array(buffer, offset, length);
  return new constructors[dtype](buffer, offset, length);
}

/** A zeroed array for `length` elements. */
export function allocate(dtype: DType, length: number): TypedArray {
  const bytes = length * (dtype === 'float32' ? 4 : bytesPerElement[dtype]);
  // V8 keeps up to 64 bytes inside the array object.
  if (bytes <= 64 || bytes > smallBytes) return arrayOf(dtype, length);
  const reserved = (bytes + 15) & ~15;
  if (carved + reserved > slabBytes) {
    slab = new ArrayBuffer(slabBytes);
    carved = 0;
  }
  const array = arrayOn(slab, dtype, carved, length);
  carved += reserved;
  return array;
}

/** Node's allocator for memory that is not zeroed. */
type Unzeroed = { Buffer?: { allocUnsafeSlow?(bytes: number): Uint8Array<ArrayBuffer> } };
const { Buffer } = globalThis as Unzeroed;

const largeBytes = 64 * 1024;

/** An array for `length` elements that will all be written: where the runtime can, large ones are not zeroed first. */
export function allocateUnzeroed(dtype: DType, length: number): TypedArray {
  const bytes = length * bytesPerElement[dtype];
  if (bytes <= smallBytes || !Buffer?.allocUnsafeSlow) return allocate(dtype, length);
  if (bytes >= largeBytes) keepFreedBlocks();
  return arrayOn(Buffer.allocUnsafeSlow(bytes).buffer, dtype, 0, length);
}

export const promote = (a: DType, b: DType): DType => (a === b || rank[a] > rank[b] ? a : b);

/** The dtype a plain number or boolean takes beside a tensor: it follows the tensor unless its kind is higher. */
export function scalarDType(value: number | boolean, beside: DType): DType {
  if (typeof value === 'boolean') return beside;
  if (isFloat(beside)) return beside;
  return Number.isInteger(value) ? 'int32' : 'float32';
}

export const toFloat = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'float32');

/** The dtype of a typed array that a user hands over. */
export function dtypeOf(array: TypedArray): DType {
  if (array instanceof Float32Array) return 'float32';
  if (array instanceof Float64Array) return 'float64';
  return array instanceof Int32Array ? 'int32' : 'bool';
}

export const isTypedArray = (value: unknown): value is TypedArray =>
  value instanceof Float32Array ||
  value instanceof Float64Array ||
  value instanceof Int32Array ||
  value instanceof Uint8Array;
