import { show } from '../check.js';
import { DTypeError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Coding } from './coding.js';
import * as code from './coding.js';
import type { Storage } from './storage.js';

/** The arrays that operators read and write: plain numbers, whatever the dtype. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** What says all there is to say about a dtype. A dtype is a property of a tensor, and not of its array's class. */
interface DTypeRecord {
  readonly kind: 'bool' | 'integer' | 'float';
  /** Bytes that an element takes in memory. */
  readonly bytes: number;
  /** The class of the arrays that operators read and write. */
  readonly array: {
    new (lengthOrBuffer: any, offset?: number, length?: number): TypedArray;
    readonly BYTES_PER_ELEMENT: number;
  };
  /** Promotion: of two dtypes the higher rank holds both; two of equal rank need the rank above. */
  readonly rank: number;
  /** The least and the largest value. */
  readonly min: number;
  readonly max: number;
  /** How elements are stored, where that is not as they are read and written. */
  readonly coding?: Coding;
  /** Of complex numbers. */
  readonly complex?: ComplexElements;
}

/** A complex number as plain data: what `toArray()` gives of a complex tensor. */
export interface Complex {
  /** The real part. */
  readonly re: number;
  /** The imaginary part. */
  readonly im: number;
}

/** What core asks of complex numbers: `@gradgate/core/complex` brings it with their dtypes. */
export interface ComplexElements {
  /** The dtype of both parts. */
  readonly part: 'float32' | 'float64';
  /** A storage over real and imaginary parts in turn. */
  storage(parts: TypedArray): Storage;
  /** What a creation function makes: real, of what `fill` writes, or random. */
  made(op: string, shape: readonly number[], fill: ((data: TypedArray) => void) | undefined): Tensor;
  /** The parts along a last dimension of 2, without a graph: the same memory. */
  pairs(t: Tensor): Tensor;
  /** The elements in row-major order. */
  elements(t: Tensor): readonly Complex[];
  /** Elements as text, where parts are written by what `format` gives. */
  text(
    values: readonly Complex[],
    format: (parts: readonly number[]) => (part: number) => string,
  ): (v: Complex) => string;
  conj(t: Tensor): Tensor;
  abs(t: Tensor): Tensor;
  slogdet(a: Tensor): { sign: Tensor; logabsdet: Tensor };
  /** A real tensor as a complex one, to take part beside others of this dtype. */
  beside(x: Tensor, other: DType): Tensor;
}

const integer = (bits: number) => ({ kind: 'integer', min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }) as const;
const float = (max: number) => ({ kind: 'float', min: -max, max }) as const;

const numbers = {
  bool: { kind: 'bool', bytes: 1, array: Uint8Array, rank: 0, min: 0, max: 1 },
  uint8: { kind: 'integer', bytes: 1, array: Uint8Array, rank: 1, min: 0, max: 255 },
  int8: { ...integer(8), bytes: 1, array: Int8Array, rank: 1 },
  int16: { ...integer(16), bytes: 2, array: Int16Array, rank: 2 },
  int32: { ...integer(32), bytes: 4, array: Int32Array, rank: 3 },
  int64: { ...integer(64), bytes: 8, array: Float64Array, rank: 4, coding: code.int64 },
  float16: { ...float(65504), bytes: 2, array: Float32Array, rank: 5, coding: code.float16 },
  bfloat16: { ...float((2 - 2 ** -7) * 2 ** 127), bytes: 2, array: Float32Array, rank: 5, coding: code.bfloat16 },
  float32: { ...float((2 - 2 ** -23) * 2 ** 127), bytes: 4, array: Float32Array, rank: 6 },
  float64: { ...float(Number.MAX_VALUE), bytes: 8, array: Float64Array, rank: 7 },
} as const satisfies Record<string, DTypeRecord>;

/**
 * Element types, with PyTorch's names and rules: float32 by default; float64 for gradient checks; float16 and bfloat16
 * take half the memory and are computed in float32; int32 for indices, int64 for exact sums and for what files hold,
 * uint8 for bytes and images, bool for masks; complex64 and complex128, once `@gradgate/core/complex` is imported.
 */
export type DType = keyof typeof numbers | 'complex64' | 'complex128';

