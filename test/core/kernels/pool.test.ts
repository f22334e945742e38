import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outputSize } from '../../../packages/core/src/backend/convolution.js';
import {
  avgPool,
  avgPoolGradient,
  maxPool,
  maxPoolGradient,
  windowAreas,
} from '../../../packages/core/src/kernels/pool.js';
import { near, normals } from './run.js';

const pair = (least: number, most: number) =>
  fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }));
const geometries = fc
  .record({
    planes: fc.integer({ min: 0, max: 3 }),
    h: fc.integer({ min: 1, max: 9 }),
    w: fc.integer({ min: 1, max: 9 }),
    window: fc.record({
      kernel: pair(1, 4),
      stride: pair(1, 3),
      padding: pair(0, 2),
      dilation: fc.constant([1, 1] as [number, number]),
    }),
  })
  .filter((g) => outputSize(g.h, 0, g.window) > 0 && outputSize(g.w, 1, g.window) > 0)
  .filter(({ window: { kernel, padding } }) => padding[0] * 2 <= kernel[0] && padding[1] * 2 <= kernel[1]);

describe('pooling', () => {
  it('means and their gradients agree with the definition', () => {
    fc.assert(
      fc.property(geometries, fc.nat(), fc.boolean(), ({ planes, h, w, window }, seed, insideOnly) => {
        const { kernel, stride, padding } = window;
        const [rows, columns] = [outputSize(h, 0, window), outputSize(w, 1, window)];
        const [x, g] = [normals(planes * h * w, seed), normals(planes * rows * columns, seed + 1)];
        const [got, slope] = [new Float32Array(g.length), new Float32Array(x.length)];
        const areas = windowAreas({ planes, h, w, window }, insideOnly);
        avgPool(x, areas, got);
        avgPoolGradient(g, areas, slope);
        const wanted = new Float64Array(x.length);
        got.forEach((value, at) => {
          const n = Math.floor(at / (rows * columns));
          const [y, z] = [Math.floor(at / columns) % rows, at % columns];
          const seen: number[] = [];
          for (let i = 0; i < kernel[0]; i++)
            for (let j = 0; j < kernel[1]; j++) {
              const [row, column] = [y * stride[0] - padding[0] + i, z * stride[1] - padding[1] + j];
              if (row >= 0 && row < h && column >= 0 && column < w) seen.push((n * h + row) * w + column);
            }
          const count = insideOnly ? seen.length : kernel[0] * kernel[1];
          expect(near(value, seen.reduce((sum, i) => sum + x[i]!, 0) / count, 1e-6, 1e-6)).toBe(true);
          for (const i of seen) wanted[i]! += g[at]! / count;
        });
        slope.forEach((value, i) => {
          expect(near(value, wanted[i]!, 1e-6, 1e-5)).toBe(true);
        });
      }),
    );
  });

  it('gives the gradient of a largest element to its place', () => {
    fc.assert(
      fc.property(geometries, fc.nat(), ({ planes, h, w, window }, seed) => {
        const count = planes * outputSize(h, 0, window) * outputSize(w, 1, window);
        const [x, g] = [normals(planes * h * w, seed), normals(count, seed + 1)];
        const places = new Int32Array(count);
        maxPool(x, { planes, h, w, window }, new Float32Array(count), places);
        const [got, want] = [new Float32Array(x.length), new Float64Array(x.length)];
        maxPoolGradient(g, places, got, planes);
        places.forEach((at, i) => {
          want[at]! += g[i]!;
        });
        got.forEach((value, i) => {
          expect(near(value, want[i]!, 1e-6, 1e-5)).toBe(true);
        });
      }),
    );
  });
});
