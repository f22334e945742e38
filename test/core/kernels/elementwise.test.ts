import { Generator } from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamKernel, StreamKernel2 } from '../../../packages/core/src/kernels/stream.js';
import { erfOf } from '../../../packages/core/src/ops/special.js';
import { bits, instances, near, normals, run } from './run.js';

const cdf = (v: number) => (1 + erfOf(v / Math.SQRT2)) / 2;
const one: Record<StreamKernel, (x: number) => number> = {
  abs: Math.abs,
  clamp: (x) => (x < -1.5 ? -1.5 : x > 2 ? 2 : x),
  elu: (x) => (x > 0 ? x : 1.25 * Math.expm1(x)),
  erf: erfOf,
  exp: Math.exp,
  expm1: Math.expm1,
  gelu: (x) => x * cdf(x),
  leakyRelu: (x) => (x > 0 ? x : x * 0.125),
  log: Math.log,
  log1p: Math.log1p,
  neg: (x) => -x,
  reciprocal: (x) => 1 / x,
  relu: (x) => (x > 0 || Number.isNaN(x) ? x : 0),
  rsqrt: (x) => 1 / Math.sqrt(x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  silu: (x) => x / (1 + Math.exp(-x)),
  sqrt: Math.sqrt,
  square: (x) => x * x,
  tanh: Math.tanh,
};
const two: Record<StreamKernel2, (x: number, y: number) => number> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  maximum: Math.max,
  minimum: Math.min,
  reluGradient: (g, y) => (y <= 0 ? 0 : g),
  absGradient: (g, x) => g * (x > 0 ? 1 : x < 0 ? -1 : 0),
  clampGradient: (g, x) => (x >= -1.5 && x <= 2 ? g : 0),
  hardtanhGradient: (g, x) => (x <= -1.5 || x >= 2 ? 0 : g),
  eluGradient: (g, x) => (x > 0 ? g : g * 1.25 * Math.exp(x)),
  leakyReluGradient: (g, x) => (x > 0 ? g : g * 0.125),
  reciprocalGradient: (g, y) => -g * Math.fround(y * y),
  rsqrtGradient: (g, y) => -0.5 * g * Math.fround(y * Math.fround(y * y)),
  sigmoidGradient: (g, y) => g * Math.fround(y * Math.fround(1 - y)),
  siluGradient: (g, x) => {
    const s = 1 / (1 + Math.exp(-x));
    return g * Math.fround(s * (1 + x * (1 - s)));
  },
  sqrtGradient: (g, y) => g / (2 * y),
  squareGradient: (g, x) => g * Math.fround(2 * x),
  tanhGradient: (g, y) => g * (1 - Math.fround(y * y)),
  geluGradient: (g, x) => g * (cdf(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)),
};

/** What kernels take beside their operands. */
const parameters: Partial<Record<StreamKernel | StreamKernel2, [number, number?]>> = {
  clamp: [-1.5, 2],
  clampGradient: [-1.5, 2],
  hardtanhGradient: [-1.5, 2],
  elu: [1.25],
  eluGradient: [1.25],
  leakyRelu: [0.125],
  leakyReluGradient: [0.125],
};

/** Within 4 units in the last place of float32, or `slack`: of terms that cancel, or of results below the normal range. */
function expectClose(got: number, exact: number, slack: number, what: string): void {
  const want = Math.fround(exact);
  if (Object.is(got, want) || (got === 0 && want === 0) || (Number.isNaN(got) && Number.isNaN(want))) return;
  const error = Math.abs(got - exact);
  expect(error, `${what}: got ${got}, expected ${exact}`).toBeLessThanOrEqual(Math.max(Math.abs(exact) * 5e-7, slack));
}

const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-8,
  -1e-8,
  1e-40,
  88.7,
  89,
  104,
  -87,
  -88.5,
  -103,
  -105,
  1e30,
  -1e30,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
];
const sizes = fc.integer({ min: 1, max: 37 });

function values(n: number, seed: number): Float32Array {
  const generator = new Generator(seed);
  return Float32Array.from({ length: n }, (_, i) =>
    i % 3 === 0 ? special[generator.below(special.length)]! : generator.normal() * 4,
  );
}

