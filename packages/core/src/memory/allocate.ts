import { entered, TensorError } from '../errors.js';
import type { Bits } from './coding.js';
import { type DType, dtypes, type TypedArray } from './dtype.js';
import { keepFreedBlocks } from './malloc.js';

/**
 * Small arrays are carved from slabs: an ArrayBuffer of its own costs far more than the elements. A slab is collected
 * with the last array on it, and is never carved twice, so its arrays are zeroed.
 */
const slabBytes = 64 * 1024;
const smallBytes = 2 * 1024;
let slab = new ArrayBuffer(slabBytes);
let carved = 0;

// One `new dtypes[dtype].array(...)` for all dtypes would be a megamorphic call site; float32 has its own.
function arrayOf(dtype: DType, length: number): TypedArray {
  if (dtype === 'float32') return new Float32Array(length);
  return new dtypes[dtype].array(length);
}

function arrayOn(buffer: ArrayBuffer, dtype: DType, offset: number, length: number): TypedArray {
  if (dtype === 'float32') return new Float32Array(buffer, offset, length);
  return new dtypes[dtype].array(buffer, offset, length);
}

const arrayBytes = (dtype: DType): number => (dtype === 'float32' ? 4 : dtypes[dtype].array.BYTES_PER_ELEMENT);

/** A zeroed array for operators to write `length` elements to. */
export function allocate(dtype: DType, length: number): TypedArray {
  const bytes = length * arrayBytes(dtype);
  // V8 keeps up to 64 bytes inside the array object.
  if (bytes <= 64) return arrayOf(dtype, length);
  return bytes <= smallBytes ? carve(dtype, length, bytes) : large(dtype, length, arrayOf);
}

function carve(dtype: DType, length: number, bytes: number): TypedArray {
  const reserved = (bytes + 15) & ~15;
  if (carved + reserved > slabBytes) {
    slab = new ArrayBuffer(slabBytes);
    carved = 0;
  }
  const array = arrayOn(slab, dtype, carved, length);
  carved += reserved;
  return array;
}

/** An array that no other shares memory with, for users: they may transfer its buffer, or write it to a file. */
export const allocateOwn = (dtype: DType, length: number): TypedArray => large(dtype, length, arrayOf);

/** Node's allocator for memory that is not zeroed. */
type Unzeroed = { Buffer?: { allocUnsafeSlow?(bytes: number): Uint8Array<ArrayBuffer> } };
const { Buffer } = globalThis as Unzeroed;

const largeBytes = 64 * 1024;

/** An array for `length` elements that will all be written: where the runtime can, large ones are not zeroed first. */
export function allocateUninitialized(dtype: DType, length: number): TypedArray {
  const bytes = length * arrayBytes(dtype);
  if (bytes <= smallBytes || !Buffer?.allocUnsafeSlow) return allocate(dtype, length);
  if (bytes >= largeBytes) keepFreedBlocks();
  return large(dtype, length, unzeroedOf);
}

/** An array for what is stored of `length` elements, of a dtype that is not stored as numbers. */
export const allocateBits = (dtype: DType, length: number): Bits => large(dtype, length, bitsOf);

const bitsOf = (dtype: DType, length: number): Bits => new dtypes[dtype].coding!.bits(length);

const unzeroedOf: typeof arrayOf = (dtype, length) =>
  arrayOn(Buffer!.allocUnsafeSlow!(length * arrayBytes(dtype)).buffer, dtype, 0, length);

/**
 * What `make` gives, or an error that says what could not be had. No closure is made for it: functions with one that
 * sees their parameters keep these on the heap, at every call.
 */
function large<A>(dtype: DType, length: number, make: (dtype: DType, length: number) => A): A {
  try {
    return make(dtype, length);
  } catch (error) {
    const bytes = length * dtypes[dtype].bytes;
    throw new TensorError(
      entered.op,
      `${length} elements of ${dtype} need ${bytes} bytes, which cannot be had; use smaller tensors or batches`,
      { cause: error },
    );
  }
}
