import * as core from '@gradgate/core';
import { type Tensor, tensor } from '@gradgate/core';
import * as more from '@gradgate/core/more';
import * as special from '@gradgate/core/special';
import { functional as F } from '@gradgate/nn';
import { describe, expect, it } from 'vitest';

const [nan, inf] = [Number.NaN, Number.POSITIVE_INFINITY];

/** The gradients of the sum of `f` for its inputs. */
function gradients(f: (...xs: Tensor[]) => Tensor, ...inputs: any[]): unknown[] {
  const xs = inputs.map((v) => tensor(v, { dtype: 'float64', requiresGrad: true }));
  f(...xs)
    .sum()
    .backward();
  // -0 counts as 0.
  return xs.map((x) => x.grad!.add(0).toArray());
}

/** Rows are repeated so often that kernels compute them too. */
const many = 600;

describe('gradients at singular points are those of PyTorch', () => {
  it('of what copy_ and fill_ overwrite: 0, whatever arrives', () => {
    const root = (x: Tensor, v: number) => x.mul(1).narrow(0, 0, 1).fill_(v).sqrt();
    expect(gradients((x) => root(x, 0), [4, 9])).toEqual([[0, 0]]);
    const source = (x: Tensor, y: Tensor) => x.mul(1).copy_(y).sqrt();
    expect(gradients(source, [4, 9], [0, 1])).toEqual([
      [0, 0],
      [inf, 0.5],
    ]);
  });

  it('binaryCrossEntropy: 0 where a certain probability is right', () => {
    expect(gradients((x) => F.binaryCrossEntropy(x, tensor([0, 1], { dtype: 'float64' })), [0, 1])).toEqual([[0, 0]]);
    const [wrong] = gradients((x) => F.binaryCrossEntropy(x, tensor([1, 0], { dtype: 'float64' })), [0, 1]);
    expect(wrong).toEqual([[-0.5e12, 0.5e12]].flat());
    const saturated = tensor([40], { requiresGrad: true });
    F.binaryCrossEntropy(saturated.sigmoid(), tensor([1])).backward();
    expect(saturated.grad!.toArray()).toEqual([0]);
  });

  it('binaryCrossEntropy: its gradient has a gradient, also at 0 and 1', () => {
    const x = tensor([0, 0.3, 1], { dtype: 'float64', requiresGrad: true });
    const t = tensor([0, 0.5, 1], { dtype: 'float64' });
    const [g] = core.grad(F.binaryCrossEntropy(x, t, { reduction: 'sum' }), [x], { createGraph: true });
    g!.sum().backward();
    const [a, b, c] = x.grad!.toArray() as number[];
    expect(a).toBe(0);
    expect(b).toBeCloseTo((0.09 - 0.3 + 0.5) / 0.21 ** 2, 6);
    expect(Number.isFinite(c)).toBe(true);
  });

  it('std: 0 for equal elements, one by one and by kernels, of columns and rows', () => {
    expect(gradients((x) => x.std(), [2, 2, 2])).toEqual([[0, 0, 0]]);
    expect(gradients((x) => core.stdMean(x)[0], [2, 2])).toEqual([[0, 0]]);
    const x = core.full([many, 3], 2).requiresGrad_();
    x.std(0).add(x.std(1).sum()).sum().backward();
    expect(x.grad!.toTypedArray().every((v) => v === 0)).toBe(true);
    const column = tensor(
      [
        [1, 2],
        [1, 5],
      ],
      { requiresGrad: true },
    );
    column.sub(column.mean(0)).div(column.std(0).add(1e-5)).square().sum().backward();
    expect(column.grad!.isfinite().all().item()).toBe(1);
  });

  it.each([0.5, 1, 1.5, 2, 2.5, 3, inf])('the %s-norm: 0 for zeros, also of its gradient', (p) => {
    expect(gradients((x) => x.norm(p), [0, 0])).toEqual([[0, 0]]);
    const x = tensor([0, 0, 2], { dtype: 'float64', requiresGrad: true });
    const [g] = core.grad(x.norm(p), [x], { createGraph: true });
    expect(g!.allclose(tensor([0, 0, 1], { dtype: 'float64' }))).toBe(true);
    g!.sum().backward();
    expect(x.grad!.isfinite().all().item()).toBe(1);
  });

  it('the 0-norm is tracked, with gradient 0', () => {
    expect(gradients((x) => x.norm(0), [0, 3])).toEqual([[0, 0]]);
  });

  it('dist, cdist, pairwiseDistance, normalize and cosineSimilarity of zeros', () => {
    expect(gradients((a, b) => core.dist(a, b), [1, 2], [1, 2])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    for (const p of [1, 2, 3])
      expect(gradients((a) => core.cdist(a, tensor([[1, 2]], { dtype: 'float64' }), p), [[1, 2]])).toEqual([[[0, 0]]]);
    expect(gradients((a, b) => F.pairwiseDistance(a, b, { eps: 0 }), [[1, 2]], [[1, 2]])).toEqual([[[0, 0]], [[0, 0]]]);
    expect(gradients((a) => F.normalize(a), [[0, 0]])).toEqual([[[1e12, 1e12]]]);
    const [a, b] = gradients((a, b) => F.cosineSimilarity(a, b), [[0, 0]], [[3, 4]]) as number[][][];
    expect(a![0]![0]).toBeCloseTo(0.6e8, 0);
    expect(a![0]![1]).toBeCloseTo(0.8e8, 0);
    expect(b).toEqual([[0, 0]]);
  });

  it('logit, xlogy, pow and klDiv', () => {
    expect(gradients((x) => core.logit(x), [0, 0.5, 1])).toEqual([[inf, 4, inf]]);
    expect(gradients((x) => core.logit(x), [-0])).toEqual([[inf]]);
    expect(gradients((a, b) => core.xlogy(a, b), [0, 0], [0, 2])).toEqual([
      [0, Math.LN2],
      [nan, 0],
    ]);
    // Whatever the logarithm is, a gradient of 0 stays 0.
    for (const f of [core.xlogy, special.xlog1py])
      expect(gradients((a, b) => f(a, b).mul(0), [2, 2], [-3, -1])[0]).toEqual([0, 0]);
    expect(gradients((a) => a.pow(tensor([0, 2], { dtype: 'float64' })), [0, 0])).toEqual([[0, 0]]);
    expect(gradients((x) => F.klDiv(x, tensor([0, 0.5], { dtype: 'float64' }), { reduction: 'sum' }), [0, 0])).toEqual([
      [0, -0.5],
    ]);
  });

  it('det of singular matrices, also of its gradient', () => {
    const minors = (rows: number[][]) => gradients((x) => core.det(x), rows)[0];
    expect(
      minors([
        [1, 2],
        [2, 4],
      ]),
    ).toEqual([
      [4, -2],
      [-2, 1],
    ]);
    expect(
      minors([
        [0, 0],
        [0, 0],
      ]),
    ).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(minors([[0]])).toEqual([[1]]);
    const three = minors([
      [1, 2, 3],
      [4, 5, 6],
      [5, 7, 9],
    ]) as number[][];
    const near = (v: number) => expect.closeTo(v, 9);
    expect(three).toEqual([[3, -6, 3].map(near), [3, -6, 3].map(near), [-3, 6, -3].map(near)]);
    // One singular matrix of several.
    const x = tensor(
      [
        [
          [1, 2],
          [2, 4],
        ],
        [
          [2, 0],
          [0, 4],
        ],
      ],
      { dtype: 'float64', requiresGrad: true },
    );
    core.det(x).sum().backward();
    expect(x.grad!.add(0).toArray()).toEqual([
      [
        [4, -2],
        [-2, 1],
      ],
      [
        [4, 0],
        [0, 2],
      ],
    ]);
    const y = tensor(
      [
        [1, 2],
        [2, 4],
      ],
      { dtype: 'float64', requiresGrad: true },
    );
    const [g] = core.grad(core.det(y), [y], { createGraph: true });
    g!.at(0, 0).backward();
    expect(y.grad!.add(0).toArray()).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });

  it('copysign at NaN, and the incomplete gamma functions at 0 and Infinity', () => {
    expect(gradients((x) => core.copysign(x, -1), [nan, 2, 0, inf])).toEqual([[nan, -1, 0, -1]]);
    expect(gradients((x) => special.gammainc(tensor([1, 2], { dtype: 'float64' }), x), [0, inf])).toEqual([[1, 0]]);
    expect(gradients((x) => special.gammaincc(2, x), [-1, inf])).toEqual([[nan, 0]]);
  });

  it('prod and cumprod with zeros', () => {
    expect(gradients((x) => x.prod(), [0, 2, 3])).toEqual([[6, 0, 0]]);
    expect(gradients((x) => x.prod(), [0, 0, 3])).toEqual([[0, 0, 0]]);
    expect(gradients((x) => x.cumprod(0), [2, 0, 3])).toEqual([[1, 8, 0]]);
  });
});

it("running sums of exponentials of infinities are PyTorch's, and those of a single number its own", () => {
  const x = tensor([inf, 1, inf, -inf], { dtype: 'float64', requiresGrad: true });
  const y = x.logcumsumexp(0);
  expect(y.toArray()).toEqual([inf, inf, inf, inf]);
  y.sum().backward();
  expect(x.grad!.toArray()).toEqual([nan, 0, nan, 0]);
  expect(tensor([-inf, -inf, 0, 0]).logcumsumexp(0).toArray()).toEqual([-inf, -inf, 0, Math.fround(Math.log(2))]);
  for (const value of [inf, -inf, 2]) expect(gradients((x) => x.logcumsumexp(0), value)).toEqual([1]);
});

it('quantiles and lerp between infinities are those of PyTorch, with gradients', () => {
  const x = tensor([-inf, 1, 2, inf], { dtype: 'float64', requiresGrad: true });
  for (const f of [core.quantile, more.nanquantile]) {
    expect(f(x, 0.25).item(), f.name).toBe(-inf);
    expect(f(x, [0, 0.5, 1]).toArray(), f.name).toEqual([-inf, 1.5, inf]);
    expect(f(x, 0.9, null, { interpolation: 'higher' }).item(), f.name).toBe(inf);
  }
  expect(gradients((a, b, w) => core.lerp(a, b, w), [0, inf, inf], [1, 1, 1], [0, 1, 0.25])).toEqual([
    [1, 0, 0.75],
    [0, 1, 0.25],
    [1, -inf, -inf],
  ]);
});

it('polynomials of degree 0 are 1 everywhere', () => {
  for (const f of [special.chebyshevPolynomialT, special.legendrePolynomialP, special.laguerrePolynomialL])
    expect(f(tensor([nan, inf, -inf, 2]), 0).toArray(), f.name).toEqual([1, 1, 1, 1]);
});

it('powers of matrices count exactly beyond 2^31, and the power 0 is tracked, with gradient 0', () => {
  const shear = tensor(
    [
      [1, 1],
      [0, 1],
    ],
    { dtype: 'float64' },
  );
  for (const n of [2 ** 31, 2 ** 31 + 1, 2 ** 32, 2 ** 33 + 3, -(2 ** 32)])
    expect(core.matrixPower(shear, n).toArray()).toEqual([
      [1, n],
      [0, 1],
    ]);
  const x = tensor(
    [
      [
        [inf, 2],
        [3, 4],
      ],
    ],
    { dtype: 'float64', requiresGrad: true },
  );
  const y = core.matrixPower(x, 0);
  expect(y.toArray()).toEqual([
    [
      [1, 0],
      [0, 1],
    ],
  ]);
  y.sum().backward();
  expect(x.grad!.toArray()).toEqual([
    [
      [0, 0],
      [0, 0],
    ],
  ]);
});

describe('subgradients', () => {
  it.each([3, many])(
    'pass where the input is NaN: relu, relu6, hardtanh, threshold, maximum, minimum, of %s elements',
    (n) => {
      const at = core.full([n], nan).requiresGrad_();
      const one = core.ones([n]);
      for (const f of [
        core.relu,
        core.relu6,
        core.hardtanh,
        (x: Tensor) => F.threshold(x, 0, 1),
        (x: Tensor) => x.maximum(one),
        (x: Tensor) => x.minimum(one),
        (x: Tensor) => one.maximum(x),
        (x: Tensor) => core.hardshrink(x),
        (x: Tensor) => core.softshrink(x),
      ]) {
        for (const createGraph of [false, true]) {
          const y = f(at);
          const [g] = core.grad(y.sum(), [at], { createGraph });
          expect(y.isnan().all().item(), f.name).toBe(1);
          expect(g!.eq(1).all().item(), `${f} ${createGraph}`).toBe(1);
        }
      }
      const [g] = core.grad(one.clone().requiresGrad_().maximum(at.detach()).sum().add(at.mul(0).sum()), [at]);
      expect(g!.numel).toBe(n);
    },
  );

  it.each([1, many])(
    'are 0 at both ends of relu6, hardtanh and hardsigmoid; clamp passes at its ends (%s times)',
    (times) => {
      const of = (f: (x: Tensor) => Tensor, ...values: number[]) => {
        const x = tensor(
          Array.from({ length: times }, () => values),
          { requiresGrad: true },
        );
        for (const createGraph of [false, true]) {
          const [g] = core.grad(f(x).sum(), [x], { createGraph });
          expect(g!.amin(0).toArray()).toEqual(g!.amax(0).toArray());
          if (createGraph) return g!.select(0, 0).toArray();
        }
        return [];
      };
      expect(of(core.relu6, 0, 3, 6)).toEqual([0, 1, 0]);
      expect(of(core.hardtanh, -1, 0, 1)).toEqual([0, 1, 0]);
      expect(of((x) => x.clamp(-1, 1), -1, 0, 1)).toEqual([1, 1, 1]);
      expect(of(core.hardsigmoid, -3, 3, nan)).toEqual([0, 0, 0]);
      expect(of(core.hardswish, -3, 3)).toEqual([0, 1]);
      expect(of((x) => F.threshold(x, 1, 0), 1, 2)).toEqual([0, 1]);
    },
  );

  it('of equal elements: adaptive maxima and bags give all to the first, median and max() share it', () => {
    expect(gradients((x) => F.adaptiveMaxPool1d(x, 1), [[[1, 1, 1]]])).toEqual([[[[1, 0, 0]]]]);
    expect(
      gradients(
        (x) => F.adaptiveMaxPool2d(x, 1),
        [
          [
            [
              [1, 2],
              [2, 2],
            ],
          ],
        ],
      ),
    ).toEqual([
      [
        [
          [
            [0, 1],
            [0, 0],
          ],
        ],
      ],
    ]);
    const index = tensor([[0, 1]], { dtype: 'int32' });
    expect(gradients((w) => F.embeddingBag(index, w, { mode: 'max' }), [[1], [1]])).toEqual([[[1], [0]]]);
    for (const f of [core.median, core.nanmedian])
      expect(gradients((x) => f(x), [1, 1, 1])).toEqual([[1 / 3, 1 / 3, 1 / 3]]);
    expect(gradients((x) => x.max(), [3, 3, 1])).toEqual([[0.5, 0.5, 0]]);
    expect(gradients((x) => x.max(), [3, nan, nan])).toEqual([[0, 0.5, 0.5]]);
    expect(gradients((x) => x.median(), [3, nan])).toEqual([[0, 1]]);
  });

  it('of gridSample: none for places on the border, beyond which it repeats or mirrors', () => {
    const plane = tensor(
      [
        [
          [
            [1, 2],
            [3, 5],
          ],
        ],
      ],
      { dtype: 'float64' },
    );
    const at = [
      [
        [
          [1, 0],
          [0.5, 0.5],
          [-1, -1],
        ],
      ],
    ];
    for (const paddingMode of ['border', 'reflection'] as const) {
      const sampled = (grid: Tensor) => F.gridSample(plane, grid, { paddingMode, alignCorners: true });
      const [[[[right, inside, corner]]]] = gradients(sampled, at) as [[[[number[], number[], number[]]]]];
      expect(right, paddingMode).toEqual([0, 1.5]);
      expect(inside, paddingMode).toEqual([0.875, 1.375]);
      expect(corner, paddingMode).toEqual([0, 0]);
    }
  });

  it('of margin losses: none for a margin that is just met', () => {
    const target = tensor([0], { dtype: 'int32' });
    expect(gradients((x) => F.multiMarginLoss(x, target), [[2, 1]])).toEqual([[[0, 0]]]);
    expect(gradients((x) => F.multilabelMarginLoss(x, tensor([[0, -1]], { dtype: 'int32' })), [[2, 1]])).toEqual([
      [[0, 0]],
    ]);
  });

  it('of steps and choices are 0 also where the gradient that arrives is infinite', () => {
    for (const f of [
      core.floor,
      core.sign,
      core.round,
      (x: Tensor) => x.clamp(5),
      (x: Tensor) => x.minimum(0),
      (x: Tensor) => core.fmax(x, 9),
    ])
      expect(
        gradients((x) => f(x).mul(inf), [1.5]),
        String(f),
      ).toEqual([[0]]);
    expect(gradients((x, y) => F.huberLoss(x, y), [inf], [0])).toEqual([[1], [-1]]);
    expect(gradients((x, w) => core.prelu(x, w), [inf], [0.25])).toEqual([[1], [0]]);
  });
});

describe('only what is asked for is read', () => {
  it.each([nan, inf])('by adaptiveAvgPool2d and interpolate, with one %s in the plane', (bad) => {
    const x = tensor([bad, ...new Array<number>(15).fill(1)]).reshape(1, 1, 4, 4);
    const count = (t: Tensor) => t.isfinite().logicalNot().sum().item();
    expect(count(F.adaptiveAvgPool2d(x, 2))).toBe(1);
    expect(count(F.interpolate(x, { scaleFactor: 2 }))).toBe(4);
    expect(count(F.interpolate(x, { size: [8, 4], mode: 'bilinear' }))).toBe(3);
    expect(count(F.interpolate(x, { size: 4, mode: 'bilinear' }))).toBe(1);
    expect(count(core.avgPool2d(x, 2))).toBe(1);
    expect(count(core.maxPool2d(x, 2))).toBe(1);
  });

  it.each([nan, inf])('by interpolate with cubics and antialias, with one %s in the line', (bad) => {
    const line = (...values: number[]) => tensor(values).reshape(1, 1, 1, -1);
    const finite = (t: Tensor) => t.isfinite().int().flatten().toArray();
    const wide = line(bad, 1, 1, 1, 1, 1);
    // Each of twice as many reads the four around it.
    const cubic = finite(F.interpolate(wide, { size: [1, 12], mode: 'bicubic' })) as number[];
    expect(cubic).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]);
    const halved = F.interpolate(line(bad, 1, 1, 1, 1, 1, 1, 1), { size: [1, 4], mode: 'bilinear', antialias: true });
    expect(finite(halved)).toEqual([0, 1, 1, 1]);
    expect(halved.at('...', core.slice(1)).flatten().toArray()).toEqual([1, 1, 1].map((v) => expect.closeTo(v, 6)));
  });

  it('by transposed convolutions whose dilation leaves room for more than the stride', () => {
    for (const dtype of ['float32', 'float64'] as const) {
      const x = tensor([[[1, 1]], [[100, 100]]], { dtype, requiresGrad: true });
      const w = tensor([[[1, 1]]], { dtype, requiresGrad: true });
      const y = core.convTranspose1d(x, w, null, { dilation: 2, outputPadding: 1 });
      expect(y.toArray()).toEqual([[[1, 1, 1, 1, 0]], [[100, 100, 100, 100, 0]]]);
      y.sum().backward();
      expect(x.grad!.toArray()).toEqual([[[2, 2]], [[2, 2]]]);
      expect(w.grad!.toArray()).toEqual([[[202, 202]]]);
    }
  });
});