describe.each(instances)('elementwise kernels %s', (_, memory) => {
  const { kernels } = memory.instance;

  it.each(Object.keys(one) as StreamKernel[])('%s agrees with the definition, for any number of elements', (name) => {
    fc.assert(
      fc.property(sizes, fc.nat(), (n, seed) => {
        const x = values(n, seed);
        memory.begin('test', 1024);
        const [from, to] = [memory.put(x, 0, n), memory.take(256)];
        kernels[name](to, from, n, ...(parameters[name] ?? []));
        const got = new Float32Array(n);
        memory.get(to, got, 0, n);
        x.forEach((v, i) => {
          const slack = name === 'gelu' ? 2e-7 : name === 'silu' ? 1e-37 : 3e-45;
          expectClose(got[i]!, one[name](v), slack, `${name}(${v})`);
        });
      }),
    );
  });

  it.each(Object.keys(two) as StreamKernel2[])('%s agrees with the definition', (name) => {
    fc.assert(
      fc.property(sizes, fc.nat(), (n, seed) => {
        const [x, y] = [values(n, seed), values(n, seed + 1)];
        memory.begin('test', 2048);
        const [a, b, to] = [memory.put(x, 0, n), memory.put(y, 0, n), memory.take(256)];
        kernels[name](to, a, b, n, ...(parameters[name] ?? []));
        const got = new Float32Array(n);
        memory.get(to, got, 0, n);
        x.forEach((v, i) => {
          const odd = Math.abs(y[i]!) > 12 || !Number.isFinite(v) || Math.abs(v) > 100;
          if (['eluGradient', 'geluGradient', 'siluGradient'].includes(name) && odd) return;
          const cancels = ['geluGradient', 'siluGradient', 'tanhGradient'].includes(name);
          const slack = cancels
            ? 3e-7 * (1 + Math.abs(v)) * (name === 'siluGradient' ? 1 + Math.abs(y[i]!) : 1)
            : 1e-44;
          expectClose(got[i]!, two[name](v, y[i]!), slack, `${name}(${v}, ${y[i]})`);
        });
      }),
    );
  });

  it('the logarithm of softmax, its gradient, and that of the sum of exponentials', () => {
    const odd = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1e30];
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), sizes, fc.nat(), fc.boolean(), (rows, n, seed, withOdd) => {
        const [x, g] = [normals(rows * n, seed, 20, withOdd ? odd : []), normals(rows * n, seed + 1)];
        const [y, total] = run(memory, [x], [rows * n, rows], (k, from, y, total) => {
          k.logSoftmax(y!, from!, rows, n);
          k.logsumexp(total!, from!, rows, n);
        }) as [Float32Array, Float32Array];
        const [slope] = run(memory, [g, y], [rows * n], (k, g, y, to) => {
          k.logSoftmaxGradient(to!, g!, y!, rows, n, 1);
        });
        for (let r = 0; r < rows; r++) {
          const row = [...x.subarray(r * n, (r + 1) * n)];
          const gs = g.subarray(r * n, (r + 1) * n);
          const top = Math.max(...row);
          const shift = Math.abs(top) === Number.POSITIVE_INFINITY ? 0 : top;
          const log = (shift: number) => Math.log(row.reduce((sum, v) => sum + Math.exp(v - shift), 0));
          expect(near(total[r]!, log(shift) + shift, 3e-7, 1e-6)).toBe(true);
          const sum = gs.reduce((a, v) => a + v, 0);
          row.forEach((v, i) => {
            const want = v - top - log(top);
            expect(near(y[r * n + i]!, want, 3e-7, 2e-6)).toBe(true);
            const size = gs.reduce((a, v) => a + Math.abs(v), 1);
            expect(near(slope![r * n + i]!, gs[i]! - Math.exp(want) * sum, 0, 3e-6 * size)).toBe(true);
          });
        }
      }),
    );
  });

  it('softmax of the first elements, scaled', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), sizes, fc.nat(), (rows, n, seed) => {
        const x = normals(rows * n, seed, 5);
        const generator = new Generator(seed);
        const limits = Int32Array.from({ length: rows }, () => 1 + generator.below(n));
        const [y] = run(memory, [x, bits(limits)], [rows * n], (k, x, limits, y) => {
          k.limitedSoftmax(y!, x!, limits!, rows, n, 0.5);
        }) as [Float32Array];
        for (let r = 0; r < rows; r++) {
          const e = Array.from(x.subarray(r * n, r * n + limits[r]!), (v) => Math.exp(v / 2));
          const sum = e.reduce((a, b) => a + b, 0);
          for (let i = 0; i < n; i++) expect(near(y[r * n + i]!, (e[i] ?? 0) / sum, 2e-6, 1e-7)).toBe(true);
        }
      }),
    );
  });

  it('softmax and its gradient agree with the definition, row by row', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), sizes, fc.nat(), fc.boolean(), (rows, n, seed, odd) => {
        const generator = new Generator(seed);
        const x = Float32Array.from({ length: rows * n }, () => generator.normal() * 20);
        if (odd) x[generator.below(x.length)] = [Number.NaN, Number.NEGATIVE_INFINITY, 1e30][generator.below(3)]!;
        const g = Float32Array.from({ length: rows * n }, () => generator.normal());
        memory.begin('test', rows * n * 16);
        const [from, grad, y, to] = [
          memory.put(x, 0, rows * n),
          memory.put(g, 0, rows * n),
          memory.take(rows * n * 4),
          memory.take(rows * n * 4),
        ];
        kernels.softmax(y, from, rows, n);
        kernels.softmaxGradient(to, grad, y, rows, n, 1);
        const [gotY, got] = [new Float32Array(rows * n), new Float32Array(rows * n)];
        memory.get(y, gotY, 0, rows * n);
        memory.get(to, got, 0, rows * n);
        for (let r = 0; r < rows; r++) {
          const row = [...x.subarray(r * n, (r + 1) * n)];
          const top = row.some(Number.isNaN) ? Number.NaN : Math.max(...row);
          const e = row.map((v) => Math.exp(v - top));
          const sum = e.reduce((a, b) => a + b, 0);
          const want = e.map((v) => v / sum);
          const dot = want.reduce((a, v, i) => a + v * g[r * n + i]!, 0);
          want.forEach((w, i) => {
            const at = r * n + i;
            const nan = Number.isNaN(w);
            expect(nan ? Number.isNaN(gotY[at]) : Math.abs(gotY[at]! - w) < 1e-6).toBe(true);
            expect(nan ? Number.isNaN(got[at]) : Math.abs(got[at]! - w * (g[at]! - dot)) < 2e-6).toBe(true);
          });
        }
      }),
    );
  });
});
