import { type DType, Tensor, TensorError } from '@gradgate/core';
import { check, checkOptions, is, show } from '@gradgate/core/internal';
import { zipSync } from 'fflate';
import { type Bytes, bytesOf, shorten } from './bytes.js';
import { bytesPerElement, type ElementName, elements, littleEndian, readElements } from './elements.js';
import { unzip } from './unpack.js';

/** NumPy's type codes: its names of the element types. */
const codes = new Set(Object.keys(elements).filter((name) => name !== 'bf2'));
const descriptions: Record<DType, string | null> = {
  float64: '<f8',
  float32: '<f4',
  float16: '<f2',
  bfloat16: null,
  int64: '<i8',
  int32: '<i4',
  int16: '<i2',
  int8: '|i1',
  uint8: '|u1',
  bool: '|b1',
  complex64: '<c8',
  complex128: '<c16',
};
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/**
 * Encodes a tensor as the bytes of a `.npy` file, version 1.0. Throws for bfloat16, which NumPy does not have.
 *
 * ```ts
 * decodeNpy(encodeNpy(tensor([1, 2]))); // [1, 2]
 * ```
 */
export function encodeNpy(t: Tensor): Uint8Array {
  if (!Tensor.is(t)) throw new TypeError(`encodeNpy: expected a Tensor, got ${show(t)}`);
  if (descriptions[t.dtype] === null)
    throw new TensorError('encodeNpy', `NumPy has no ${t.dtype}; convert the tensor with float(), or use safetensors`);
  const shape = `(${t.shape.join(', ')}${t.ndim === 1 ? ',' : ''})`;
  const text = `{'descr': '${descriptions[t.dtype]}', 'fortran_order': False, 'shape': ${shape}, }`;
  // The data start at a multiple of 64 bytes.
  const padded = `${text}${' '.repeat(63 - ((10 + text.length) % 64))}\n`;
  const data = littleEndian(t);
  const out = new Uint8Array(10 + padded.length + data.length);
  out.set([...magic, 1, 0, padded.length & 255, padded.length >> 8]);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(data, 10 + padded.length);
  return out;
}

/**
 * Decodes the tensor in the bytes of a `.npy` file. Throws for pickled objects and text.
 *
 * ```ts
 * decodeNpy(encodeNpy(tensor([1, 2]))); // [1, 2]
 * ```
 */
export const decodeNpy = (file: Bytes): Tensor => decodeNpyAs('decodeNpy', file);

/** `decodeNpy`, with errors in the name of `op`. */
export const decodeNpyAs = (op: string, file: Bytes): Tensor =>
  readNpy(bytesOf(op, file), (message) => {
    throw new TensorError(op, message);
  });

/** NumPy itself reads headers up to 10,000 bytes. */
const maxHeader = 65535;

