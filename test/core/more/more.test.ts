import { ones, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import * as more from '@gradgate/core/more';
import * as special from '@gradgate/core/special';
import { describe, expect, it } from 'vitest';

// Values are compared with PyTorch's by test/core/more.test.ts.

const f64 = { dtype: 'float64', requiresGrad: true } as const;
const index = (...values: number[]) => tensor(values, { dtype: 'int32' });

describe('gradients, and their own', () => {
  const cases: Record<string, [(...inputs: Tensor[]) => Tensor, ...Tensor[]]> = {
    trapezoid: [(y, x) => more.trapezoid(y!, { x: x!, dim: 0 }), randn([4, 2], f64), randn([4], f64)],
    cumulativeTrapezoid: [(y) => more.cumulativeTrapezoid(y!, { dx: 0.5 }), randn([2, 4], f64)],
    nanquantile: [(x) => more.nanquantile(x!, [0.3, 0.8], 1).square(), randn([2, 5], f64)],
    'indexAdd of a part': [
      (x, s) => more.indexAdd(x!, 0, index(1, 1), s!, { alpha: -2 }).square(),
      randn([3], f64),
      randn([2], f64),
    ],
    renorm: [(x) => more.renorm(x!, 2, 0, 0.5), randn([3, 4], f64)],
    frexp: [(x) => more.frexp(x!).mantissa.square(), tensor([0.3, 5, -70], f64)],
    ldexp: [(x) => more.ldexp(x!, index(2, -1)).square(), randn([2], f64)],
    'scatterReduce by products': [
      (x, s) => more.scatterReduce(x!, 0, index(0, 2, 0), s!, 'prod'),
      randn([3], f64),
      randn([3], f64),
    ],
    // Of a line with one 0 that alone has a gradient, and of one with two none has.
    'products with zeros': [
      (x, s) => more.scatterReduce(x!, 0, index(0, 0, 1, 1, 1), s!, 'prod', { includeSelf: false }),
      randn([2], f64),
      tensor([0, 3, 0, 2, 0], f64),
    ],
    'cdist by a product': [
      (a, b) => more.cdist(a!, b!, 2, { computeMode: 'useMmForEuclidDist' }),
      randn([2, 3], f64),
      randn([4, 3], f64),
    ],
    indexReduce: [(x, s) => more.indexReduce(x!, 1, index(1, 1), s!, 'prod'), randn([2, 3], f64), randn([2, 2], f64)],
    polynomials: [(x) => special.chebyshevPolynomialU(x!, 4).add(special.laguerrePolynomialL(x!, 3)), randn([3], f64)],
  };
  it.each(Object.entries(cases))('%s', (_, [f, ...inputs]) => {
    expect(gradcheck(f, inputs)).toBe(true);
    expect(gradgradcheck(f, inputs)).toBe(true);
  });
});

describe('cdist', () => {
  const a = randn([30, 3], f64);
  it('of equal rows is 0 by a product too, without a gradient; NaN stays', () => {
    const [same] = [ones([1, 2], f64)];
    const d = more.cdist(same!, ones([1, 2], { dtype: 'float64' }), 2, { computeMode: 'useMmForEuclidDist' });
    d.sum().backward();
    expect([d.item(), same!.grad!.toArray()]).toEqual([0, [[0, 0]]]);
    expect(
      more
        .cdist(tensor([[Number.NaN]]), ones([30, 1]))
        .at(0, 0)
        .item(),
    ).toBeNaN();
  });

  it('goes by a product for more than 25 rows, unless told not to: that is apart by rounding alone', () => {
    const far = a.detach().add(1e7);
    const exact = more.cdist(far, far, 2, { computeMode: 'donotUseMmForEuclidDist' });
    expect(more.cdist(far, far).sub(exact).abs().max().item()).toBeGreaterThan(1e-3);
    expect(more.cdist(far.narrow(0, 0, 25), far.narrow(0, 0, 25)).equal(exact.narrow(0, 0, 25).narrow(1, 0, 25))).toBe(
      true,
    );
  });

  it.each<[string, () => unknown, string]>([
    [
      'a mode',
      () => more.cdist(a, a, 2, { computeMode: 'fast' as never }),
      "cdist: computeMode must be 'useMmForEuclid",
    ],
    ['rows', () => more.cdist(a, randn([30, 2], f64)), 'cdist: takes [..., n, k] and [..., m, k], got [30, 3] and'],
    ['a vector', () => more.cdist(randn([30], f64), a), 'cdist: takes [..., n, k] and [..., m, k], got [30] and'],
    ['dtypes', () => more.cdist(a.float(), a), 'cdist: takes floating point tensors of one dtype, got float32 and'],
    ['what is no tensor', () => more.cdist(3 as never, a), 'cdist: expected a Tensor, got 3'],
  ])('refuses %s', (_, f, message) => expect(f).toThrow(message));
});

describe('what numbers are', () => {
  it('frexp and ldexp undo each other, in float32 and for subnormal numbers too', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const x = tensor([1e-40, 3.5, -1e30, 0, 0.1], { dtype });
      const { mantissa, exponent } = more.frexp(x);
      expect([mantissa.dtype, exponent.dtype]).toEqual([dtype, 'int32']);
      const [m, e] = [mantissa.toTypedArray(), exponent.toTypedArray()];
      expect(Array.from(m, (v, i) => v * 2 ** e[i]!)).toEqual([...x.toTypedArray()]);
    }
    expect(more.ldexp(tensor([3]), 4).item()).toBe(48);
  });

  it('nextafter of float32 is the next float32', () => {
    const next = more.nextafter(tensor([1, 1, 0]), tensor([2, 0, -1])).toTypedArray();
    expect([...next]).toEqual([1 + 2 ** -23, 1 - 2 ** -24, -(2 ** -149)]);
  });

  it('products of integers, of none, and by indices that name nothing', () => {
    const x = tensor([1, 2, 3], { dtype: 'int32' });
    const out = more.scatterReduce(x, 0, index(1, 1), tensor([4, 5], { dtype: 'int32' }), 'prod');
    expect([out.dtype, out.toArray()]).toEqual(['int32', [1, 40, 3]]);
    expect(more.scatterReduce(x, 0, index(), tensor([], { dtype: 'int32' }), 'prod').toArray()).toEqual([1, 2, 3]);
  });

  it('histograms of nothing, and of values that are all the same', () => {
    expect(more.histogram(zeros([0]), 2).hist.toArray()).toEqual([0, 0]);
    expect(more.histogram(ones([3]), 2).binEdges.toArray()).toEqual([0.5, 1, 1.5]);
    expect(more.histogram(tensor([0.5, Number.NaN]), 2, { range: [0, 1] }).hist.toArray()).toEqual([0, 1]);
  });
});

