import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Generator, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataOf } from '../../../packages/core/src/backend/host/data.js';
import { matmul } from '../../../packages/core/src/backend/wasm/matmul.js';
import { KernelMemory } from '../../../packages/core/src/backend/wasm/memory.js';
import { instantiate } from '../../../packages/core/src/backend/wasm/module.js';

/** The plain definition, in float64. */
function product(a: Tensor, b: Tensor): number[] {
  const [m, k] = a.shape as [number, number];
  const n = b.shape[1]!;
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  return Array.from({ length: m * n }, (_, i) => {
    let sum = 0;
    for (let p = 0; p < k; p++) sum += x[Math.floor(i / n) * k + p]! * y[p * n + (i % n)]!;
    return sum;
  });
}

const size = fc.integer({ min: 1, max: 40 });
const shapes = fc.record({
  m: size,
  n: size,
  k: fc.oneof(size, fc.integer({ min: 250, max: 520 })),
  ta: fc.boolean(),
  tb: fc.boolean(),
  seed: fc.nat(),
});
const operand = (rows: number, columns: number, transposed: boolean, generator: Generator): Tensor =>
  transposed ? randn([columns, rows], { generator }).t() : randn([rows, columns], { generator });

const close = (got: ArrayLike<number>, want: number[], k: number) => {
  expect(got).toHaveLength(want.length);
  want.forEach((w, i) => {
    expect(Math.abs(got[i]! - w)).toBeLessThan(4e-6 * Math.sqrt(k) * Math.max(1, Math.abs(w)));
  });
};

describe('the product kernel agrees with the definition', () => {
  it.each([
    ['with fused multiply-add', true],
    ['without', false],
  ])('%s, for any sizes and transposes', (_, fused) => {
    const instance = instantiate(fused);
    if (!fused) expect(instance.fused).toBe(false);
    const memory = new KernelMemory(instance);
    const { kernels } = instance;
    fc.assert(
      fc.property(shapes, ({ m, n, k, ta, tb, seed }) => {
        const generator = new Generator(seed);
        const a = operand(m, k, ta, generator);
        const b = operand(k, n, tb, generator);
        memory.begin('test', (m * k + k * n + m * n) * 4 + kernels.gemmScratch());
        const scratch = memory.take(kernels.gemmScratch());
        const atA = memory.put(dataOf(a) as Float32Array, 0, m * k);
        const atB = memory.put(dataOf(b) as Float32Array, 0, k * n);
        const atC = memory.take(m * n * 4);
        kernels.gemm(
          m,
          n,
          k,
          atA,
          a.strides[0]!,
          a.strides[1]!,
          atB,
          b.strides[0]!,
          b.strides[1]!,
          atC,
          n,
          scratch,
          false,
        );
        const out = new Float32Array(m * n);
        memory.get(atC, out, 0, m * n);
        close(out, product(a, b), k);
      }),
      { numRuns: 60 },
    );
  });

  it('as matmul uses it: views, offsets, batches, and blocks beyond one cache block', () => {
    const generator = new Generator(1);
    const big = randn([130, 300], { generator });
    const wide = randn([300, 1100], { generator });
    close(big.matmul(wide).toTypedArray(), product(big, wide), 300);
    const part = big.narrow(0, 7, 60).narrow(1, 11, 200);
    const other = wide.narrow(0, 3, 200).narrow(1, 5, 70);
    close(part.matmul(other).toTypedArray(), product(part, other), 200);
    const batch = randn([3, 20, 30], { generator });
    const each = randn([3, 30, 20], { generator });
    const out = batch.matmul(each);
    for (let i = 0; i < 3; i++)
      close(out.select(0, i).toTypedArray(), product(batch.select(0, i), each.select(0, i)), 30);
  });

  it('passes NaN and infinities through', () => {
    const a = randn([20, 20], { generator: new Generator(2) });
    a.set(3, 4, Number.NaN);
    a.set(5, 6, Number.POSITIVE_INFINITY);
    const c = a.matmul(randn([20, 20], { generator: new Generator(3) }));
    expect(c.isnan().sum().item()).toBe(20);
    expect(c.isinf().sum().item()).toBe(20);
    expect(c.isfinite().sum().item()).toBe(360);
  });
});

describe('kernel memory', () => {
  it('refuses what cannot be had, with the operator and the bytes', () => {
    const memory = new KernelMemory(instantiate());
    expect(() => memory.begin('matmul', 2 ** 33)).toThrow(/matmul: needs 8589934592 bytes of kernel memory/);
  });

  it('is not asked for by products of another dtype', () => {
    const a = tensor([1, 2, 3, 4], { dtype: 'float64' }).reshape([2, 2]);
    const out = zeros([2, 2], { dtype: 'float64' });
    matmul(a, false, a, false, out, null);
    expect(out.toArray()).toEqual([
      [7, 10],
      [15, 22],
    ]);
  });
});

it('the committed kernels are what assembly/ gives', () => {
  const script = fileURLToPath(new URL('../../../packages/core/scripts/build-kernels.mjs', import.meta.url));
  execFileSync(process.execPath, [script, '--check']);
});