function readNpy(bytes: Uint8Array<ArrayBuffer>, refuse: (message: string) => never): Tensor {
  if (bytes.length < 12 || magic.some((v, i) => bytes[i] !== v)) refuse('this is not a .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6]!;
  if (version < 1 || version > 3) refuse(`version ${version} cannot be read; versions 1 to 3 can`);
  const [length, start] = version === 1 ? [view.getUint16(8, true), 10] : [view.getUint32(8, true), 12];
  if (length > maxHeader) refuse(`the header claims ${length} bytes; at most ${maxHeader} are read`);
  if (start + length > bytes.length) refuse(`the file is truncated: a header of ${length} bytes in ${bytes.length}`);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const field = (name: string, pattern: string): string =>
    new RegExp(`['"]${name}['"]\\s*:\\s*(${pattern})\\s*[,}]`).exec(header)?.[1] ??
    refuse(`the header has no valid ${name}: ${header.trim().slice(0, 200)}`);
  const descr = field('descr', `['"][^'"]*['"]`).slice(1, -1);
  const fortran = field('fortran_order', 'True|False') === 'True';
  const shape = (field('shape', '\\([\\d,\\s]*\\)').match(/\d+/g) ?? []).map(Number);
  const code = descr.slice(1);
  if (!codes.has(code) || !'<>|='.includes(descr[0]!))
    return refuse(
      `dtype ${shorten(descr)} cannot be read${/^[USO]/.test(code) ? ' (it holds text or objects)' : ''}; dtypes that can are ${[...codes].join(', ')}`,
    );
  if (shape.length > 64) refuse(`a tensor of ${shape.length} dimensions cannot be read; at most 64 can`);
  const element = code as ElementName;
  const width = bytesPerElement(element);
  const count = shape.reduce((a, b) => a * b, 1);
  const from = start + length;
  if (!Number.isSafeInteger(count) || bytes.length - from !== count * width)
    return refuse(
      `shape [${shape.join(', ')}] of ${descr} takes ${count * width} bytes, and the file has ${bytes.length - from}`,
    );
  const read = (sizes: readonly number[]): Tensor =>
    readElements(element, bytes.subarray(from), sizes, descr[0] !== '>', refuse);
  if (!fortran || shape.length < 2) return read(shape);
  return read([...shape].reverse())
    .permute(shape.map((_, i) => shape.length - 1 - i))
    .contiguous();
}

/**
 * Encodes tensors by name as the bytes of a `.npz` file, compressed with option `compress`, false by default.
 *
 * ```ts
 * decodeNpz(encodeNpz({ x: tensor([1, 2]) }, { compress: true })); // { x: [1, 2] }
 * ```
 */
export function encodeNpz(tensors: Record<string, Tensor>, options: { compress?: boolean } = {}): Uint8Array {
  const { compress = false } = checkOptions('encodeNpz', options, { compress: is.boolean });
  if (typeof tensors !== 'object' || tensors === null || Tensor.is(tensors))
    throw new TypeError(`encodeNpz: takes an object of tensors by name, got ${show(tensors)}`);
  const files = Object.entries(tensors).map(([name, t]) => {
    check('encodeNpz', `'${shorten(name)}'`, t, is.tensor);
    return [`${name}.npy`, encodeNpy(t)];
  });
  // The time of numpy's: the same tensors give the same bytes, also where the clock is before what zip files can say.
  return zipSync(Object.fromEntries(files), { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) });
}

/**
 * Decodes the tensors in the bytes of a `.npz` file by name: all, or those in `only`. Checksums are verified.
 * `maxBytes` limits the unpacked size, 4 GiB by default, as a small file can claim any size.
 *
 * ```ts
 * decodeNpz(encodeNpz({ x: tensor([1, 2]) }), { maxBytes: 2 ** 20 }); // { x: [1, 2] }
 * ```
 */
export const decodeNpz = (file: Bytes, options: NpzOptions = {}): Record<string, Tensor> =>
  decodeNpzAs('decodeNpz', file, options);

/** The options of reading a `.npz` file. */
export interface NpzOptions {
  /** The largest unpacked size, in bytes; 4 GiB by default. */
  maxBytes?: number;
  /** The names of the tensors to read; all by default. */
  only?: readonly string[];
}

/** `decodeNpz`, with errors in the name of `op`. */
export function decodeNpzAs(op: string, file: Bytes, options: NpzOptions = {}): Record<string, Tensor> {
  const { maxBytes = 2 ** 32, only } = checkOptions(op, options, { maxBytes: is.size, only: is.arrayOf(is.string) });
  const bytes = bytesOf(op, file);
  const wanted = (name: string): boolean => name.endsWith('.npy') && (only?.includes(name.slice(0, -4)) ?? true);
  const files = unzip(op, bytes, wanted, maxBytes);
  const missing = only?.filter((name) => !files.has(`${name}.npy`)) ?? [];
  if (missing.length > 0) throw new TensorError(op, `the file has no ${missing.map(shorten).join(', ')}`);
  const tensors = [...files].map(([member, data]) => {
    const name = member.slice(0, -4);
    const refuse = (message: string): never => {
      throw new TensorError(op, `'${shorten(name)}' cannot be read: ${message}; { only: [...] } reads the others`);
    };
    return [name, readNpy(data as Uint8Array<ArrayBuffer>, refuse)];
  });
  return Object.fromEntries(tensors);
}
