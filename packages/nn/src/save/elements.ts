import { type AnyTypedArray, type DType, packTensor, type Tensor, tensor, unpackTensor } from '@gradgate/core';

/** An element type of files: the array that holds its bits, and the dtype that it is read into. */
interface Element {
  readonly array: { new (buffer: ArrayBuffer): AnyTypedArray; readonly BYTES_PER_ELEMENT: number };
  readonly dtype: DType;
  /** The number of array elements that a complex element takes. */
  readonly parts?: 2;
}

/**
 * The element types of files, by NumPy's names (and bf2 for bfloat16). Types without a dtype of their own are read into
 * one that holds all their values; uint64 is read into int64, and values that do not fit are refused.
 */
export const elements = {
  f8: { array: Float64Array, dtype: 'float64' },
  f4: { array: Float32Array, dtype: 'float32' },
  f2: { array: Uint16Array, dtype: 'float16' },
  bf2: { array: Uint16Array, dtype: 'bfloat16' },
  i8: { array: BigInt64Array, dtype: 'int64' },
  i4: { array: Int32Array, dtype: 'int32' },
  i2: { array: Int16Array, dtype: 'int16' },
  i1: { array: Int8Array, dtype: 'int8' },
  u8: { array: BigUint64Array, dtype: 'int64' },
  u4: { array: Uint32Array, dtype: 'int64' },
  u2: { array: Uint16Array, dtype: 'int32' },
  u1: { array: Uint8Array, dtype: 'uint8' },
  b1: { array: Uint8Array, dtype: 'bool' },
  c8: { array: Float32Array, dtype: 'complex64', parts: 2 },
  c16: { array: Float64Array, dtype: 'complex128', parts: 2 },
} as const satisfies Record<string, Element>;

/** The name of an element type. */
export type ElementName = keyof typeof elements;

/** The number of bytes of an element. */
export const bytesPerElement = (name: ElementName): number => {
  const { array, parts }: Element = elements[name];
  return array.BYTES_PER_ELEMENT * (parts ?? 1);
};

const machineIsLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** A copy of `bytes`, numbers of `width` bytes each, in the machine's byte order. */
function inMachineOrder(bytes: Uint8Array, width: number, little: boolean): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length);
  if (little === machineIsLittle || width === 1) out.set(bytes);
  else for (let i = 0; i < bytes.length; i++) out[i] = bytes[i - (i % width) + width - 1 - (i % width)]!;
  return out;
}

/** Reads a tensor from `bytes`, little-endian or big-endian. Calls `refuse` for values that the dtype cannot hold. */
export function readElements(
  name: ElementName,
  bytes: Uint8Array,
  shape: readonly number[],
  little: boolean,
  refuse: (message: string) => never,
): Tensor {
  const { array, dtype, parts }: Element = elements[name];
  const values: AnyTypedArray = new array(inMachineOrder(bytes, array.BYTES_PER_ELEMENT, little).buffer);
  if (name === 'f2' || name === 'bf2' || parts === 2)
    return unpackTensor({ dtype, shape, data: values as Uint16Array, requiresGrad: false });
  if (name === 'b1') for (const v of values) if (v > 1) refuse(`the file holds ${v}, which is neither true nor false`);
  if (name === 'u8') for (const v of values) if (v >= 2n ** 63n) refuse(`the file holds ${v}, which int64 cannot`);
  return tensor(values, { shape, dtype });
}

/** The elements as little-endian bytes, on any machine. */
export function littleEndian(t: Tensor): Uint8Array {
  const { data } = packTensor(t.detach());
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return machineIsLittle ? bytes : inMachineOrder(bytes, data.BYTES_PER_ELEMENT, true);
}
