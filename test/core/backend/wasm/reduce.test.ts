import {
  amax,
  amin,
  argmax,
  argmin,
  Generator,
  mean,
  norm,
  sum,
  type Tensor,
  tensor,
  var as variance,
} from '@gradgate/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bits, instances, near, normals, run } from './run.js';

const odd = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0];
const doubles = (x: Float32Array): Float64Array => new Float64Array(x.slice().buffer);

/** Of a list of numbers all reductions, in float64. */
function reductions(row: number[]) {
  const total = row.reduce((a, v) => a + v, 0);
  const average = total / row.length;
  const first = (best: number) => (Number.isNaN(best) ? row.findIndex(Number.isNaN) : row.indexOf(best));
  const [max, min] = [Math.max(...row), Math.min(...row)];
  return {
    total,
    squares: row.reduce((a, v) => a + v * v, 0),
    size: row.reduce((a, v) => a + Math.abs(v), 0),
    spread: row.reduce((a, v) => a + (v - average) ** 2, 0),
    max,
    min,
    argmax: first(max),
    argmin: first(min),
  };
}

describe.each(instances)('reduction kernels %s', (_, memory) => {
  it('rows and columns agree with the definition', () => {
    const sizes = fc.integer({ min: 1, max: 37 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), sizes, fc.nat(), fc.boolean(), (rows, n, seed, withOdd) => {
        const x = normals(rows * n, seed, 3, withOdd ? odd : []);
        const all = Array.from({ length: rows }, (_, r) => [...x.subarray(r * n, (r + 1) * n)]);
        const want = all.map(reductions);
        const means = Float64Array.from(want, ({ total }) => total / n);
        const results = [2 * rows, 4 * rows, 2 * rows, 2 * n, rows, rows, rows, rows, n, n, n, n];
        const got = run(memory, [x, bits(means)], results, (k, x, m, sums, moments, squares, columns, ...e) => {
          k.rowSums(sums!, x!, rows, n);
          k.rowMoments(moments!, x!, rows, n);
          k.centeredSquares(squares!, x!, m!, rows, n);
          k.columnSums(columns!, x!, 1, rows, n);
          k.rowExtrema(e[0]!, x!, rows, n, 0);
          k.rowExtrema(e[1]!, x!, rows, n, 0x80000000);
          k.rowPlaces(e[2]!, x!, rows, n, 0);
          k.rowPlaces(e[3]!, x!, rows, n, 0x80000000);
          k.columnExtrema(e[4]!, e[5]!, x!, 1, rows, n, 0);
          k.columnExtrema(e[6]!, e[7]!, x!, 1, rows, n, 0x80000000);
        });
        const [sums, moments, squares, columns] = got.slice(0, 4).map(doubles) as Float64Array[];
        const [max, min] = [got[4]!, got[5]!];
        const [argmax, argmin] = got.slice(6, 8).map((p) => new Int32Array(p.slice().buffer)) as Int32Array[];
        want.forEach((w, r) => {
          expect(near(sums![r]!, w.total, 1e-12, w.size * 1e-12)).toBe(true);
          expect(near(moments![2 * r]!, w.total, 1e-12, w.size * 1e-12)).toBe(true);
          expect(near(moments![2 * r + 1]!, w.squares, 1e-12, 0)).toBe(true);
          expect(near(squares![r]!, w.spread, 1e-12, 1e-12)).toBe(true);
          expect(max[r]! === w.max || Number.isNaN(w.max + max[r]!)).toBe(true);
          expect(min[r]! === w.min || Number.isNaN(w.min + min[r]!)).toBe(true);
          expect([argmax![r], argmin![r]]).toEqual([w.argmax, w.argmin]);
        });
        for (let j = 0; j < n; j++) {
          const w = reductions(all.map((row) => row[j]!));
          expect(near(columns![j]!, w.total, 1e-12, w.size * 1e-12)).toBe(true);
          expect(got[8]![j] === w.max || Number.isNaN(w.max + got[8]![j]!)).toBe(true);
          expect(got[10]![j] === w.min || Number.isNaN(w.min + got[10]![j]!)).toBe(true);
          const place = (i: number) => new Int32Array(got[i]!.slice().buffer)[j];
          expect([place(9), place(11)]).toEqual([w.argmax, w.argmin]);
        }
      }),
    );
  });
});

