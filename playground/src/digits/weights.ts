import { type Tensor, tensor } from '@gradgate/core';

export interface LayerWeights {
  weight: Tensor;
  bias: Tensor;
}

/** The layers in a file that `scripts/quantize.mjs` wrote, which documents the format. */
export function readWeights(file: ArrayBuffer): LayerWeights[] {
  const layers: LayerWeights[] = [];
  for (let at = 0; at < file.byteLength; ) {
    const [rows, columns] = new Uint32Array(file, at, 2) as unknown as [number, number];
    const bias = new Float32Array(file, at + 8, rows);
    const scales = new Float32Array(file, at + 8 + 4 * rows, rows);
    const bytes = new Int8Array(file, at + 8 + 8 * rows, rows * columns);
    const weight = Float32Array.from(bytes, (b, i) => b * scales[Math.floor(i / columns)]!);
    layers.push({ weight: tensor(weight, { shape: [rows, columns] }), bias: tensor(bias) });
    at += 8 + 8 * rows + bytes.length;
  }
  return layers;
}
