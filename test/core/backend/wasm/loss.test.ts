import { Generator } from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bits, instances, near, normals, run } from './run.js';

const sizes = { rows: fc.integer({ min: 1, max: 6 }), n: fc.integer({ min: 1, max: 37 }), seed: fc.nat() };
const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30, 0];

/** Softmax and loss of one row, in float64. */
function entropyOf(row: number[], at: number): { p: number[]; loss: number } {
  const top = Math.max(...row);
  const e = row.map((v) => Math.exp(v - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return { p: e.map((v) => v / sum), loss: at < 0 ? 0 : Math.log(sum) - (row[at]! - top) };
}

function checkCrossEntropy(
  rows: number,
  n: number,
  seed: number,
  withOdd: boolean,
  forward: (x: Float32Array, classes: Int32Array) => Float32Array[],
  backward: (p: Float32Array, g: Float32Array, classes: Int32Array) => Float32Array,
): void {
  const generator = new Generator(seed);
  const x = normals(rows * n, seed, 10, withOdd ? odd : []);
  const classes = Int32Array.from({ length: rows }, () => generator.below(n + 1) - 1);
  const g = normals(rows, seed + 1);
  const [losses, p] = forward(x, classes) as [Float32Array, Float32Array];
  const gradient = backward(p, g, classes);
  for (let r = 0; r < rows; r++) {
    const want = entropyOf([...x.subarray(r * n, (r + 1) * n)], classes[r]!);
    expect(near(losses[r]!, want.loss, 1e-6, 2e-6), `loss ${losses[r]}, expected ${want.loss}`).toBe(true);
    want.p.forEach((v, i) => {
      const at = r * n + i;
      expect(near(p[at]!, v, 1e-6, 1e-6)).toBe(true);
      const slope = classes[r]! < 0 ? 0 : (v - (i === classes[r] ? 1 : 0)) * g[r]!;
      expect(near(gradient[at]!, slope, 1e-6, 3e-6)).toBe(true);
    });
  }
}

describe.each(instances)('loss kernels %s', (_, memory) => {
  it('cross entropy and its gradient agree with the definition', () => {
    fc.assert(
      fc.property(sizes.rows, sizes.n, sizes.seed, fc.boolean(), (rows, n, seed, withOdd) => {
        checkCrossEntropy(
          rows,
          n,
          seed,
          withOdd,
          (x, classes) =>
            run(memory, [x, bits(classes)], [rows, rows * n], (k, atX, at, losses, p) =>
              k.crossEntropy(losses!, p!, atX!, at!, rows, n),
            ),
          (p, g, classes) =>
            run(memory, [p, g, bits(classes)], [rows * n], (k, atP, atG, at, to) =>
              k.crossEntropyGradient(to!, atP!, atG!, at!, rows, n),
            )[0]!,
        );
      }),
    );
  });

  it('losses of pairs agree with the definition', () => {
    fc.assert(
      fc.property(sizes.n, sizes.seed, fc.boolean(), (n, seed, withOdd) => {
        const [x, y] = [normals(n, seed, 5, withOdd ? odd : []), normals(n, seed + 1)];
        let [error, entropy] = [0, 0];
        run(memory, [x, y], [], (k, a, b) => {
          error = k.squaredError(a!, b!, n);
          entropy = k.logitLosses(a!, b!, n);
        });
        let [wantError, wantEntropy, size] = [0, 0, 0];
        x.forEach((v, i) => {
          wantError += (v - y[i]!) ** 2;
          const terms = [(1 - y[i]!) * v, Math.max(-v, 0), Math.log1p(Math.exp(-Math.abs(v)))];
          wantEntropy += terms[0]! + terms[1]! + terms[2]!;
          size += terms.reduce((sum, t) => sum + Math.abs(t), 0);
        });
        // Squares are of float32.
        if (Math.abs(wantError) < 1e30) expect(near(error, wantError, 1e-6, 0)).toBe(true);
        else expect(Number.isFinite(error)).toBe(false);
        if (Number.isFinite(size)) expect(near(entropy, wantEntropy, 0, size * 3e-7)).toBe(true);
        else expect(near(entropy, wantEntropy, 0, 0)).toBe(true);
        const padded = (n + 3) & ~3;
        const [d, s] = run(memory, [x, y], [padded, padded], (k, a, b, d, s) => {
          k.scaledDifference(d!, a!, b!, n, 0.5);
          k.logitLossGradient(s!, a!, b!, n, 0.5);
        }) as [Float32Array, Float32Array];
        x.forEach((v, i) => {
          expect(near(d[i]!, (v - y[i]!) / 2, 1e-6, 1e-6)).toBe(true);
          expect(near(s[i]!, (1 / (1 + Math.exp(-v)) - y[i]!) / 2, 1e-6, 1e-6)).toBe(true);
        });
      }),
    );
  });
});
