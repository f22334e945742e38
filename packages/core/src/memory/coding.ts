import { DTypeError } from '../errors.js';

/** What memory holds of a dtype that is not stored as the numbers that operators compute with. */
export type Bits = Uint8Array | Uint16Array | BigInt64Array;

/** How a dtype is stored: everything that reads or writes it goes through these two. */
export interface Coding {
  /** The class of the array in memory. */
  readonly bits: new (
    length: number,
  ) => Bits;
  /** Writes the numbers that `bits` stand for to `values`. */
  decode(bits: any, values: any): void;
  /** Writes what comes closest to `values` to `bits`. */
  encode(values: any, bits: any): void;
}

const wordsOf = (values: Float32Array): Int32Array => new Int32Array(values.buffer, values.byteOffset, values.length);

/** The upper half of a float32, rounded to nearest, ties to even. */
export const bfloat16: Coding = {
  bits: Uint16Array,
  decode(bits: Uint16Array, values: Float32Array) {
    const words = wordsOf(values);
    for (let i = 0; i < words.length; i++) words[i] = bits[i]! << 16;
  },
  encode(values: Float32Array, bits: Uint16Array) {
    const words = wordsOf(values);
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      const isNaN = (word & 0x7fffffff) > 0x7f800000;
      bits[i] = isNaN ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    }
  },
};

/** IEEE 754 binary16, rounded to nearest, ties to even. */
export const float16: Coding = {
  bits: Uint16Array,
  decode(bits: Uint16Array, values: Float32Array) {
    const words = wordsOf(values);
    for (let i = 0; i < words.length; i++) {
      const h = bits[i]!;
      const sign = (h & 0x8000) << 16;
      if ((h & 0x7c00) === 0x7c00) words[i] = sign | 0x7f800000 | ((h & 0x3ff) << 13);
      else {
        // With exponent and fraction in their places, only the bias of the exponent is missing: 127 - 15.
        words[i] = sign | ((h & 0x7fff) << 13);
        values[i] = values[i]! * 2 ** 112;
      }
    }
  },
  encode(values: Float32Array, bits: Uint16Array) {
    const words = wordsOf(values);
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      const size = word & 0x7fffffff;
      const sign = (word >>> 16) & 0x8000;
      if (size > 0x7f800000) bits[i] = sign | 0x7e00;
      else if (size >= 0x47800000) bits[i] = sign | 0x7c00;
      else if (size >= 0x38800000) bits[i] = sign | ((size - 0x38000000 + 0xfff + ((size >>> 13) & 1)) >>> 13);
      // Below 2^-14 the step is 2^-24, as it is for float32 just above 0.5.
      else bits[i] = sign | ((Math.fround(Math.abs(values[i]!) + 0.5) - 0.5) * 2 ** 24);
    }
  },
};

/** Whole numbers of 64 bits, read as float64 where those hold them. Kernels for int64 read the bits themselves. */
export const int64: Coding = {
  bits: BigInt64Array,
  decode(bits: BigInt64Array, values: Float64Array) {
    for (let i = 0; i < values.length; i++) values[i] = toSafe(bits[i]!);
  },
  encode(values: Float64Array, bits: BigInt64Array) {
    for (let i = 0; i < values.length; i++) {
      const v = values[i]!;
      if (v !== Number(bits[i])) bits[i] = Number.isFinite(v) ? BigInt(Math.trunc(v)) : 0n;
    }
  },
};

/** A 64-bit integer as a number; refused beyond 2^53, where float64 has gaps. */
function toSafe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    throw new DTypeError(
      'int64',
      `${value} is beyond 2^53, where numbers have gaps: read it with toBigInt64Array(), or convert the tensor with double() if rounding is wanted`,
    );
  return number;
}