it.each<[string, () => unknown, string]>([
  ['both', () => more.trapezoid(ones([3]), { x: ones([3]), dx: 1 }), 'trapezoid: give either x or dx, not both'],
  ['places', () => more.trapezoid(ones([3]), { x: ones([2]) }), 'trapezoid: x must be 3 positions'],
  ['no dimension', () => more.cumulativeTrapezoid(tensor(1)), 'cumulativeTrapezoid: takes values along a dimension'],
  ['no tensor', () => more.trapezoid([1, 2] as never), 'trapezoid: expected a Tensor, got [1, 2]'],
  ['decimals', () => more.round(ones([3]), { decimals: 0.5 }), 'round: decimals must be a whole number, got 0.5'],
  [
    'alpha of integers',
    () => more.indexAdd(index(1, 2), 0, index(0), index(1), { alpha: 0.5 }),
    'indexAdd: alpha for integers must be a whole number, got 0.5',
  ],
  ['q', () => more.nanquantile(ones([3]), 2), 'nanquantile: q must be a number from 0 to 1'],
  ['integers', () => more.nanquantile(index(1), 0.5), 'nanquantile: takes floating point tensors, got int32'],
  ['of none', () => more.nanquantile(zeros([0]), 0.5), 'nanquantile: takes at least one element'],
  ['vectors', () => more.renorm(ones([3]), 2, 0, 1), 'renorm: takes at least two dimensions, got [3]'],
  ['p', () => more.renorm(ones([3, 2]), 0, 0, 1), 'renorm: p must be a number above 0, got 0'],
  ['integers', () => more.frexp(index(1)), 'frexp: takes floating point tensors, got int32'],
  ['dtypes', () => more.nextafter(ones([1]), ones([1]).double()), 'nextafter: takes two float32 or two float64'],
  [
    'reduce',
    () => more.scatterReduce(ones([1]), 0, index(0), ones([1]), 'max' as never),
    "scatterReduce: reduce must be 'sum'",
  ],
  [
    'index',
    () => more.scatterReduce(ones([1]), 0, index(3), ones([1]), 'prod'),
    'scatterReduce: index 3 is out of range',
  ],
  [
    'index',
    () => more.indexReduce(ones([1]), 0, ones([1]), ones([1]), 'prod'),
    'indexReduce: indices must be integers',
  ],
  [
    'source',
    () => more.indexReduce(ones([2]), 0, index(0), ones([2]), 'prod'),
    'indexReduce: source must be [1], got [2]',
  ],
  ['edges', () => more.histogram(ones([3]), tensor([2, 1])), 'histogram: edges must ascend, got 2 and 1'],
  ['bins', () => more.histogram(ones([3]), 0), 'histogram: bins must be a whole number above 0'],
  ['range', () => more.histogram(ones([3]), 2, { range: [1, 0] }), 'histogram: the range must be finite and ascend'],
  ['NaN', () => more.histogram(tensor([Number.NaN, 1]), 2), 'histogram: the range must be finite and ascend'],
  [
    'weights',
    () => more.histogram(ones([3]), 2, { weight: ones([2]) }),
    'histogram: weight must be [3], one for each element, got [2]',
  ],
  [
    'bins of another number',
    () => more.histogramdd(ones([3, 2]), [2]),
    'histogramdd: bins must have one entry for each of 2',
  ],
  [
    'degree',
    () => special.hermitePolynomialH(ones([1]), 1.5),
    'hermitePolynomialH: n must be a whole number from 0 to 65536, got 1.5',
  ],
  [
    'no tensor',
    () => special.shiftedChebyshevPolynomialT(3 as never, 2),
    'shiftedChebyshevPolynomialT: expected a Tensor',
  ],
])('what is wrong is refused: %s', (_, f, message) => {
  expect(f).toThrow(message);
});
