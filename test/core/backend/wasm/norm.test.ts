import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instances, near, normals, run } from './run.js';

const sizes = [fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 37 }), fc.nat(), fc.boolean()] as const;

describe.each(instances)('normalization kernels %s', (_, memory) => {
  it('rows and their gradients agree with the definition', () => {
    fc.assert(
      fc.property(...sizes, (rows, n, seed, center) => {
        const [x, g] = [normals(rows * n, seed, 2), normals(rows * n, seed + 1)];
        const [w, b] = [normals(n, seed + 2), normals(n, seed + 3)];
        const eps = 0.1;
        const [y, means, scales] = run(memory, [x, w, b], [rows * n, rows, rows], (k, x, w, b, y, m, s) => {
          k.normalizeRows(y!, m!, s!, x!, w!, b!, rows, n, eps, center);
        }) as [Float32Array, Float32Array, Float32Array];
        const results = [rows * n, 2 * n];
        const [slope, sums] = run(memory, [g, x, means, scales, w], results, (k, g, x, m, s, w, to, sums) => {
          k.normalizeRowsGradient(to!, sums!, g!, x!, m!, s!, w!, 1, rows, n, center);
        }) as [Float32Array, Float32Array];
        const wanted = new Float64Array(2 * n);
        for (let r = 0; r < rows; r++) {
          const row = x.subarray(r * n, (r + 1) * n);
          const mean = center ? row.reduce((a, v) => a + v, 0) / n : 0;
          const scale = 1 / Math.sqrt(row.reduce((a, v) => a + (v - mean) ** 2, 0) / n + eps);
          expect(near(means[r]!, mean, 1e-6, 1e-6) && near(scales[r]!, scale, 1e-6, 0)).toBe(true);
          const standard = Array.from(row, (v) => (v - mean) * scale);
          const h = standard.map((_, i) => g[r * n + i]! * w[i]!);
          const total = center ? h.reduce((a, v) => a + v, 0) / n : 0;
          const along = h.reduce((a, v, i) => a + v * standard[i]!, 0) / n;
          standard.forEach((v, i) => {
            expect(near(y[r * n + i]!, v * w[i]! + b[i]!, 1e-5, 1e-5)).toBe(true);
            expect(near(slope[r * n + i]!, (h[i]! - total - v * along) * scale, 1e-5, 2e-5)).toBe(true);
            wanted[i]! += g[r * n + i]! * v;
            wanted[n + i]! += g[r * n + i]!;
          });
        }
        wanted.forEach((v, i) => {
          expect(near(sums[i]!, v, 1e-5, 2e-5)).toBe(true);
        });
      }),
    );
  });

  it('rows with numbers of their own, and their gradients', () => {
    fc.assert(
      fc.property(...sizes, (rows, n, seed, _) => {
        const [x, g] = [normals(rows * n, seed, 2), normals(rows * n, seed + 1)];
        const [m, p, q, b] = [2, 3, 4, 5].map((i) => normals(rows, seed + i)) as Float32Array[];
        const inputs = [x, g, m!, p!, q!, b!];
        const results = [rows * n, rows * n, 4 * rows];
        const [y, slope, sums] = run(memory, inputs, results, (k, x, g, m, p, q, b, y, slope, sums) => {
          k.shiftRows(y!, x!, m!, p!, b!, rows, n);
          k.shiftRowsGradient(slope!, g!, x!, m!, p!, q!, b!, rows, n);
          k.rowProducts(sums!, g!, x!, m!, rows, n);
        }) as [Float32Array, Float32Array, Float32Array];
        const pairs = new Float64Array(sums.slice().buffer);
        for (let r = 0; r < rows; r++) {
          let [total, products] = [0, 0];
          for (let i = r * n; i < (r + 1) * n; i++) {
            const d = x[i]! - m![r]!;
            expect(near(y[i]!, d * p![r]! + b![r]!, 1e-5, 1e-5)).toBe(true);
            expect(near(slope[i]!, g[i]! * p![r]! + d * q![r]! + b![r]!, 1e-5, 1e-5)).toBe(true);
            total += g[i]!;
            products += g[i]! * d;
          }
          expect(near(pairs[2 * r]!, total, 1e-12, 1e-12)).toBe(true);
          expect(near(pairs[2 * r + 1]!, products, 1e-12, 1e-11)).toBe(true);
        }
      }),
    );
  });
});
