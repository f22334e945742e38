import { Generator } from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamKernel, StreamKernel2 } from '../../../packages/core/src/kernels/stream.js';
import { KernelMemory } from '../../../packages/core/src/kernels/wasm/memory.js';
import { instantiate } from '../../../packages/core/src/kernels/wasm/module.js';
import { erfOf } from '../../../packages/core/src/ops/special.js';

const instances = [
  ['with fused multiply-add', new KernelMemory(instantiate(true))],
  ['without', new KernelMemory(instantiate(false))],
] as const;

const cdf = (v: number) => (1 + erfOf(v / Math.SQRT2)) / 2;
const one: Record<StreamKernel, (x: number) => number> = {
  abs: Math.abs,
  erf: erfOf,
  exp: Math.exp,
  gelu: (x) => x * cdf(x),
  log: Math.log,
  log1p: Math.log1p,
  neg: (x) => -x,
  relu: (x) => (x > 0 || Number.isNaN(x) ? x : 0),
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
  reluGradient: (g, y) => (y > 0 ? g : 0),
  geluGradient: (g, x) => g * (cdf(x) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)),
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
        kernels[name](to, from, n);
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
        kernels[name](to, a, b, n);
        const got = new Float32Array(n);
        memory.get(to, got, 0, n);
        x.forEach((v, i) => {
          const odd = Math.abs(y[i]!) > 12 || !Number.isFinite(v) || Math.abs(v) > 100;
          if (name === 'geluGradient' && odd) return;
          const slack = name === 'geluGradient' ? 3e-7 * (1 + Math.abs(v)) : 3e-45;
          expectClose(got[i]!, two[name](v, y[i]!), slack, `${name}(${v}, ${y[i]})`);
        });
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
        kernels.softmaxGradient(to, grad, y, rows, n);
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
