import { readFileSync } from 'node:fs';
import { forkRng, Generator, isGradEnabled, manualSeed, ones, type Tensor, tensor, zeros } from '@gradgate/core';
import * as d from '@gradgate/distributions';
import { describe, expect, it } from 'vitest';
import { gammaDrawGradient } from '../../packages/distributions/src/draws.js';

const { gamma_draws } = JSON.parse(readFileSync(new URL('../golden/distributions.json', import.meta.url), 'utf8')) as {
  gamma_draws: [alpha: number, x: number, slope: number][];
};

const n = 40_000;

/** Mean and variance of many draws are those of the distribution, within five standard errors. */
function expectMoments(dist: d.Distribution): void {
  const x = dist.sample([n], { generator: new Generator(7) }).double();
  const mean = x.mean(0);
  const variance = x.var(0);
  const kurtosis = x.sub(mean).square().square().mean(0).div(variance.square());
  const ofMean = mean.sub(dist.mean).abs().div(dist.variance.div(n).sqrt());
  const ofVariance = variance
    .sub(dist.variance)
    .abs()
    .div(dist.variance.mul(kurtosis.div(n).sqrt()));
  expect(ofMean.amax().item()).toBeLessThan(5);
  expect(ofVariance.amax().item()).toBeLessThan(5);
}

describe('many draws have the mean and the variance that the distribution says', () => {
  it.each<[string, d.Distribution]>([
    ['Normal', new d.Normal(tensor([0, 5]), tensor([1, 0.1]))],
    ['LogNormal', new d.LogNormal(0, 0.3)],
    ['Laplace', new d.Laplace(1, 2)],
    ['Uniform', new d.Uniform(-1, 3)],
    ['Exponential', new d.Exponential(0.5)],
    ['Gamma', new d.Gamma(tensor([0.1, 0.9, 1, 7, 200]), 3)],
    ['Chi2', new d.Chi2(3)],
    ['Beta', new d.Beta(tensor([0.5, 3]), tensor([0.5, 1]))],
    ['Dirichlet', new d.Dirichlet(tensor([0.5, 1, 7]))],
    ['StudentT', new d.StudentT(12, 1, 2)],
    ['Bernoulli', new d.Bernoulli({ probs: tensor([0.1, 0.5]) })],
    ['Geometric', new d.Geometric({ probs: tensor([0.1, 0.7]) })],
    ['Poisson', new d.Poisson(tensor([0.3, 8, 40]))],
    ['Binomial', new d.Binomial(tensor([10, 3, 100, 1000, 50]), { probs: tensor([0.1, 0.5, 0.3, 0.9, 0.01]) })],
    ['OneHotCategorical', new d.OneHotCategorical({ probs: tensor([1, 2, 7]) })],
    ['Multinomial', new d.Multinomial(5, { probs: tensor([1, 2, 7]) })],
    [
      'MultivariateNormal',
      new d.MultivariateNormal(tensor([1, -1]), {
        covarianceMatrix: tensor([
          [2, 0.5],
          [0.5, 1],
        ]),
      }),
    ],
    ['Gumbel', new d.Gumbel(1, 2)],
    ['HalfNormal', new d.HalfNormal(2)],
    ['Weibull', new d.Weibull(tensor([1, 2]), tensor([1.5, 4]))],
    ['Pareto', new d.Pareto(2, 9)],
    ['Kumaraswamy', new d.Kumaraswamy(tensor([0.5, 3]), tensor([0.5, 2]))],
    ['FisherSnedecor', new d.FisherSnedecor(5, 30)],
    ['NegativeBinomial', new d.NegativeBinomial(tensor([3, 0.5]), { probs: tensor([0.25, 0.7]) })],
    [
      'LowRankMultivariateNormal',
      new d.LowRankMultivariateNormal(tensor([1, -1]), tensor([[1], [-2]]), tensor([0.5, 2])),
    ],
    ['OneHotCategoricalStraightThrough', new d.OneHotCategoricalStraightThrough({ probs: tensor([1, 2, 7]) })],
    ['Independent', new d.Independent(new d.Normal(zeros([2]), 1), 1)],
    [
      'MixtureSameFamily',
      new d.MixtureSameFamily(
        new d.Categorical({ probs: tensor([1, 3]) }),
        new d.Normal(tensor([-2, 1]), tensor([1, 0.5])),
      ),
    ],
  ])('%s', (_, dist) => expectMoments(dist));

  it('components of a multivariate normal vary together', () => {
    const covarianceMatrix = tensor([
      [2, 0.5],
      [0.5, 1],
    ]);
    const x = new d.MultivariateNormal(zeros([2]), { covarianceMatrix }).sample([n], { generator: new Generator(3) });
    expect(x.t().cov().sub(covarianceMatrix).abs().amax().item()).toBeLessThan(0.06);
  });

  it('class numbers come as often as their probabilities say', () => {
    const x = new d.Categorical({
      probs: tensor([
        [1, 3],
        [9, 1],
      ]),
    }).sample([n], { generator: new Generator(3) });
    expect(x.dtype).toBe('int32');
    const share = x.float().mean(0).toArray() as number[];
    expect(share[0]).toBeCloseTo(0.75, 1);
    expect(share[1]).toBeCloseTo(0.1, 1);
  });
});

