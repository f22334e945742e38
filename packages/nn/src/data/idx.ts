import { type Tensor, TensorError } from '@gradgate/core';
import { checkOptions, is } from '@gradgate/core/internal';
import { type Bytes, bytesOf } from '../save/bytes.js';
import { bytesPerElement, type ElementName, readElements } from '../save/elements.js';
import { gunzip, isGzip } from '../save/unpack.js';

/** The dtype codes of the IDX format, as element types. */
const kinds: Readonly<Record<number, ElementName>> = { 8: 'u1', 9: 'i1', 11: 'i2', 12: 'i4', 13: 'f4', 14: 'f8' };

/**
 * Decodes the tensor in an IDX file, the format of MNIST, gzipped or not, in the file's dtype: uint8 for images and
 * labels of MNIST. `maxBytes` limits the unpacked size, 4 GiB by default.
 *
 * ```ts
 * data.readIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 7, 9])); // [7, 9]
 * ```
 */
export function readIdx(file: Bytes, options: { maxBytes?: number } = {}): Tensor {
  const { maxBytes = 2 ** 32 } = checkOptions('readIdx', options, { maxBytes: is.size });
  const given = bytesOf('readIdx', file);
  const bytes = isGzip(given) ? gunzip('readIdx', given, maxBytes) : given;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = bytes.length < 4 || view.getUint16(0) !== 0 ? undefined : kinds[bytes[2]!];
  if (!type) throw new TensorError('readIdx', 'this is not an IDX file');
  const ndim = bytes[3]!;
  if (ndim > 64) throw new TensorError('readIdx', `a tensor of ${ndim} dimensions cannot be read; at most 64 can`);
  const start = 4 + 4 * ndim;
  if (bytes.length < start)
    throw new TensorError('readIdx', `the file is truncated: ${bytes.length} bytes hold no header of ${start}`);
  const shape = Array.from({ length: ndim }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((a, b) => a * b, 1);
  const width = bytesPerElement(type);
  if (bytes.length - start !== count * width)
    throw new TensorError(
      'readIdx',
      `${bytes.length - start} bytes do not hold shape [${shape.join(', ')}] of ${width} bytes each`,
    );
  return readElements(type, bytes.subarray(start), shape, false, (message) => {
    throw new TensorError('readIdx', message);
  });
}
