import { ones, TensorError, tensor } from '@gradgate/core';
import * as special from '@gradgate/core/special';
import { describe, expect, it } from 'vitest';

const f64 = { dtype: 'float64' } as const;

it('one function is the inverse, the complement or the logarithm of another, far out too', () => {
  const p = tensor([1e-250, 1e-30, 1e-8, 0.1, 0.5, 0.77, 0.999], f64);
  const back = special.ndtr(special.ndtri(p)).div(p).toTypedArray();
  for (const v of back) expect(v).toBeCloseTo(1, 11);
  expect(special.logNdtr(tensor([-1e4], f64)).item() / -50000010.12927891).toBeCloseTo(1, 14);
  const [a, x] = [tensor([0.3, 2, 2, 1000, 1e5], f64), tensor([0.1, 1, 9, 1010, 1e5], f64)];
  for (const v of special.gammainc(a, x).add(special.gammaincc(a, x)).toTypedArray()) expect(v).toBeCloseTo(1, 12);
  const y = tensor([0.5, 20, 24.99, 25.01, 300], f64);
  for (const v of special.i0e(y).mul(y.exp()).div(special.i0(y)).toTypedArray()) expect(v).toBeCloseTo(1, 12);
  expect([
    special.i0(tensor(Number.POSITIVE_INFINITY)).item(),
    special.i1(tensor(Number.NEGATIVE_INFINITY)).item(),
  ]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  // Where series and expansion meet, nothing jumps: the derivative is that of the neighbors.
  const ofK = [special.scaledModifiedBesselK0, special.scaledModifiedBesselK1];
  for (const f of [
    special.i0e,
    special.i1e,
    special.besselJ0,
    special.besselJ1,
    special.besselY0,
    special.besselY1,
    ...ofK,
  ]) {
    const [low, high] = f(tensor([25 - 1e-7, 25 + 1e-7], f64)).toTypedArray();
    expect(Math.abs(low! - high!)).toBeLessThan(3e-7);
  }
});

it('Airy’s function goes on where its formulas meet, and is 0 at both ends', () => {
  for (const at of [1, -11.3]) {
    const [low, high] = special.airyAi(tensor([at - 1e-9, at + 1e-9], f64)).toTypedArray();
    expect(Math.abs(low! - high!)).toBeLessThan(3e-9);
  }
  const ends = tensor([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], f64);
  expect(special.airyAi(ends).toArray()).toEqual([0, 0]);
  const middle = tensor([0], { ...f64, requiresGrad: true });
  special.airyAi(middle).sum().backward();
  expect(middle.grad!.toArray()).toEqual([-0.2588194037928068]);
  expect(special.besselY1(ends.narrow(0, 0, 1)).item()).toBe(0);
});

it('gammainc and gammaincc hold for huge arguments, and small results have all digits', () => {
  const a = tensor([1e9, 1e9, 1.01e8, 1e12, 3e38], f64);
  const x = tensor([1e9, 1.0001e9, 1.0101e8, 1.000002e12, 3e38], f64);
  const [above, below] = [special.gammaincc(a, x), special.gammainc(a, x)].map((t) => t.toTypedArray());
  // Of scipy.
  const want = [0.4999957947791299, 0.0007829561619582563, 0.1598590081554517, 0.02275018593911871, 0.5];
  for (const [i, v] of want.entries()) {
    expect(above![i]! / v).toBeCloseTo(1, 11);
    expect(below![i]).toBeCloseTo(1 - v, 12);
  }
  // Of the series, summed with 50 digits.
  const small = special.gammainc(tensor([1.01e8, 1e9], f64), tensor([1.009e8, 9.998e8], f64)).toTypedArray();
  expect(small[0]! / 1.2158095420452026e-23).toBeCloseTo(1, 12);
  expect(small[1]! / 1.266437917018217e-10).toBeCloseTo(1, 12);
});

describe('dtypes and what is refused', () => {
  it('halves are computed exactly and rounded once; integers give float32', () => {
    for (const dtype of ['float16', 'bfloat16', 'float32'] as const)
      expect(special.ndtr(ones([1]).to(dtype)).dtype).toBe(dtype);
    expect([special.entr(ones([1]).int()).dtype, special.zeta(ones([1]).int(), 2).dtype]).toEqual([
      'float32',
      'float32',
    ]);
    expect(special.gammainc(1, tensor([2], f64)).dtype).toBe('float64');
  });

  it('a gradient that is not there is refused by name', () => {
    const a = ones([2]).add(1).detach().requiresGrad_();
    for (const name of ['gammainc', 'gammaincc', 'zeta'] as const)
      expect(() =>
        special[name](a, ones([2]))
          .sum()
          .backward(),
      ).toThrow(new RegExp(`${name}: there is no gradient for`));
    expect(() => special.multigammaln(a, 0)).toThrow(/multigammaln: p must be a whole number above 0, got 0/);
    expect(() => special.multigammaln(a, 2 ** 30)).toThrow(/multigammaln: p must be at most 65536, got 1073741824/);
    expect(() => special.multigammaln(a, Symbol.iterator as never)).toThrow(/^multigammaln: .*got a symbol/);
  });

  it('degrees of polynomials that would take steps without end', () => {
    for (const name of [
      'chebyshevPolynomialT',
      'hermitePolynomialHe',
      'laguerrePolynomialL',
      'legendrePolynomialP',
    ] as const)
      expect(() => special[name](ones([1]), 1e12)).toThrow(
        new RangeError(`${name}: n must be a whole number from 0 to 65536, got 1000000000000`),
      );
  });

  it('what is no tensor', () => {
    for (const [name, f] of Object.entries(special) as [string, (...args: unknown[]) => unknown][]) {
      let error: unknown;
      try {
        f('x', 'y');
      } catch (e) {
        error = e;
      }
      expect(error instanceof TensorError || error instanceof TypeError || error instanceof RangeError, name).toBe(
        true,
      );
    }
  });
});