describe('rsample', () => {
  it('the derivative of a gamma draw in its shape is that of the quantile', () => {
    for (const [alpha, x, slope] of gamma_draws) expect(gammaDrawGradient(alpha, x) / slope).toBeCloseTo(1, 4);
  });

  /** The gradient of the mean of f(x) over draws, for a parameter of which the mean of f is known. */
  const slope = (make: (p: Tensor) => d.Distribution, at: number, f: (x: Tensor) => Tensor): number => {
    const p = tensor(at, { dtype: 'float64', requiresGrad: true });
    f(make(p).rsample([n], { generator: new Generator(11) }))
      .mean()
      .backward();
    return p.grad!.item();
  };
  it.each<[string, (p: Tensor) => d.Distribution, number, (x: Tensor) => Tensor, number]>([
    // E x = p; E x² = loc² + scale²; and so on.
    ['Normal in loc', (p) => new d.Normal(p, 2), 3, (x) => x.square(), 6],
    ['Normal in scale', (p) => new d.Normal(3, p), 2, (x) => x.square(), 4],
    ['Exponential', (p) => new d.Exponential(p), 2, (x) => x, -1 / 4],
    ['Laplace', (p) => new d.Laplace(0, p), 2, (x) => x.square(), 8],
    ['Uniform', (p) => new d.Uniform(0, p), 3, (x) => x.square(), 2],
    ['Gamma', (p) => new d.Gamma(p, 2), 0.7, (x) => x.square(), 2.4 / 4],
    ['Gamma of a large shape', (p) => new d.Gamma(p, 1), 30, (x) => x, 1],
    ['Beta', (p) => new d.Beta(p, 2), 3, (x) => x, 2 / 25],
    [
      'Dirichlet',
      (p) => new d.Dirichlet(p.mul(ones([3], { dtype: 'float64' })).add(tensor([1, 0, 0]))),
      2,
      (x) => x.select(-1, 0),
      -2 / 49,
    ],
    ['LogNormal', (p) => new d.LogNormal(p, 0.5), 0.2, (x) => x, Math.exp(0.2 + 0.125)],
  ])('%s: gradients of means', (_, make, at, f, expected) => {
    expect(slope(make, at, f) / expected).toBeCloseTo(1, 1);
  });

  it('sample is not recorded, and leaves the mode as it was', () => {
    const loc = tensor(0, { requiresGrad: true });
    expect(new d.Normal(loc, 1).sample([2]).requiresGrad).toBe(false);
    expect(new d.Normal(loc, 1).rsample([2]).requiresGrad).toBe(true);
    expect(isGradEnabled()).toBe(true);
  });

  it('draws follow manualSeed, forkRng and a generator', () => {
    const gamma = new d.Gamma(2, 3);
    manualSeed(5);
    const first = gamma.sample([4]).toArray();
    manualSeed(5);
    expect(gamma.sample([4]).toArray()).toEqual(first);
    const forked = forkRng(5).run(() => gamma.sample([4]).toArray());
    expect(forked).toEqual(first);
    expect(gamma.sample([4], { generator: new Generator(5) }).toArray()).toEqual(first);
  });
});

