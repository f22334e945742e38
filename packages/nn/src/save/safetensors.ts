import { type DType, packTensor, Tensor, TensorError, tensor } from '@gradgate/core';
import { show } from '@gradgate/core/internal';
import { type Bytes, bytesOf, shorten } from './bytes.js';
import { type Entry, headerLength, type Metadata, parseHeader } from './safetensorsHeader.js';

export type { Metadata } from './safetensorsHeader.js';

/** How a dtype of the format is read: floats of 2 bytes become float32, integers int32. */
export const readers: Record<string, { bytes: number; dtype: DType; read(view: DataView, at: number): number }> = {
  F64: { bytes: 8, dtype: 'float64', read: (v, at) => v.getFloat64(at, true) },
  F32: { bytes: 4, dtype: 'float32', read: (v, at) => v.getFloat32(at, true) },
  F16: { bytes: 2, dtype: 'float32', read: (v, at) => halfToNumber(v.getUint16(at, true)) },
  BF16: { bytes: 2, dtype: 'float32', read: (v, at) => bfloatToNumber(v.getUint16(at, true)) },
  I64: { bytes: 8, dtype: 'int32', read: (v, at) => Number(v.getBigInt64(at, true)) },
  I32: { bytes: 4, dtype: 'int32', read: (v, at) => v.getInt32(at, true) },
  I16: { bytes: 2, dtype: 'int32', read: (v, at) => v.getInt16(at, true) },
  I8: { bytes: 1, dtype: 'int32', read: (v, at) => v.getInt8(at) },
  U64: { bytes: 8, dtype: 'int32', read: (v, at) => Number(v.getBigUint64(at, true)) },
  U32: { bytes: 4, dtype: 'int32', read: (v, at) => v.getUint32(at, true) },
  U16: { bytes: 2, dtype: 'int32', read: (v, at) => v.getUint16(at, true) },
  U8: { bytes: 1, dtype: 'int32', read: (v, at) => v.getUint8(at) },
  BOOL: { bytes: 1, dtype: 'bool', read: (v, at) => v.getUint8(at) },
};
const names: Record<DType, string> = {
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
};

/** The number that the 16 bits of a half-precision float stand for. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

const scratch = new DataView(new ArrayBuffer(4));
function bfloatToNumber(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** Tensors by name, and text beside them, as the bytes of a `.safetensors` file. */
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
  if (typeof tensors !== 'object' || tensors === null || tensors instanceof Tensor)
    no(`takes an object of tensors by name, got ${show(tensors)}`);
  // Without a prototype, so that '__proto__' is a name like any other.
  const header: Record<string, unknown> = Object.create(null);
  if (metadata !== undefined) {
    if (typeof metadata !== 'object' || metadata === null) no(`metadata is text by name, got ${show(metadata)}`);
    for (const [key, value] of Object.entries(metadata))
      if (typeof value !== 'string')
        no(`metadata is text, and '${shorten(key)}' is ${typeof value}; use JSON.stringify()`);
    header['__metadata__'] = metadata;
  }
  const entries = Object.entries(tensors);
  for (const [name, t] of entries) {
    if (!(t instanceof Tensor)) no(`'${shorten(name)}' is not a Tensor, got ${show(t)}`);
    if (name === '__metadata__') no("no tensor can be named '__metadata__'");
  }
  // As the reference implementation does: wide dtypes first, so that all are aligned; then by name.
  const bytesOfElement = (t: Tensor) => readers[names[t.dtype]]!.bytes;
  entries.sort(([a, x], [b, y]) => bytesOfElement(y) - bytesOfElement(x) || (a < b ? -1 : 1));
  let size = 0;
  for (const [name, t] of entries) {
    const end = size + t.numel * bytesOfElement(t);
    header[name] = { dtype: names[t.dtype], shape: t.shape, data_offsets: [size, end] };
    size = end;
  }
  return { text: JSON.stringify(header), tensors: entries.map(([, t]) => t), size };
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The elements as bytes, lowest first, whatever this machine does. */
export function littleEndian(t: Tensor): Uint8Array {
  const values = packTensor(t.detach()).data;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const width = values.BYTES_PER_ELEMENT;
  if (isLittleEndian || width === 1) return bytes;
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) swapped[i] = bytes[i - (i % width) + width - 1 - (i % width)]!;
  return swapped;
}

/**
 * The tensors in the bytes of a `.safetensors` file, and its metadata. The whole header is checked before anything is
 * read: what is truncated, overlaps, leaves gaps or claims more than there is, is refused.
 */
export function decodeSafetensors(file: Bytes): { tensors: Record<string, Tensor>; metadata: Metadata } {
  const op = 'decodeSafetensors';
  const bytes = bytesOf(op, file);
  const start = 8 + headerLength(op, bytes, bytes.length);
  const { entries, metadata } = parseHeader(op, bytes.subarray(8, start), bytes.length - start, readers);
  const tensors = entries.map((e) => [e.name, readTensor(op, e, bytes.subarray(start + e.start, start + e.end))]);
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** The tensor of an entry, from its bytes. */
export function readTensor(op: string, { name, dtype, shape }: Entry, bytes: Uint8Array): Tensor {
  const refuse = (value: number, why: string): never => {
    throw new TensorError(op, `'${shorten(name)}' holds ${value}, ${why}`);
  };
  const { bytes: width, dtype: own, read } = readers[dtype]!;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / width;
  const values =
    own === 'float64' ? new Float64Array(count) : own === 'float32' ? new Float32Array(count) : new Int32Array(count);
  if (isLittleEndian && (dtype === 'F32' || dtype === 'F64' || dtype === 'I32'))
    new Uint8Array(values.buffer).set(bytes);
  else
    for (let i = 0; i < count; i++) {
      const v = read(view, i * width);
      if (own === 'int32' && v !== (v | 0)) refuse(v, 'which int32 cannot');
      if (own === 'bool' && v > 1) refuse(v, 'which is neither true nor false');
      values[i] = v;
    }
  return tensor(values, { shape, dtype: own });
}
