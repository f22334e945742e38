import { type DType, Tensor, TensorError } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { type Bytes, bytesOf, shorten } from './bytes.js';
import { bytesPerElement, type ElementName, littleEndian, readElements } from './elements.js';
import { type Entry, headerLength, type Metadata, parseHeader } from './safetensorsHeader.js';

export type { Metadata } from './safetensorsHeader.js';

/** The format's dtypes, as element types. */
export const kinds: Readonly<Record<string, ElementName>> = {
  F64: 'f8',
  F32: 'f4',
  F16: 'f2',
  BF16: 'bf2',
  I64: 'i8',
  I32: 'i4',
  I16: 'i2',
  I8: 'i1',
  U64: 'u8',
  U32: 'u4',
  U16: 'u2',
  U8: 'u1',
  BOOL: 'b1',
  C64: 'c8',
};
/** The sizes of dtypes, for `parseHeader`. */
export const widths = Object.fromEntries(
  Object.entries(kinds).map(([dtype, name]) => [dtype, { bytes: bytesPerElement(name) }]),
);
const names: Record<DType, string | null> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
  complex64: 'C64',
  complex128: null,
};

/**
 * Encodes tensors by name, and metadata (text by name), as the bytes of a `.safetensors` file. Throws for complex128,
 * which the format does not have.
 *
 * ```ts
 * decodeSafetensors(encodeSafetensors({ a: ones([2]) })).tensors; // { a: [1, 1] }
 * ```
 */
export function encodeSafetensors(tensors: Record<string, Tensor>, metadata?: Metadata): Uint8Array {
  const header = headerOf(tensors, metadata);
  const head = new TextEncoder().encode(header.text);
  // The data start at a multiple of 8 bytes.
  const dataStart = Math.ceil((8 + head.length) / 8) * 8;
  const out = new Uint8Array(dataStart + header.size).fill(0x20, 8 + head.length, dataStart);
  new DataView(out.buffer).setBigUint64(0, BigInt(dataStart - 8), true);
  out.set(head, 8);
  let at = dataStart;
  for (const t of header.tensors) {
    const data = littleEndian(t);
    out.set(data, at);
    at += data.length;
  }
  return out;
}

/** The text of the header, and the tensors in the order of their data. */
function headerOf(
  tensors: Record<string, Tensor>,
  metadata: Metadata | undefined,
): { text: string; tensors: Tensor[]; size: number } {
  const refuse = (message: string): never => {
    throw new TypeError(`encodeSafetensors: ${message}`);
  };
  if (typeof tensors !== 'object' || tensors === null || Tensor.is(tensors))
    refuse(`takes an object of tensors by name, got ${show(tensors)}`);
  // Without a prototype, so that '__proto__' can be a name.
  const header: Record<string, unknown> = Object.create(null);
  if (metadata !== undefined) {
    if (typeof metadata !== 'object' || metadata === null)
      refuse(`metadata must be an object of text by name, got ${show(metadata)}`);
    for (const [key, value] of Object.entries(metadata))
      if (typeof value !== 'string')
        refuse(`metadata must be text, but '${shorten(key)}' is ${show(value)}; use JSON.stringify()`);
    header['__metadata__'] = { ...metadata };
  }
  const entries = Object.entries(tensors);
  for (const [name, t] of entries) {
    if (!Tensor.is(t)) refuse(`'${shorten(name)}' must be a Tensor, got ${show(t)}`);
    if (name === '__metadata__') refuse("no tensor can be named '__metadata__'");
    if (names[t.dtype] === null)
      refuse(
        `the format has no ${t.dtype}, which '${shorten(name)}' is; convert it with to('complex64'), or use viewAsReal()`,
      );
  }
  // The order of the reference implementation: wide dtypes first, so that all data are aligned; then by name.
  const bytesOfElement = (t: Tensor) => bytesPerElement(kinds[names[t.dtype]!]!);
  entries.sort(([a, x], [b, y]) => bytesOfElement(y) - bytesOfElement(x) || (a < b ? -1 : 1));
  let size = 0;
  for (const [name, t] of entries) {
    const end = size + t.numel * bytesOfElement(t);
    header[name] = { dtype: names[t.dtype], shape: t.shape, data_offsets: [size, end] };
    size = end;
  }
  return { text: JSON.stringify(header), tensors: entries.map(([, t]) => t), size };
}

/**
 * Decodes the tensors and metadata in the bytes of a `.safetensors` file. The whole header is checked before any tensor
 * is read: files that are truncated, overlap, leave gaps or claim more than they have are refused.
 *
 * ```ts
 * decodeSafetensors(encodeSafetensors({ a: ones([2]) })).tensors; // { a: [1, 1] }
 * ```
 */
export const decodeSafetensors = (file: Bytes): Decoded => readSafetensors('decodeSafetensors', file);

/** The content of a `.safetensors` file. */
interface Decoded {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Metadata;
}

/** `decodeSafetensors`, with errors in the name of `op`. */
export function readSafetensors(op: string, file: Bytes): Decoded {
  const bytes = bytesOf(op, file);
  const start = 8 + headerLength(op, bytes, bytes.length);
  const { entries, metadata } = parseHeader(op, bytes.subarray(8, start), bytes.length - start, widths);
  const tensors = entries.map((e) => [e.name, readTensor(op, e, bytes.subarray(start + e.start, start + e.end))]);
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** Reads the tensor of an entry from its bytes. */
export const readTensor = (op: string, { name, dtype, shape }: Entry, bytes: Uint8Array): Tensor =>
  readElements(kinds[dtype]!, bytes, shape, true, (message) => {
    throw new TensorError(op, `'${shorten(name)}' cannot be read: ${message}`);
  });