describe('draws of distributions without moments', () => {
  /** The share of draws below values is what the distribution function says, within five standard errors. */
  const expectShares = (dist: d.Distribution, shareBelow: (value: number) => number, values: readonly number[]) => {
    const x = dist.sample([n], { generator: new Generator(7) });
    for (const value of values) {
      const p = shareBelow(value);
      expect(Math.abs(x.lt(value).double().mean().item() - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n));
    }
  };
  /** By the sum of the density in small steps. */
  const byDensity = (dist: d.Distribution, low: number) => (value: number) => {
    const steps = 4000;
    const width = (value - low) / steps;
    const at = tensor(
      Array.from({ length: steps }, (_, i) => low + (i + 0.5) * width),
      { dtype: 'float64' },
    );
    return dist.logProb(at).exp().sum().item() * width;
  };

  it('Cauchy and HalfCauchy', () => {
    for (const dist of [new d.Cauchy(1, 2), new d.HalfCauchy(2)])
      expectShares(dist, (value) => dist.cdf(value).item(), [0.5, 1, 4]);
  });

  it('VonMises, from even to narrow, around any angle', () => {
    for (const [loc, concentration] of [
      [0, 0.3],
      [1, 3],
      [3, 4],
    ] as const) {
      const dist = new d.VonMises(tensor(loc, { dtype: 'float64' }), concentration);
      expectShares(dist, byDensity(dist, -Math.PI), [-2, 0, 2, 3]);
    }
    const narrow = new d.VonMises(0, 1e9).sample([n], { generator: new Generator(7) });
    expect(narrow.square().mean().mul(1e9).item()).toBeCloseTo(1, 1);
  });

  it('RelaxedBernoulli', () => {
    const dist = new d.RelaxedBernoulli(tensor(0.8, { dtype: 'float64' }), { probs: 0.3 });
    expectShares(dist, byDensity(dist, 0), [0.2, 0.5, 0.9]);
  });

  it('RelaxedOneHotCategorical and LogisticNormal lie on the simplex, as their densities say', () => {
    for (const dist of [
      new d.RelaxedOneHotCategorical(0.8, { probs: tensor([1, 2]) }),
      new d.LogisticNormal(tensor([0.4]), 0.7),
    ]) {
      const x = dist.sample([n], { generator: new Generator(7) });
      expect(x.sum(-1).sub(1).abs().amax().item()).toBeLessThan(1e-5);
      const first = x.select(-1, 0);
      const density = (value: number) =>
        dist
          .logProb(tensor([value, 1 - value]))
          .exp()
          .item();
      let share = 0;
      for (let i = 0; i < 2000; i++) share += density(((i + 0.5) / 2000) * 0.5) / 4000;
      expect(Math.abs(first.lt(0.5).double().mean().item() - share)).toBeLessThan(0.02);
    }
  });

  it.each<[string, (p: Tensor) => d.Distribution]>([
    ['Gumbel', (p) => new d.Gumbel(p, 1)],
    ['HalfNormal', (p) => new d.HalfNormal(p)],
    ['HalfCauchy', (p) => new d.HalfCauchy(p)],
    ['Cauchy', (p) => new d.Cauchy(p, p)],
    ['Weibull', (p) => new d.Weibull(p, p)],
    ['Pareto', (p) => new d.Pareto(p, p)],
    ['Kumaraswamy', (p) => new d.Kumaraswamy(p, p)],
    ['FisherSnedecor', (p) => new d.FisherSnedecor(p, p)],
    ['LogisticNormal', (p) => new d.LogisticNormal(p, 1)],
    ['LowRankMultivariateNormal', (p) => new d.LowRankMultivariateNormal(p, p.unsqueeze(1), p)],
    ['RelaxedBernoulli', (p) => new d.RelaxedBernoulli(1, { logits: p })],
    ['RelaxedOneHotCategorical', (p) => new d.RelaxedOneHotCategorical(1, { logits: p })],
    ['OneHotCategoricalStraightThrough', (p) => new d.OneHotCategoricalStraightThrough({ probs: p })],
  ])('rsample of %s carries gradients', (_, make) => {
    const p = tensor([0.5, 2], { requiresGrad: true });
    make(p)
      .rsample([3], { generator: new Generator(1) })
      .square()
      .sum()
      .backward();
    expect(p.grad!.isfinite().all().item()).toBe(1);
    expect(p.grad!.abs().sum().item()).toBeGreaterThan(0);
    expect(make(p).sample([3]).requiresGrad).toBe(false);
  });
});
