import { type DType, Tensor, TensorError } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { type Bytes, bytesOf, shorten } from './bytes.js';
import { bytesPerElement, type ElementName, littleEndian, readElements } from './elements.js';
import { type Entry, headerLength, type Metadata, parseHeader } from './safetensorsHeader.js';

export type { Metadata } from './safetensorsHeader.js';

/** The format's dtypes, as kinds of numbers. */
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
/** What `parseHeader` asks of a dtype. */
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
 * Tensors by name, and text beside them, as the bytes of a `.safetensors` file.
 *
 * ```ts
 * decodeSafetensors(encodeSafetensors({ a: ones([2]) })).tensors; // { a: [1, 1] }
 * ```
 */
export function encodeSafetensors(tensors: Record<string, Tensor>, metadata?: Metadata): Uint8Array {
  const header = headerOf(tensors, metadata);
  const head = new TextEncoder().encode(header.text);
  // The data start at a multiple of 8.
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

/** The header's text, and the tensors in the order in which they lie behind it. */
function headerOf(
  tensors: Record<string, Tensor>,
  metadata: Metadata | undefined,
): { text: string; tensors: Tensor[]; size: number } {
  const no = (message: string): never => {
    throw new TypeError(`encodeSafetensors: ${message}`);
  };
  if (typeof tensors !== 'object' || tensors === null || Tensor.is(tensors))
    no(`takes an object of tensors by name, got ${show(tensors)}`);
  // Without a prototype, so that '__proto__' is a name like any other.
  const header: Record<string, unknown> = Object.create(null);
  if (metadata !== undefined) {
    if (typeof metadata !== 'object' || metadata === null) no(`metadata is text by name, got ${show(metadata)}`);
    for (const [key, value] of Object.entries(metadata))
      if (typeof value !== 'string')
        no(`metadata is text, and '${shorten(key)}' is ${show(value)}; use JSON.stringify()`);
    header['__metadata__'] = { ...metadata };
  }
  const entries = Object.entries(tensors);
  for (const [name, t] of entries) {
    if (!Tensor.is(t)) no(`'${shorten(name)}' is not a Tensor, got ${show(t)}`);
    if (name === '__metadata__') no("no tensor can be named '__metadata__'");
    if (names[t.dtype] === null)
      no(
        `the format has no ${t.dtype}, which '${shorten(name)}' is; convert it with to('complex64'), or use viewAsReal()`,
      );
  }
  // As the reference implementation does: wide dtypes first, so that all are aligned; then by name.
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
 * The tensors in the bytes of a `.safetensors` file, and its metadata. The whole header is checked before anything is
 * read: what is truncated, overlaps, leaves gaps or claims more than there is, is refused.
 *
 * ```ts
 * decodeSafetensors(encodeSafetensors({ a: ones([2]) })).tensors; // { a: [1, 1] }
 * ```
 */
export const decodeSafetensors = (file: Bytes): Decoded => readSafetensors('decodeSafetensors', file);

/** What a `.safetensors` file holds. */
interface Decoded {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Metadata;
}

/** `decodeSafetensors` in the name of `op`. */
export function readSafetensors(op: string, file: Bytes): Decoded {
  const bytes = bytesOf(op, file);
  const start = 8 + headerLength(op, bytes, bytes.length);
  const { entries, metadata } = parseHeader(op, bytes.subarray(8, start), bytes.length - start, widths);
  const tensors = entries.map((e) => [e.name, readTensor(op, e, bytes.subarray(start + e.start, start + e.end))]);
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** The tensor of an entry, from its bytes. */
export const readTensor = (op: string, { name, dtype, shape }: Entry, bytes: Uint8Array): Tensor =>
  readElements(kinds[dtype]!, bytes, shape, true, (message) => {
    throw new TensorError(op, `'${shorten(name)}' cannot be read: ${message}`);
  });
