import { type DType, Tensor, TensorError, tensor } from '@gradgate/core';
import { unzipSync, zipSync } from 'fflate';
import { littleEndian } from './safetensors.js';

/** How a type code of NumPy is read: floats of 2 bytes are refused, integers become int32. */
const readers: Record<
  string,
  { bytes: number; dtype: DType; read(view: DataView, at: number, little: boolean): number }
> = {
  f8: { bytes: 8, dtype: 'float64', read: (v, at, little) => v.getFloat64(at, little) },
  f4: { bytes: 4, dtype: 'float32', read: (v, at, little) => v.getFloat32(at, little) },
  i8: { bytes: 8, dtype: 'int32', read: (v, at, little) => Number(v.getBigInt64(at, little)) },
  i4: { bytes: 4, dtype: 'int32', read: (v, at, little) => v.getInt32(at, little) },
  i2: { bytes: 2, dtype: 'int32', read: (v, at, little) => v.getInt16(at, little) },
  i1: { bytes: 1, dtype: 'int32', read: (v, at) => v.getInt8(at) },
  u4: { bytes: 4, dtype: 'int32', read: (v, at, little) => v.getUint32(at, little) },
  u2: { bytes: 2, dtype: 'int32', read: (v, at, little) => v.getUint16(at, little) },
  u1: { bytes: 1, dtype: 'int32', read: (v, at) => v.getUint8(at) },
  b1: { bytes: 1, dtype: 'bool', read: (v, at) => v.getUint8(at) },
};
const descriptions: Record<DType, string> = { float32: '<f4', float64: '<f8', int32: '<i4', bool: '|b1' };
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** The bytes of a `.npy` file, version 1.0. */
export function encodeNpy(t: Tensor): Uint8Array {
  if (!(t instanceof Tensor)) throw new TypeError(`encodeNpy: expected a Tensor, got ${typeof t}`);
  const shape = `(${t.shape.join(', ')}${t.ndim === 1 ? ',' : ''})`;
  const text = `{'descr': '${descriptions[t.dtype]}', 'fortran_order': False, 'shape': ${shape}, }`;
  // The data start at a multiple of 64.
  const padded = `${text}${' '.repeat(63 - ((10 + text.length) % 64))}\n`;
  const data = littleEndian(t);
  const out = new Uint8Array(10 + padded.length + data.length);
  out.set([...magic, 1, 0, padded.length & 255, padded.length >> 8]);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(data, 10 + padded.length);
  return out;
}

const refuse = (message: string): never => {
  throw new TensorError('decodeNpy', message);
};

/** The tensor in the bytes of a `.npy` file. Pickled objects are refused. */
export function decodeNpy(bytes: Uint8Array): Tensor {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`decodeNpy: expected a Uint8Array, got ${typeof bytes}`);
  if (bytes.length < 12 || magic.some((v, i) => bytes[i] !== v)) refuse('this is no .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  if (version < 1 || version > 3) refuse(`version ${version} is not known; 1 to 3 are`);
  const [length, start] = version === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  if (start + length > bytes.length) refuse(`the file is truncated: a header of ${length} bytes in ${bytes.length}`);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const field = (name: string, pattern: string): string =>
    new RegExp(`['"]${name}['"]\\s*:\\s*(${pattern})\\s*[,}]`).exec(header)?.[1] ??
    refuse(`the header has no valid ${name}: ${header.trim().slice(0, 200)}`);
  const descr = field('descr', `['"][^'"]*['"]`).slice(1, -1);
  const fortran = field('fortran_order', 'True|False') === 'True';
  const shape = (field('shape', '\\([\\d,\\s]*\\)').match(/\d+/g) ?? []).map(Number);
  const reader = readers[descr.slice(1)];
  if (!reader || !'<>|='.includes(descr[0]!))
    return refuse(`dtype ${descr} is not known; known are ${Object.keys(readers).join(', ')}`);
  const count = shape.reduce((a, b) => a * b, 1);
  const from = start + length;
  if (!Number.isSafeInteger(count) || bytes.length - from !== count * reader.bytes)
    return refuse(
      `shape [${shape.join(', ')}] of ${descr} takes ${count * reader.bytes} bytes, and the file has ${bytes.length - from}`,
    );
  const { dtype } = reader;
  const values =
    dtype === 'float64'
      ? new Float64Array(count)
      : dtype === 'float32'
        ? new Float32Array(count)
        : new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const v = reader.read(view, from + i * reader.bytes, descr[0] !== '>');
    if (dtype === 'int32' && v !== (v | 0)) refuse(`the file holds ${v}, which int32 cannot`);
    values[i] = v;
  }
  if (!fortran || shape.length < 2) return tensor(values, { shape, dtype });
  const reversed = [...shape].reverse();
  return tensor(values, { shape: reversed, dtype })
    .permute(shape.map((_, i) => shape.length - 1 - i))
    .contiguous();
}

/** Several tensors by name, as the bytes of a `.npz` file. */
export function encodeNpz(
  tensors: Record<string, Tensor>,
  { compress = false }: { compress?: boolean } = {},
): Uint8Array {
  const files = Object.fromEntries(Object.entries(tensors).map(([name, t]) => [`${name}.npy`, encodeNpy(t)]));
  return zipSync(files, { level: compress ? 6 : 0 });
}

/**
 * The tensors in the bytes of a `.npz` file, by name. `maxBytes` limits what they may unpack to, 4 GiB by default: a
 * small file can claim any size.
 */
export function decodeNpz(
  bytes: Uint8Array,
  { maxBytes = 2 ** 32 }: { maxBytes?: number } = {},
): Record<string, Tensor> {
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`decodeNpz: expected a Uint8Array, got ${typeof bytes}`);
  let total = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter: ({ name, originalSize }) => {
        total += originalSize;
        if (total > maxBytes) throw new RangeError(`${name} makes it ${total} bytes, and maxBytes is ${maxBytes}`);
        return name.endsWith('.npy');
      },
    });
  } catch (error) {
    throw new TensorError('decodeNpz', `the file cannot be unpacked: ${(error as Error).message}`);
  }
  return Object.fromEntries(Object.entries(files).map(([name, file]) => [name.slice(0, -4), decodeNpy(file)]));
}