describe('reductions agree with the definition over any dimensions', () => {
  const cases: [shape: number[], dims: number[]][] = [
    [[3, 5], [1]],
    [[20001], [0]],
    [[2, 20000], [1]],
    [[70, 33], [1]],
    [[70, 33], [0]],
    [[900, 70], [0]],
    [[3, 40, 17], [1]],
    [
      [5, 6, 40],
      [0, 2],
    ],
    [
      [5, 6, 7, 9],
      [0, 2, 3],
    ],
    [
      [8, 9, 10],
      [0, 1, 2],
    ],
    [
      [8, 9, 10],
      [2, 0],
    ],
    [
      [4, 5, 6, 7],
      [1, 3],
    ],
    [
      [700, 1, 3],
      [0, 1],
    ],
  ];
  const check = (x: Tensor, dims: number[]): void => {
    const flat = x.toTypedArray();
    const groups = new Map<number, number[]>();
    const kept = x.shape.map((n, d) => (dims.includes(d) ? 1 : n));
    flat.forEach((v, i) => {
      let [at, rest, scale] = [0, i, 1];
      for (let d = x.ndim - 1; d >= 0; d--) {
        at += (dims.includes(d) ? 0 : rest % x.shape[d]!) * scale;
        rest = Math.floor(rest / x.shape[d]!);
        scale *= kept[d]!;
      }
      const group = groups.get(at);
      if (group) group.push(v);
      else groups.set(at, [v]);
    });
    const wanted = new Map([...groups].map(([i, group]) => [i, [reductions(group), group.length] as const]));
    const all: [Tensor, (w: ReturnType<typeof reductions>, n: number) => number, number][] = [
      [sum(x, dims), (w) => w.total, 1e-6],
      [mean(x, dims), (w, n) => w.total / n, 1e-6],
      [variance(x, dims), (w, n) => w.spread / (n - 1), 1e-6],
      [norm(x, 2, dims), (w) => Math.sqrt(w.squares), 1e-6],
      [amax(x, dims), (w) => w.max, 0],
      [amin(x, dims), (w) => w.min, 0],
    ];
    if (dims.length === 1) {
      all.push([argmax(x, dims[0]!), (w) => w.argmax, 0]);
      all.push([argmin(x, dims[0]!), (w) => w.argmin, 0]);
    }
    for (const [got, of, tolerance] of all) {
      const values = got.toTypedArray();
      expect(values).toHaveLength(groups.size);
      wanted.forEach(([w, n], i) => {
        const want = of(w, n);
        const close = near(values[i]!, want, tolerance, w.size * 1e-9 + tolerance * 1e-2);
        expect(close || values[i] === want, `${values[i]}, expected ${want}`).toBe(true);
      });
    }
  };

  it.each(cases)('%j over %j', (shape, dims) => {
    const n = shape.reduce((a, b) => a * b, 1);
    for (const extra of [[], [Number.NaN], odd])
      for (const scale of [1, 100]) check(tensor(normals(n, n, scale, extra)).reshape(shape), dims);
    // A view with an offset, and one that is not row-major.
    const wide = tensor(normals(n * 2, n)).reshape([2, ...shape]);
    check(wide.select(0, 1), dims);
    const turned = tensor(normals(n, n)).reshape([...shape].reverse());
    check(turned.permute(...shape.map((_, i) => shape.length - 1 - i)), dims);
  });

  it('variances of values that are large beside their spread', () => {
    const generator = new Generator(1);
    const x = Float32Array.from({ length: 4000 }, () => 1e5 + generator.below(3) / 8);
    const w = reductions([...x]);
    expect(near(variance(tensor(x)).item(), w.spread / 3999, 1e-5, 0)).toBe(true);
    expect(variance(tensor(new Float32Array(4000).fill(0.1))).item()).toBeLessThan(1e-15);
  });

  it('sums are exact where float64 is', () => {
    const x = new Float32Array(3000);
    x[0] = 1e8;
    x[1] = 1;
    x[2999] = -1e8;
    expect(sum(tensor(x)).item()).toBe(1);
    expect(sum(tensor(x).reshape([1500, 2]), 0).toArray()).toEqual([1e8, 1 - 1e8].map(Math.fround));
  });
});
