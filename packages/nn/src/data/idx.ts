import { type Tensor, TensorError, tensor } from '@gradgate/core';
import { checkOptions, is } from '@gradgate/core/internal';
import { type Bytes, bytesOf } from '../save/bytes.js';
import { gunzip, isGzip } from '../save/unpack.js';

/** A dtype code of the IDX format: what it holds, and how to read one value. */
const types: Record<number, { bytes: number; read(view: DataView, at: number): number; float: boolean }> = {
  8: { bytes: 1, read: (v, at) => v.getUint8(at), float: false },
  9: { bytes: 1, read: (v, at) => v.getInt8(at), float: false },
  11: { bytes: 2, read: (v, at) => v.getInt16(at), float: false },
  12: { bytes: 4, read: (v, at) => v.getInt32(at), float: false },
  13: { bytes: 4, read: (v, at) => v.getFloat32(at), float: true },
  14: { bytes: 8, read: (v, at) => v.getFloat64(at), float: true },
};

/**
 * The tensor in an IDX file, the format of MNIST, packed by gzip or not: int32 for all kinds of integers, float32 or
 * float64 for the others. `maxBytes` limits what a packed file may unpack to, 4 GiB by default.
 */
export function readIdx(file: Bytes, options: { maxBytes?: number } = {}): Tensor {
  const { maxBytes = 2 ** 32 } = checkOptions('readIdx', options, { maxBytes: is.size });
  const given = bytesOf('readIdx', file);
  const bytes = isGzip(given) ? gunzip('readIdx', given, maxBytes) : given;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = bytes.length < 4 || view.getUint16(0) !== 0 ? undefined : types[bytes[2]!];
  if (!type) throw new TensorError('readIdx', 'this is no IDX file');
  const ndim = bytes[3]!;
  if (ndim > 64) throw new TensorError('readIdx', `a tensor of ${ndim} dimensions is not read; one of 64 is`);
  const start = 4 + 4 * ndim;
  if (bytes.length < start)
    throw new TensorError('readIdx', `the file is truncated: ${bytes.length} bytes hold no header of ${start}`);
  const shape = Array.from({ length: ndim }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((a, b) => a * b, 1);
  if (bytes.length - start !== count * type.bytes)
    throw new TensorError(
      'readIdx',
      `${bytes.length - start} bytes do not hold shape [${shape.join(', ')}] of ${type.bytes} bytes each`,
    );
  const { read, float } = type;
  const values = float ? (type.bytes === 8 ? new Float64Array(count) : new Float32Array(count)) : new Int32Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, start + i * type.bytes);
  return tensor(values, { shape });
}