describe('precision', () => {
  const f64 = (v: number) => tensor([v], { dtype: 'float64' });
  it('holds at the ends of the range', () => {
    expect(f64(1).floorDivide(0.1).item()).toBe(9);
    expect(f64(1).floorDivide(-inf).item()).toBe(-1);
    expect(f64(-1).remainder(inf).item()).toBe(inf);
    expect(core.lerp(f64(1e8), f64(0.1), 1).item()).toBe(0.1);
    // The weight is not rounded to float32.
    expect(core.lerp(f64(0), f64(1), 0.9).item()).toBe(0.9);
    expect(core.lerp(f64(1e8), f64(0.1), f64(1)).item()).toBe(0.1);
    expect(f64(inf).nanToNum().item()).toBe(Number.MAX_VALUE);
    expect(tensor([-inf]).nanToNum().item()).toBe(-3.4028234663852886e38);
    for (const n of [2, many]) {
      const of = (scale: number) => tensor(Float32Array.from({ length: n }, (_, i) => (i % 2 === 0 ? scale : -scale)));
      for (const scale of [1e30, 1e-30])
        for (const std of [of(scale).std(), of(scale).reshape(1, n).std(1), of(scale).reshape(n, 1).std(0)])
          expect(std.item() / (scale * Math.sqrt(n / (n - 1)))).toBeCloseTo(1, 5);
      const x = of(1e30);
      expect(x.norm().item() / (1e30 * Math.sqrt(n))).toBeCloseTo(1, 5);
      expect(x.norm(3).item() / (1e30 * n ** (1 / 3))).toBeCloseTo(1, 5);
    }
  });

  it('has no loop that runs on the size of an element', () => {
    expect(core.polygamma(1, f64(-1e16)).item()).toBe(inf);
    expect(core.polygamma(1, f64(-1e9 - 0.5)).item()).toBeCloseTo(Math.PI ** 2, 6);
    expect(core.polygamma(2, f64(-0.25)).item()).toBeCloseTo(core.polygamma(2, f64(0.75)).item() + 2 / 0.25 ** 3, 8);
    const x = tensor([-1e16, -1e15 - 0.5, 1e300], { dtype: 'float64', requiresGrad: true });
    core.digamma(x).sum().backward();
    expect(x.grad!.toTypedArray()[0]).toBe(inf);
    expect(
      core
        .lgamma(f64(-1e15 - 0.5))
        .isfinite()
        .item(),
    ).toBe(1);
  });
});

