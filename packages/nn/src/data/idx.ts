import { type Tensor, TensorError, tensor } from '@gradgate/core';

/** A dtype code of the IDX format: what it holds, and how to read one value. */
const types: Record<number, { bytes: number; read(view: DataView, at: number): number; float: boolean }> = {
  8: { bytes: 1, read: (v, at) => v.getUint8(at), float: false },
  9: { bytes: 1, read: (v, at) => v.getInt8(at), float: false },
  11: { bytes: 2, read: (v, at) => v.getInt16(at), float: false },
  12: { bytes: 4, read: (v, at) => v.getInt32(at), float: false },
  13: { bytes: 4, read: (v, at) => v.getFloat32(at), float: true },
  14: { bytes: 8, read: (v, at) => v.getFloat64(at), float: true },
};

/** The tensor in an IDX file, the format of MNIST: int32 for all kinds of integers, float32 or float64 for the others. */
export function readIdx(file: Uint8Array): Tensor {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 4 || view.getUint16(0) !== 0 || !types[file[2]!])
    throw new TensorError('readIdx', 'this is no IDX file');
  const { bytes, read, float } = types[file[2]!]!;
  const start = 4 + 4 * file[3]!;
  if (file.length < start)
    throw new TensorError('readIdx', `the file is truncated: ${file.length} bytes hold no header of ${start}`);
  const shape = Array.from({ length: file[3]! }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((a, b) => a * b, 1);
  if (file.length - start !== count * bytes)
    throw new TensorError(
      'readIdx',
      `${file.length - start} bytes do not hold shape [${shape.join(', ')}] of ${bytes} bytes each`,
    );
  const values = float ? (bytes === 8 ? new Float64Array(count) : new Float32Array(count)) : new Int32Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, start + i * bytes);
  return tensor(values, { shape });
}
