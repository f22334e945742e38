import { type DType, Tensor, TensorError, tensor } from '@gradgate/core';

/** Text that travels with the tensors. */
export type Metadata = Record<string, string>;

/** How a dtype of the format is read: floats of 2 bytes become float32, integers int32. */
const readers: Record<string, { bytes: number; dtype: DType; read(view: DataView, at: number): number }> = {
  F64: { bytes: 8, dtype: 'float64', read: (v, at) => v.getFloat64(at, true) },
  F32: { bytes: 4, dtype: 'float32', read: (v, at) => v.getFloat32(at, true) },
  F16: { bytes: 2, dtype: 'float32', read: (v, at) => halfToNumber(v.getUint16(at, true)) },
  BF16: { bytes: 2, dtype: 'float32', read: (v, at) => bfloatToNumber(v.getUint16(at, true)) },
  I64: { bytes: 8, dtype: 'int32', read: (v, at) => Number(v.getBigInt64(at, true)) },
  I32: { bytes: 4, dtype: 'int32', read: (v, at) => v.getInt32(at, true) },
  I16: { bytes: 2, dtype: 'int32', read: (v, at) => v.getInt16(at, true) },
  I8: { bytes: 1, dtype: 'int32', read: (v, at) => v.getInt8(at) },
  U8: { bytes: 1, dtype: 'int32', read: (v, at) => v.getUint8(at) },
  BOOL: { bytes: 1, dtype: 'bool', read: (v, at) => v.getUint8(at) },
};
const names: Record<DType, string> = { float32: 'F32', float64: 'F64', int32: 'I32', bool: 'BOOL' };

/** What the format itself allows. */
const maxHeader = 100_000_000;

function halfToNumber(bits: number): number {
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
  const header: Record<string, unknown> = {};
  if (metadata) {
    for (const [key, value] of Object.entries(metadata))
      if (typeof value !== 'string')
        throw new TypeError(
          `encodeSafetensors: metadata is text, and '${key}' is ${typeof value}; use JSON.stringify()`,
        );
    header['__metadata__'] = metadata;
  }
  let size = 0;
  const parts: Uint8Array[] = [];
  // As the reference implementation does: wide dtypes first, so that all are aligned; then by name.
  const bytesOf = (t: Tensor) => readers[names[t.dtype]]!.bytes;
  const entries = Object.entries(tensors);
  for (const [name, t] of entries) {
    if (!(t instanceof Tensor)) throw new TypeError(`encodeSafetensors: '${name}' is not a Tensor, got ${typeof t}`);
    if (name === '__metadata__') throw new TypeError("encodeSafetensors: no tensor can be named '__metadata__'");
  }
  entries.sort(([a, x], [b, y]) => bytesOf(y) - bytesOf(x) || (a < b ? -1 : 1));
  for (const [name, t] of entries) {
    const data = littleEndian(t);
    header[name] = { dtype: names[t.dtype], shape: t.shape, data_offsets: [size, size + data.length] };
    size += data.length;
    parts.push(data);
  }
  let text = JSON.stringify(header);
  const length = new TextEncoder().encode(text).length;
  text += ' '.repeat((8 - (length % 8)) % 8);
  const head = new TextEncoder().encode(text);
  const out = new Uint8Array(8 + head.length + size);
  new DataView(out.buffer).setBigUint64(0, BigInt(head.length), true);
  out.set(head, 8);
  let at = 8 + head.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The elements as bytes, lowest first, whatever this machine does. */
export function littleEndian(t: Tensor): Uint8Array {
  const values = t.detach().toTypedArray();
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const width = values.BYTES_PER_ELEMENT;
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 || width === 1) return bytes;
  const swapped = new Uint8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) swapped[i] = bytes[i - (i % width) + width - 1 - (i % width)]!;
  return swapped;
}

/** Where one tensor lies in the file. */
interface Entry {
  name: string;
  dtype: string;
  shape: number[];
  start: number;
  end: number;
}

const refuse = (message: string): never => {
  throw new TensorError('decodeSafetensors', message);
};

/**
 * The tensors in the bytes of a `.safetensors` file, and its metadata. The whole header is checked before anything is
 * read: what is truncated, overlaps, leaves gaps or claims more than there is, is refused.
 */
export function decodeSafetensors(bytes: Uint8Array): { tensors: Record<string, Tensor>; metadata: Metadata } {
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(`decodeSafetensors: expected a Uint8Array, got ${typeof bytes}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { entries, metadata, dataStart } = readHeader(bytes, view);
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const { name, dtype, shape, start, end } of entries) {
    const { bytes: width, dtype: own, read } = readers[dtype]!;
    const count = (end - start) / width;
    const values =
      own === 'float64' ? new Float64Array(count) : own === 'float32' ? new Float32Array(count) : new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const v = read(view, dataStart + start + i * width);
      if (dtype === 'I64' && (v > 2147483647 || v < -2147483648)) refuse(`'${name}' holds ${v}, which int32 cannot`);
      if (dtype === 'BOOL' && v > 1) refuse(`'${name}' holds ${v}, which is neither true nor false`);
      values[i] = v;
    }
    tensors[name] = tensor(values, { shape, dtype: own });
  }
  return { tensors: { ...tensors }, metadata };
}

function readHeader(bytes: Uint8Array, view: DataView): { entries: Entry[]; metadata: Metadata; dataStart: number } {
  if (bytes.length < 8) refuse(`${bytes.length} bytes are no .safetensors file`);
  const length = view.getBigUint64(0, true);
  if (length > BigInt(maxHeader)) refuse(`the header claims ${length} bytes; at most ${maxHeader} are allowed`);
  const dataStart = 8 + Number(length);
  if (dataStart > bytes.length) refuse(`the file is truncated: a header of ${length} bytes in ${bytes.length}`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, dataStart)));
  } catch (error) {
    return refuse(`the header is not JSON: ${(error as Error).message}`);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    return refuse('the header is not an object');
  const { __metadata__: metadata = {}, ...described } = header as Record<string, unknown>;
  if (typeof metadata !== 'object' || metadata === null || Object.values(metadata).some((v) => typeof v !== 'string'))
    refuse('the metadata is not text by name');
  const entries = Object.entries(described).map(([name, value]) => readEntry(name, value));
  const size = bytes.length - dataStart;
  let at = 0;
  for (const { name, start, end } of [...entries].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== at)
      refuse(`'${name}' starts at ${start}, expected ${at}: tensors may neither overlap nor leave gaps`);
    at = end;
  }
  if (at !== size) refuse(`the header describes ${at} bytes of tensors, and the file has ${size}`);
  return { entries, metadata: metadata as Metadata, dataStart };
}

function readEntry(name: string, value: unknown): Entry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(readers, dtype))
    return refuse(`'${name}' has dtype ${String(dtype)}; known are ${Object.keys(readers).join(', ')}`);
  const whole = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(whole) || shape.length > 64) return refuse(`'${name}' has no valid shape`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(whole))
    return refuse(`'${name}' has no valid data_offsets`);
  const [start, end] = offsets as [number, number];
  const bytes = shape.reduce((n: number, v) => n * v, readers[dtype]!.bytes);
  if (!whole(bytes) || end - start !== bytes)
    return refuse(`'${name}' of shape [${shape.join(', ')}] takes ${bytes} bytes, and its offsets span ${end - start}`);
  return { name, dtype, shape, start, end };
}
