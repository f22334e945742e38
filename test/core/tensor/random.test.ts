import { Generator, manualSeed, poisson, rand, randn, tensor } from '@gradgate/core';
import { describe, expect, it } from 'vitest';

const seeds = Array.from({ length: 1000 }, (_, seed) => seed);
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('seeds', () => {
  it('give first draws that are as random as any others: over 1000 seeds in a row they fill [0, 1) evenly', () => {
    const draws = seeds.map((seed) => new Generator(seed).uniform());
    expect(Math.abs(mean(draws) - 0.5)).toBeLessThan(4 / Math.sqrt(12 * 1000));
    const bins = new Array<number>(20).fill(0);
    for (const u of draws) bins[Math.floor(u * 20)]!++;
    // Chi square of 19 degrees of freedom: above 50 once in ten thousand.
    expect(bins.reduce((sum, n) => sum + (n - 50) ** 2 / 50, 0)).toBeLessThan(50);
  });

  it('give first normal draws of mean 0 and deviation 1, none of them absurd', () => {
    const draws = seeds.map((seed) => new Generator(seed).normal());
    expect(Math.abs(mean(draws))).toBeLessThan(4 / Math.sqrt(1000));
    expect(Math.abs(mean(draws.map((v) => v * v)) - 1)).toBeLessThan(4 * Math.sqrt(2 / 1000));
    expect(Math.max(...draws.map(Math.abs))).toBeLessThan(5);
  });

  it('that are neighbors give draws that have nothing to do with each other', () => {
    const [a, b] = [0, 1].map((step) => seeds.map((seed) => new Generator(seed + step).uniform() - 0.5));
    expect(Math.abs(mean(a!.map((v, i) => v * b![i]!)) * 12)).toBeLessThan(4 / Math.sqrt(1000));
  });

  it('flip half of all bits of the first draw when one of their bits flips', () => {
    const flips = seeds.flatMap((seed) =>
      [0, 1, 20, 31, 32, 40, 52].map((bit) => {
        let changed = (new Generator(seed).bits() ^ new Generator(seed + 2 ** bit).bits()) >>> 0;
        let count = 0;
        for (; changed > 0; changed = (changed & (changed - 1)) >>> 0) count++;
        return count;
      }),
    );
    expect(Math.abs(mean(flips) - 16)).toBeLessThan(0.2);
  });

  it('count whole: all 2^54 of them are told apart', () => {
    const big = [1, 1 + 2 ** 32, 1 - 2 ** 32, -1, 2 ** 53 - 1, -(2 ** 53 - 1)].map((s) =>
      new Generator(s).getState().join(),
    );
    expect(new Set(big).size).toBe(6);
    expect(manualSeed(7)).toBeInstanceOf(Generator);
    expect(rand([3]).toArray()).toEqual(rand([3], { generator: new Generator(7) }).toArray());
  });

  it.each([2 ** 53, -(2 ** 53), 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null])('refuse %s', (seed) => {
    expect(() => new Generator(seed as never)).toThrow(/a seed must be a whole number between/);
    expect(() => manualSeed(seed as never)).toThrow(/a seed must be a whole number between/);
  });

  it('give the same numbers on every platform', () => {
    expect([
      ...randn([2], { generator: new Generator(0) }).toTypedArray(),
      new Generator(1).bits(),
    ]).toMatchInlineSnapshot(`
      [
        -0.4074728190898895,
        0.27021679282188416,
        4002498856,
      ]
    `);
  });
});

describe('poisson', () => {
  it.each([0, 0.5, 3, 9.9, 10, 30, 1000, 1e6])('has mean and variance %s, its rate', (rate) => {
    const n = 4000;
    const draws = [...poisson(tensor(new Float64Array(n).fill(rate)), { generator: new Generator(3) }).toTypedArray()];
    expect(draws.every((v) => Number.isInteger(v) && v >= 0)).toBe(true);
    expect(Math.abs(mean(draws) - rate)).toBeLessThanOrEqual(4.5 * Math.sqrt(rate / n));
    const variance = mean(draws.map((v) => (v - rate) ** 2));
    expect(Math.abs(variance - rate)).toBeLessThanOrEqual(5 * Math.sqrt((2 * rate * rate + rate) / n));
  });

  it('takes as long for a huge rate as for a small one', () => {
    const [v] = poisson(tensor([1e30], { dtype: 'float64' })).toTypedArray();
    expect(v! / 1e30).toBeCloseTo(1, 6);
  });
});
