import { readFileSync } from 'node:fs';
import { matmul, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import * as d from '@gradgate/distributions';
import { describe, expect, it } from 'vitest';
import { goldenError } from '../golden/golden.js';

// PyTorch's numbers, in float64: see make_distributions.py.

interface Numbers {
  shape: number[];
  data: number[];
}
const golden = JSON.parse(readFileSync(new URL('../golden/distributions.json', import.meta.url), 'utf8')) as {
  transforms: { ours: string; x: Numbers; y: Numbers; back: Numbers; log: Numbers | null }[];
  shaped: { ours: string; batch_shape: number[]; event_shape: number[]; value: Numbers; log_prob: Numbers }[];
};

const f64 = { dtype: 'float64' } as const;
const t = (values: number[]) => tensor(values, f64);
const made = <T>(code: string): T => new Function('d', 't', `return ${code}`)(d, t);
const given = ({ data, shape }: Numbers) => tensor(data, { shape, ...f64 });

function expectNumbers(actual: Tensor, { shape, data }: Numbers): void {
  expect(actual.shape).toEqual(shape);
  expect(goldenError(actual, data)).toBeLessThan(1e-9);
}

describe('transforms have the numbers of PyTorch', () => {
  it.each(golden.transforms.map((c, i) => [`${c.ours} (${i})`, c] as const))('%s', (_, c) => {
    const transform = made<d.Transform>(c.ours);
    const x = given(c.x);
    const y = transform.forward(x);
    expectNumbers(y, c.y);
    expectNumbers(transform.inverse(y), c.back);
    if (c.log) expectNumbers(transform.logAbsDetJacobian(x, y), c.log);
    else expect(() => transform.logAbsDetJacobian(x, y)).toThrow(/has no inverse that is unique/);
    expect(transform.forwardShape?.(x.shape) ?? x.shape).toEqual(y.shape);
    expect(() => transform.codomain.check('test', 'y', y)).not.toThrow();
  });

  it.each(golden.shaped.map((c) => [c.ours, c] as const))('%s', (_, c) => {
    const distribution = made<d.Distribution>(c.ours);
    expect([distribution.batchShape, distribution.eventShape]).toEqual([c.batch_shape, c.event_shape]);
    const draw = distribution.rsample([5]);
    expect(draw.shape).toEqual([5, ...c.batch_shape, ...c.event_shape]);
    expect(distribution.logProb(draw).isfinite().all().item()).toBe(1);
    expectNumbers(distribution.logProb(given(c.value)), c.log_prob);
  });

  it('have gradients, and gradients of these', () => {
    for (const transform of [new d.StickBreakingTransform(), new d.CorrCholeskyTransform()] as d.Transform[])
      for (const f of [
        (x: Tensor) => transform.forward(x),
        (x: Tensor) => transform.logAbsDetJacobian(x, transform.forward(x)),
      ]) {
        const x = randn([2, 3], { ...f64, requiresGrad: true });
        expect([gradcheck(f, [x]), gradgradcheck(f, [x])]).toEqual([true, true]);
      }
  });
});

describe('what does not fit is refused by name', () => {
  const exp = new d.ExpTransform();
  it.each<[string, () => unknown, RegExp]>([
    [
      'numbers of no triangle',
      () => new d.CorrCholeskyTransform().forward(zeros([4])),
      /^CorrCholeskyTransform: takes/,
    ],
    ['no vector', () => new d.StickBreakingTransform().forward(zeros([])), /^StickBreakingTransform: takes vectors/],
    ['reshaping to more', () => new d.ReshapeTransform([2], [3]), /^ReshapeTransform: \[2\] and \[3\] have different/],
    [
      'another shape',
      () => new d.ReshapeTransform([2], [1, 2]).forward(zeros([3])),
      /^ReshapeTransform: takes \[..., 2\]/,
    ],
    ['no transforms', () => new d.CatTransform([]), /^CatTransform: takes one transform at least/],
    [
      'lengths of others',
      () => new d.CatTransform([exp], 0, [1, 2]),
      /^CatTransform: 1 transforms take as many lengths/,
    ],
    [
      'too few elements',
      () => new d.CatTransform([exp], 0, [2]).forward(zeros([3])),
      /^CatTransform: takes 2 elements/,
    ],
    ['too many positions', () => new d.StackTransform([exp]).forward(zeros([3])), /^StackTransform: takes 1 positions/],
    [
      'vectors side by side',
      () => new d.StackTransform([new d.SoftmaxTransform()]),
      /^StackTransform: takes transforms of el/,
    ],
    [
      'no transform',
      () => new d.IndependentTransform({} as never, 1),
      /^IndependentTransform: base must be a transform/,
    ],
    [
      'no distribution',
      () => new d.CumulativeDistributionTransform(3 as never),
      /^CumulativeDistributionTransform: takes a d/,
    ],
    [
      'a vector of a scalar distribution',
      () => new d.TransformedDistribution(new d.Normal(0, 1), new d.StickBreakingTransform()),
      /^TransformedDistribution: transforms take events of 1 dimensions, got Normal\(batchShape=\[\]/,
    ],
    [
      'quantiles of vectors',
      () => new d.TransformedDistribution(new d.Normal(zeros([2]), 1), new d.StickBreakingTransform()).cdf(zeros([3])),
      /^TransformedDistribution: there is no cdf\(\)/,
    ],
    ['a matrix of one row', () => new d.LKJCholesky(1), /^LKJCholesky: dim must be a whole number from 2 up, got 1/],
    [
      'too little freedom',
      () =>
        new d.Wishart(1, {
          scaleTril: tensor([
            [1, 0],
            [0, 1],
          ]),
        }),
      /^Wishart: df must be above n - 1 = 1/,
    ],
    ['no covariance', () => new d.Wishart(3, {}), /^Wishart: give one of covarianceMatrix/],
    [
      'no square matrix',
      () => new d.Wishart(3, { scaleTril: zeros([2, 3]) }),
      /^Wishart: scaleTril must be \[..., n, n\], got \[2, 3\]/,
    ],
    ['a smaller batch', () => new d.Normal(zeros([3]), 1).expand([2]), /^Normal.expand: /],
    ['a batch that is none', () => new d.Normal(0, 1).expand(3 as never), /^Normal.expand: batchShape must be/],
    [
      'other transforms',
      () =>
        d.klDivergence(
          new d.TransformedDistribution(new d.Normal(0, 1), new d.ExpTransform()),
          new d.TransformedDistribution(new d.Normal(0, 1), new d.AffineTransform(0, 2)),
        ),
      /^klDivergence: both TransformedDistribution must have the same transforms/,
    ],
  ])('%s', (_, f, message) => expect(f).toThrow(message));
});

describe('draws', () => {
  it('of LKJCholesky are factors of correlations, nearer to none for a larger concentration', () => {
    const spread = (concentration: number) => {
      const l = new d.LKJCholesky(3, tensor(concentration, f64)).sample([4000]);
      const correlations = matmul(l, l.mT);
      expect(correlations.diagonal(0, -2, -1).sub(1).abs().max().item()).toBeLessThan(1e-9);
      return correlations.at('...', 2, 0).var().item();
    };
    // The variance of a correlation is 1 / (2 concentration + dim - 1).
    expect(spread(1)).toBeCloseTo(1 / 4, 1);
    expect(spread(10) * 22).toBeCloseTo(1, 0);
  });

  it('of Wishart and ContinuousBernoulli have their mean and variance, and gradients', () => {
    const covariance = tensor(
      [
        [2, 0.5],
        [0.5, 1],
      ],
      { ...f64, requiresGrad: true },
    );
    const wishart = new d.Wishart(4, { covarianceMatrix: covariance });
    const draws = wishart.rsample([20_000]);
    expect(draws.mean(0).sub(wishart.mean).abs().max().item()).toBeLessThan(0.15);
    expect(draws.var(0).div(wishart.variance).sub(1).abs().max().item()).toBeLessThan(0.1);
    draws.mean(0).trace().backward();
    expect(covariance.grad!.trace().item()).toBeCloseTo(8, 0);
    const pixel = new d.ContinuousBernoulli({ probs: tensor([0.1, 0.5, 0.8], f64) });
    const values = pixel.sample([20_000]);
    expect(values.mean(0).sub(pixel.mean).abs().max().item()).toBeLessThan(0.02);
    expect(values.var(0).sub(pixel.variance).abs().max().item()).toBeLessThan(0.01);
    expect(goldenError(pixel.icdf(pixel.cdf(tensor(0.3, f64))), [0.3, 0.3, 0.3])).toBeLessThan(1e-9);
  });
});

describe('expand', () => {
  const weights = { probs: tensor([[0.2, 0.8]], f64) };
  const all: [string, d.Distribution][] = [
    ['Normal', new d.Normal(zeros([3], f64), 1)],
    ['Uniform', new d.Uniform(zeros([3], f64), 1)],
    ['Categorical', new d.Categorical(weights)],
    ['Binomial', new d.Binomial(5, weights)],
    ['Dirichlet', new d.Dirichlet(tensor([[1, 2, 3]], f64))],
    ['StudentT', new d.StudentT(tensor([3], f64))],
    ['FisherSnedecor', new d.FisherSnedecor(tensor([3], f64), 5)],
    ['RelaxedBernoulli', new d.RelaxedBernoulli(tensor(0.5, f64), weights)],
    [
      'MultivariateNormal',
      new d.MultivariateNormal(zeros([3, 2], f64), {
        scaleTril: tensor(
          [
            [1, 0],
            [1, 2],
          ],
          f64,
        ),
      }),
    ],
    ['LowRankMultivariateNormal', new d.LowRankMultivariateNormal(zeros([2], f64), t([1, 2]).unsqueeze(1), t([1, 2]))],
    ['LogNormal', new d.LogNormal(zeros([3], f64), 1)],
    ['LogisticNormal', new d.LogisticNormal(zeros([3, 2], f64), t([1, 1]))],
    ['Independent', new d.Independent(new d.Normal(zeros([3, 2], f64), 1), 1)],
    [
      'MixtureSameFamily',
      new d.MixtureSameFamily(new d.Categorical({ probs: t([0.2, 0.8]) }), new d.Normal(t([0, 1]), 1)),
    ],
    [
      'TransformedDistribution',
      new d.TransformedDistribution(new d.Normal(zeros([3, 2], f64), 1), new d.StickBreakingTransform()),
    ],
    [
      'Wishart',
      new d.Wishart(tensor([3], f64), {
        scaleTril: tensor(
          [
            [1, 0],
            [1, 2],
          ],
          f64,
        ),
      }),
    ],
    ['ContinuousBernoulli', new d.ContinuousBernoulli(weights)],
    ['LKJCholesky', new d.LKJCholesky(3, tensor([1], f64))],
    ['VonMises', new d.VonMises(tensor([0], f64), 1)],
  ];
  it.each(all)('%s has the same density and draws of the larger shape', (name, distribution) => {
    const shape = [4, ...distribution.batchShape];
    const wide = distribution.expand(shape);
    expect([wide.constructor.name, wide.batchShape, wide.eventShape]).toEqual([name, shape, distribution.eventShape]);
    const draw = wide.sample([2]);
    expect(draw.shape).toEqual([2, ...shape, ...distribution.eventShape]);
    expect(wide.logProb(draw).shape).toEqual([2, ...shape]);
    expect(goldenError(wide.logProb(draw), distribution.logProb(draw).toTypedArray())).toBeLessThan(1e-12);
    expect(distribution.batchShape).toEqual(shape.slice(1));
  });

  it('passes gradients to what the parameters are', () => {
    const loc = zeros([3], { ...f64, requiresGrad: true });
    new d.Normal(loc, 1).expand([4, 3]).logProb(1).sum().backward();
    expect(loc.grad!.toArray()).toEqual([4, 4, 4]);
  });
});

it('numbers of transforms are exact beside float64, and lift no float32', () => {
  const affine = new d.AffineTransform(0.1, -0.3);
  const power = new d.PowerTransform(0.7);
  expect(affine.forward(t([2])).item()).toBe(2 * -0.3 + 0.1);
  expect(affine.logAbsDetJacobian(t([2])).item()).toBe(Math.log(0.3));
  expect(power.forward(t([2])).item()).toBeCloseTo(2 ** 0.7, 14);
  expect(power.inverse(t([2])).item()).toBeCloseTo(2 ** (1 / 0.7), 14);
  expect(power.logAbsDetJacobian(t([2]), power.forward(t([2]))).item()).toBeCloseTo(Math.log(0.7 * 2 ** -0.3), 14);
  for (const transform of [affine, power]) expect(transform.forward(tensor(2)).dtype).toBe('float32');
});

describe('constraints', () => {
  it('are known for each parameter, of classes and of distributions, by the names of PyTorch', () => {
    const { constraints } = d;
    expect(d.Normal.argConstraints).toEqual({ loc: constraints.real, scale: constraints.positive });
    expect(new d.Gamma(1, 2).argConstraints).toBe(d.Gamma.argConstraints);
    expect(new d.Chi2(3).argConstraints).toEqual({ df: constraints.positive });
    expect(Object.keys(d.MultivariateNormal.argConstraints)).toEqual([
      'loc',
      'covarianceMatrix',
      'precisionMatrix',
      'scaleTril',
    ]);
    expect(new d.Independent(new d.Normal(zeros([2]), 1), 1).argConstraints).toEqual({});
    // Each parameter that has a condition is refused if it does not fulfil it.
    expect(() => new d.Weibull(1, -1)).toThrow(/^Weibull: concentration must be above 0, got -1/);
    expect(() => new d.Chi2(-1)).toThrow(/^Chi2: df must be above 0/);
    expect(d.Weibull.argConstraints.concentration.text).toBe('above 0');
  });

  it('give transforms to the supports of distributions, with their bounds and gradients', () => {
    const uniform = new d.Uniform(t([0, 2]), t([1, 6]));
    const x = randn([3, 2], { ...f64, requiresGrad: true });
    for (const dist of [uniform, new d.Pareto(t([2, 3]), 1), new d.Gamma(t([1, 2]), 1), new d.Beta(t([1, 2]), 1)]) {
      const transform = d.bijectTo(dist.support);
      const y = transform.forward(x);
      expect(dist.logProb(y).isfinite().all().item()).toBe(1);
      expect(goldenError(transform.inverse(y), x.toTypedArray())).toBeLessThan(1e-9);
      expect(
        gradgradcheck((x) => transform.logAbsDetJacobian(x, transform.forward(x)).add(transform.forward(x)), [x]),
      ).toBe(true);
    }
  });

  it('of a kind of your own are registered; others are refused by name', () => {
    const even: d.Constraint = { ...d.constraints.real, text: 'a number of mine' };
    expect(() => d.bijectTo(even)).toThrow(
      'bijectTo: there is no transform to "a number of mine"; add one by bijectTo.register',
    );
    d.bijectTo.register(even, () => new d.TanhTransform());
    expect(d.bijectTo(even)).toBeInstanceOf(d.TanhTransform);
    expect(() => d.transformTo(even)).toThrow(/^transformTo: there is no transform to/);
    for (const { support } of [
      new d.Poisson(1),
      new d.Bernoulli({ probs: 0.5 }),
      new d.Categorical({ probs: t([0.5, 0.5]) }),
    ])
      expect(() => d.bijectTo(support)).toThrow(/^bijectTo: there is no transform to/);
    for (const wrong of [3, null, undefined, {}]) {
      expect(() => d.transformTo(wrong as never)).toThrow(/^transformTo: takes a constraint, got/);
      expect(() => d.bijectTo.register(wrong as never, () => d.identityTransform)).toThrow(
        /^bijectTo.register: takes a/,
      );
    }
    expect(() => d.bijectTo.register(even, 3 as never)).toThrow(
      /^bijectTo.register: takes a constraint and a function/,
    );
    expect(() => d.identityTransform.forward(3 as never)).toThrow(
      /^identityTransform.forward: expected a Tensor, got 3/,
    );
  });
});
