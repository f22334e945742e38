import { readFileSync } from 'node:fs';
import { type Tensor, tensor } from '@gradgate/core';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import { betainc, betaincinv } from '@gradgate/core/more';
import { Beta, Binomial, FisherSnedecor, StudentT } from '@gradgate/distributions';
import { describe, expect, it } from 'vitest';

// Incomplete beta functions, and the distribution functions made of them, beside SciPy's: PyTorch has none of these.

type Row = [number, number, number, number];
const golden = JSON.parse(readFileSync(new URL('../golden/beta.json', import.meta.url), 'utf8')) as {
  betainc: Row[];
  betaincinv: Row[];
  StudentT: [df: number, cdf: number[], icdf: number[]][];
  FisherSnedecor: [df1: number, df2: number, cdf: number[], icdf: number[]][];
  Binomial: [n: number, p: number, cdf: number[]][];
};
const f64 = (v: number | number[]) => tensor(v, { dtype: 'float64' });

/** The relative difference of numbers, which may be very small. */
function expectNear(got: Tensor, want: number[], digits: number): void {
  const values = [...got.flatten().toTypedArray()];
  expect(values).toHaveLength(want.length);
  for (const [i, v] of want.entries())
    expect(v === 0 ? Math.abs(values[i]!) : Math.abs(values[i]! / v - 1), `${i}: ${values[i]} for ${v}`).toBeLessThan(
      digits,
    );
}

const column = (rows: readonly Row[], i: number) => f64(rows.map((r) => r[i]!));
const x = f64([-300, -7, -1.3, -1e-9, 0, 0.2, 2.5, 40]);
const p = f64([1e-12, 0.01, 0.24, 0.26, 0.5, 0.6, 0.9, 0.9999]);

describe('values are those of SciPy', () => {
  it('betainc and its inverse', () => {
    const rows = golden.betainc;
    const got = betainc(column(rows, 0), column(rows, 1), column(rows, 2));
    expectNear(
      got,
      rows.map((r) => r[3]),
      1e-10,
    );
    const inverse = golden.betaincinv;
    expectNear(
      betaincinv(column(inverse, 0), column(inverse, 1), column(inverse, 2)),
      inverse.map((r) => r[3]),
      1e-10,
    );
  });

  it.each(golden.StudentT)('StudentT of %d', (df, cdf, icdf) => {
    expectNear(new StudentT(f64(df)).cdf(x), cdf, 1e-10);
    expectNear(
      new StudentT(f64(df)).icdf(p).add(0),
      icdf.map((v) => (Math.abs(v) < 1e-15 ? 0 : v)),
      1e-9,
    );
    expectNear(
      new StudentT(f64(df), f64(2), f64(3)).cdf(x.mul(3).add(2)).sub(f64(cdf)).abs(),
      cdf.map(() => 0),
      1e-6,
    );
  });

  it.each(golden.FisherSnedecor)('FisherSnedecor of %d and %d', (df1, df2, cdf, icdf) => {
    const f = new FisherSnedecor(f64(df1), f64(df2));
    expectNear(f.cdf(f64([0, 0.3, 1, 4])), cdf, 1e-10);
    expectNear(f.icdf(p), icdf, 1e-9);
  });

  it.each(golden.Binomial)('Binomial of %d and %d', (n, q, cdf) => {
    expectNear(new Binomial(n, { probs: f64(q) }).cdf(f64(cdf.map((_, k) => k))), cdf, 1e-10);
  });

  it('Beta, at its ends and in float32', () => {
    const beta = new Beta(f64(3), f64(1));
    expectNear(beta.cdf(f64([0, 0.5, 1])), [0, 0.125, 1], 1e-14);
    expectNear(beta.icdf(f64([0, 0.125, 1])), [0, 0.5, 1], 1e-14);
    expect(new Beta(2, 2).cdf(0.5).dtype).toBe('float32');
    expect(new Beta(2, 2).cdf(0.5).item()).toBeCloseTo(0.5, 6);
  });

  it('certain successes, and all of them', () => {
    expect(new Binomial(3, { probs: f64([0, 1]) }).cdf(f64([0, 3]).reshape(2, 1)).toArray()).toEqual([
      [1, 0],
      [1, 1],
    ]);
  });
});

describe('gradients', () => {
  const at = (v: number[]) => f64(v).requiresGrad_();
  const inside = [0.1, 0.4, 0.8];
  it.each<[string, (t: Tensor) => Tensor, number[]]>([
    ['betainc', (t) => betainc(f64(2.5), f64(0.7), t), inside],
    ['betaincinv', (t) => betaincinv(f64(2.5), f64(0.7), t), inside],
    ['StudentT.cdf', (t) => new StudentT(f64(3), f64(0.5), f64(2)).cdf(t), [-4, 0.5, 1]],
    ['StudentT.icdf', (t) => new StudentT(f64(3), f64(0.5), f64(2)).icdf(t), inside],
    ['FisherSnedecor.cdf', (t) => new FisherSnedecor(f64(3), f64(5)).cdf(t), inside],
    ['FisherSnedecor.icdf', (t) => new FisherSnedecor(f64(3), f64(5)).icdf(t), inside],
    ['Binomial.cdf', (t) => new Binomial(4, { probs: t }).cdf(f64([0, 2, 4])), inside],
    ['loc and scale', (t) => new StudentT(f64(3), t, t.exp()).cdf(f64(0.3)), inside],
  ])('%s', (_, fn, values) => {
    expect(gradcheck(fn, [at(values)])).toBe(true);
    expect(gradgradcheck(fn, [at(values)])).toBe(true);
  });

  it('of parameters are refused by name', () => {
    const a = at([2]);
    expect(() =>
      betainc(a, f64(2), at([0.5]))
        .sum()
        .backward(),
    ).toThrow('betainc: there is no gradient for a and b; detach() them');
    expect(() => new StudentT(a).cdf(0.5)).toThrow('StudentT.cdf: there is no gradient for df; detach() it');
  });
});

it('outside of the domain', () => {
  const nan = (t: Tensor) => expect(t.isnan().all().item()).toBe(1);
  nan(betainc(f64([-1, 1, 1, Number.NaN]), f64([1, -1, 1, 1]), f64([0.5, 0.5, 1.5, 0.5])));
  nan(betaincinv(f64([0, 1, 1]), f64([1, 1, 1]), f64([0.5, -0.1, 1.1])));
  expect(() => betainc(f64([1, 2]), f64([1, 2, 3]), f64(0.5))).toThrow(/^betainc: /);
  expect(() => new Beta(1, 1).cdf(2)).toThrow(/^Beta\.cdf: the value must be from 0 to 1/);
  expect(() => new StudentT(1).icdf(-1)).toThrow(/^StudentT\.icdf: the value must be from 0 to 1/);
});