/** The records of all dtypes that there are: complex ones from when `@gradgate/core/complex` is imported on. */
export const dtypes: Record<DType, DTypeRecord> = numbers as Record<keyof typeof numbers, DTypeRecord> as never;

/** The record of a dtype. */
export const recordOf = (dtype: DType): DTypeRecord => dtypes[dtype];

/** Two floating point numbers an element. */
export const isComplex = (dtype: DType): boolean => dtype === 'complex64' || dtype === 'complex128';

/** Of floating point numbers, one or two an element: what gradients flow through. */
export const isFloat = (dtype: DType): boolean => dtype === 'float32' || dtypes[dtype].kind === 'float';
/** Whether a dtype holds no numbers of the kind that another does: fractions, or complex ones. */
export const lacksKind = (dtype: DType, other: DType): boolean =>
  (isFloat(other) && !isFloat(dtype)) || (isComplex(other) && !isComplex(dtype));

/** The number that stands for a value: in bool whether it is not 0, so 1 for NaN too. */
export const numberIn = (dtype: DType, value: number | boolean): number =>
  dtype === 'bool' ? Number(Number(value) !== 0) : Number(value);

export const isInteger = (dtype: DType): boolean => dtypes[dtype].kind === 'integer';

export function checkDType(op: string, dtype: unknown, devices?: () => string[]): DType {
  if (typeof dtype !== 'string' || !Object.hasOwn(dtypes, dtype))
    throw new DTypeError(
      op,
      isComplex(dtype as DType)
        ? `${dtype} is there once '@gradgate/core/complex' is imported`
        : `unknown dtype${devices ? ' or device' : ''} ${show(dtype)}; use one of ${[...Object.keys(dtypes), ...(devices?.() ?? [])].join(', ')}`,
    );
  return dtype as DType;
}

/** Refuses a number that an integer dtype does not hold. Fractions are cut off, as PyTorch does. */
export function checkFits(op: string, value: number | bigint, dtype: DType): void {
  const { kind, min, max } = dtypes[dtype];
  if (kind !== 'integer') return;
  const whole = typeof value === 'bigint' ? value : Math.trunc(value);
  // 2^63 is the first number that int64 does not hold; as a float64 `max` is just that.
  const fits =
    dtype === 'int64' && typeof whole === 'number' ? whole >= min && whole < max : whole >= min && whole <= max;
  if (!fits || (dtype === 'int64' && whole === 2n ** 63n))
    throw new DTypeError(
      op,
      `${value} does not fit ${dtype}, which holds whole numbers from ${dtype === 'int64' ? '-2^63 to 2^63 - 1' : `${min} to ${max}`}; use a wider dtype`,
    );
}

/** The dtype in which floating point is computed: those of fewer bytes than float32 are only stored. */
export const computedIn = (dtype: DType): DType => (isFloat(dtype) && dtypes[dtype].bytes < 4 ? 'float32' : dtype);

export const toFloat = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'float32');

/** Integers stay, bool becomes int64: what PyTorch sums, multiplies and counts in. */
export const toCount = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'int64');

/** The dtypes of the typed arrays that a user hands over, by class: each is held without loss. */
const ofClass: Readonly<Record<string, DType>> = {
  Float64Array: 'float64',
  Float32Array: 'float32',
  Float16Array: 'float16',
  BigInt64Array: 'int64',
  BigUint64Array: 'int64',
  Uint32Array: 'int64',
  Int32Array: 'int32',
  Uint16Array: 'int32',
  Int16Array: 'int16',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
  Uint8ClampedArray: 'uint8',
};

/** Any typed array: what `tensor()` takes. */
export type AnyTypedArray = TypedArray | Uint8ClampedArray | Uint16Array | Uint32Array | BigInt64Array | BigUint64Array;

const classOf = (array: AnyTypedArray): string =>
  (array as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag];

/** The dtype of a typed array that a user hands over. */
export const dtypeOf = (array: AnyTypedArray): DType => ofClass[classOf(array)]!;

/** By name, not by `instanceof`: arrays of another realm (a test runner's, a worker's) are the same. */
export const isTypedArray = (value: unknown): value is AnyTypedArray =>
  ArrayBuffer.isView(value) && Object.hasOwn(ofClass, classOf(value as AnyTypedArray));