describe('shapes', () => {
  it('of no dimension stay so', () => {
    const s = tensor(2);
    expect(core.quantile(s, 0.5, 0, { keepdim: true }).shape).toEqual([]);
    expect(core.aminmax(s, 0, { keepdim: true }).min.shape).toEqual([]);
    expect(core.prelu(s, tensor([0.25])).shape).toEqual([]);
    expect(core.cov(core.ones([1, 3])).shape).toEqual([]);
    expect(core.corrcoef(core.ones([1, 3])).shape).toEqual([]);
  });

  it('of no elements have products', () => {
    expect(core.matmul(core.zeros([2, 3, 0]), core.zeros([0, 4])).toArray()).toEqual(core.zeros([2, 3, 4]).toArray());
    expect(core.einsum('bi,bj->bij', core.zeros([0, 2]), core.zeros([0, 3])).shape).toEqual([0, 2, 3]);
  });
});

it('repeats are counted before places are listed', () => {
  const most = 2 ** 31 - 1;
  const [x, repeats] = [core.ones([3]), tensor([most, most, most], { dtype: 'int32' })];
  expect(() => core.repeatInterleave(x, repeats)).toThrow(/^repeatInterleave: this needs memory which cannot be had/);
  expect(core.repeatInterleave(tensor([1, 2, 3]), tensor([0, 2, 0], { dtype: 'int64' })).toArray()).toEqual([2, 2]);
});

describe('combinations', () => {
  it('of which there are none take no time, however long they would be', () => {
    expect(core.combinations(core.ones([3]), 2 ** 40).shape).toEqual([0, 2 ** 40]);
    expect(core.combinations(core.ones([0]), 2 ** 31, { withReplacement: true }).shape).toEqual([0, 2 ** 31]);
  });

  it('are counted before they are built, and refused by name where there are too many', () => {
    expect(() => core.combinations(core.ones([30]), 15)).toThrow(
      /combinations: there are 155117520 combinations of 15/,
    );
    expect(() => core.combinations(core.ones([1000]), 500)).toThrow(/combinations: there are/);
    expect(core.combinations(core.arange(3), 2, { withReplacement: true }).toArray()).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 1],
      [1, 2],
      [2, 2],
    ]);
    for (const [n, r, count] of [
      [3, 0, 1],
      [0, 0, 1],
      [2, 3, 0],
      [0, 2, 0],
      [5, 5, 1],
      [6, 3, 20],
    ] as const)
      expect(core.combinations(core.arange(n), r).shape).toEqual([count, r]);
    expect(core.combinations(core.arange(0), 2, { withReplacement: true }).shape).toEqual([0, 2]);
  });
});
