import { arange, eye, ones, randn, type Tensor, tensor, zeros } from '@gradgate/core';
import * as d from '@gradgate/distributions';
import { describe, expect, it } from 'vitest';

describe('bad input is refused by name', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['a scale of 0', () => new d.Normal(0, 0), /^Normal: scale must be above 0, got 0$/],
    ['NaN', () => new d.Normal(tensor([0, Number.NaN]), 1), /^Normal: loc must be a number, got NaN$/],
    ['integers', () => new d.Normal(arange(3), 1), /^Normal: loc must be floating point, got int32; use \.float\(\)$/],
    ['text', () => new d.Normal('0' as never, 1), /^Normal: loc must be a Tensor or a number, got '0'$/],
    ['shapes that do not broadcast', () => new d.Normal(zeros([2]), ones([3])), /^Normal: .*\[2\].*\[3\]/],
    ['a scale of 0 of logarithms', () => new d.LogNormal(0, 0), /^LogNormal: scale must be above 0, got 0$/],
    ['counts and chances of other sizes', () => new d.Beta(ones([2]), ones([3])), /^Beta: .*\[2\].*\[3\]/],
    ['bounds in the wrong order', () => new d.Uniform(1, 1), /low must be below high/],
    [
      'probabilities above 1',
      () => new d.Bernoulli({ probs: 1.5 }),
      /^Bernoulli: probs must be from 0 to 1, got 1\.5$/,
    ],
    ['both', () => new d.Bernoulli({ probs: 0.5, logits: 0 }), /give either probs or logits/],
    ['neither', () => new d.Categorical({}), /^Categorical: give either probs or logits$/],
    ['a probability for options', () => new d.Bernoulli(0.5 as never), /takes \{ probs \} or \{ logits \}, got 0\.5/],
    ['a misspelled option', () => new d.Normal(0, 1, { validateArg: false } as never), /did you mean 'validateArgs'/],
    ['negative weights', () => new d.Categorical({ probs: tensor([1, -1]) }), /probs must be from 0 up, got -1/],
    [
      'a number of weights',
      () => new d.Categorical({ probs: tensor(1) }),
      /probs must be \[\.\.\., classes\] with at least one class, got \[\]/,
    ],
    [
      'a count that is no whole number',
      () => new d.Binomial(2.5, { probs: 0.5 }),
      /totalCount must be a whole number from 0 up, got 2\.5/,
    ],
    [
      'several covariances',
      () => new d.MultivariateNormal(zeros([2]), { covarianceMatrix: eye(2), scaleTril: eye(2) }),
      /give one of covarianceMatrix, precisionMatrix, scaleTril, got covarianceMatrix, scaleTril/,
    ],
    [
      'a covariance of another size',
      () => new d.MultivariateNormal(zeros([2]), { covarianceMatrix: eye(3) }),
      /loc must be \[\.\.\., n\] and covarianceMatrix \[\.\.\., n, n\], got \[2\] and \[3, 3\]/,
    ],
    [
      'a covariance that is not positive definite',
      () =>
        new d.MultivariateNormal(zeros([2]), {
          covarianceMatrix: tensor([
            [1, 2],
            [2, 1],
          ]),
        }),
      /positive definite/,
    ],
    [
      'a factor that is not triangular',
      () => new d.MultivariateNormal(zeros([2]), { scaleTril: ones([2, 2]) }),
      /lower triangular/,
    ],
    [
      'too many event dimensions',
      () => new d.Independent(new d.Normal(0, 1), 1),
      /dims must be at most 0, the number of batch dimensions, got 1/,
    ],
    ['something else for a distribution', () => new d.Independent(3 as never, 1), /takes a distribution, got 3/],
    [
      'weights of another size',
      () => new d.MixtureSameFamily(new d.Categorical({ probs: ones([3]) }), new d.Normal(zeros([2]), 1)),
      /weights for 3 components, but components of batch shape \[2\]/,
    ],
    ['a scale below 0', () => new d.Weibull(-1, 1), /^Weibull: scale must be above 0, got -1$/],
    ['an alpha of NaN', () => new d.Pareto(1, Number.NaN), /^Pareto: alpha must be above 0, got NaN$/],
    [
      'a temperature of 0',
      () => new d.RelaxedBernoulli(0, { probs: 0.5 }),
      /^RelaxedBernoulli: temperature must be above 0/,
    ],
    [
      'temperatures of another batch',
      () => new d.RelaxedOneHotCategorical(ones([3]), { probs: ones([2, 4]) }),
      /^RelaxedOneHotCategorical: /,
    ],
    [
      'a number of weights',
      () => new d.RelaxedOneHotCategorical(1, { probs: tensor(1) }),
      /^RelaxedOneHotCategorical: probs/,
    ],
    ['neither', () => new d.NegativeBinomial(3, {}), /^NegativeBinomial: give either probs or logits/],
    [
      'a count below 0',
      () => new d.NegativeBinomial(-1, { probs: 0.5 }),
      /^NegativeBinomial: totalCount must be from 0 up/,
    ],
    [
      'a number for a vector',
      () => new d.LogisticNormal(tensor(1), 1),
      /^LogisticNormal: loc must be \[\.\.\., n\], got \[\]/,
    ],
    [
      'a factor of another size',
      () => new d.LowRankMultivariateNormal(zeros([2]), ones([3, 1]), ones([2])),
      /^LowRankMultivariateNormal: loc must be .*got \[2\], \[3, 1\], \[2\]/,
    ],
    ['no transform', () => new d.ComposeTransform([]), /^ComposeTransform: takes one transform at least/],
    [
      'something else',
      () => new d.PowerTransform('x' as never),
      /^PowerTransform: takes a Tensor or a number, got 'x'/,
    ],
    [
      'something else for a transform',
      () => new d.TransformedDistribution(new d.Normal(0, 1), [3 as never]),
      /transforms must be an array, each item a transform/,
    ],
  ])('%s', (_, make, message) => expect(make).toThrow(message));

  it.each<[string, () => unknown, RegExp]>([
    [
      'a value outside',
      () => new d.Exponential(1).logProb(-1),
      /^Exponential\.logProb: the value must be from 0 up, got -1$/,
    ],
    [
      'a value below the scale',
      () => new d.Pareto(2, 1).logProb(1),
      /^Pareto\.logProb: the value must be from the scale up, got 1$/,
    ],
    ['a value below 0', () => new d.HalfNormal(2).cdf(-1), /^HalfNormal\.cdf: the value must be from 0 up, got -1$/],
    [
      'a fraction',
      () => new d.NegativeBinomial(2, { probs: 0.5 }).logProb(0.5),
      /^NegativeBinomial\.logProb: the value must be a whole/,
    ],
    [
      'a class out of range',
      () => new d.Categorical({ probs: ones([3]) }).logProb(3),
      /the value must be a whole number from 0 to 2, got 3/,
    ],
    [
      'a value that does not broadcast',
      () => new d.Normal(zeros([2]), 1).logProb(zeros([3])),
      /logProb: shapes \[3\] and \[2\] do not broadcast/,
    ],
    [
      'an event of another size',
      () => new d.Dirichlet(ones([3])).logProb(tensor([0.5, 0.5])),
      /values must end with the event shape \[3\], got \[2\]/,
    ],
    [
      'a vector whose sum is not 1',
      () => new d.Dirichlet(ones([2])).logProb(tensor([0.5, 0.6])),
      /from 0 up with sum 1, got sums from 1\.1/,
    ],
    ['counts of another sum', () => new d.Multinomial(3, { probs: ones([2]) }).logProb(tensor([1, 1])), /with sum 3/],
    [
      'a vector with two ones',
      () => new d.OneHotCategorical({ probs: ones([2]) }).logProb(ones([2])),
      /one element is 1/,
    ],
    ['rsample of whole numbers', () => new d.Poisson(1).rsample(), /^Poisson: samples are not differentiable/],
    [
      'a shape that is no array',
      () => new d.Normal(0, 1).sample(3 as never),
      /Normal\.sample: the shape must be an array/,
    ],
    [
      'a quantile that there is not',
      () => new d.Gamma(1, 1).icdf(0.5),
      /^Gamma: there is no icdf\(\) of this distribution$/,
    ],
    [
      'a divergence that there is not',
      () => d.klDivergence(new d.Normal(0, 1), new d.VonMises(1, 1)),
      /no rule for Normal and VonMises; add one with registerKl/,
    ],
    [
      'something else for a divergence',
      () => d.klDivergence(1 as never, new d.Normal(0, 1)),
      /takes distributions, got 1/,
    ],
  ])('%s', (_, call, message) => expect(call).toThrow(message));

  it('validateArgs: false checks nothing', () => {
    expect(new d.Normal(0, -1, { validateArgs: false }).mean.item()).toBe(0);
    expect(new d.Exponential(1, { validateArgs: false }).logProb(-1).item()).toBe(1);
  });
});

describe('what is made of other distributions', () => {
  it('Independent sums over its dimensions', () => {
    const base = new d.Normal(randn([4, 3]), 1);
    const one = new d.Independent(base, 1);
    expect([one.batchShape, one.eventShape]).toEqual([[4], [3]]);
    const x = randn([5, 4, 3]);
    expect(one.logProb(x).sub(base.logProb(x).sum(-1)).abs().amax().item()).toBeLessThan(1e-5);
    expect(one.entropy().shape).toEqual([4]);
    const other = new d.Independent(new d.Normal(zeros([4, 3]), 1), 1);
    expect(d.klDivergence(one, other).shape).toEqual([4]);
  });

  it('transforms go back and forth, and probabilities with them', () => {
    const base = new d.Normal(tensor([0, 0.5], { dtype: 'float64' }), 1);
    for (const t of [
      new d.ExpTransform(),
      new d.SigmoidTransform(),
      new d.TanhTransform(),
      new d.SoftplusTransform(),
      new d.AffineTransform(1, -2),
    ]) {
      const dist = new d.TransformedDistribution(base, t);
      const x = base.sample([3]);
      const y = t.forward(x);
      expect(t.inverse(y).sub(x).abs().amax().item()).toBeLessThan(1e-9);
      // The derivative of the distribution function is the density.
      const h = 1e-5;
      const slope = dist
        .cdf(y.add(h))
        .sub(dist.cdf(y.sub(h)))
        .div(2 * h);
      expect(slope.sub(dist.logProb(y).exp()).abs().amax().item()).toBeLessThan(1e-6);
      expect(dist.icdf(dist.cdf(y)).sub(y).abs().amax().item()).toBeLessThan(1e-6);
    }
  });

  it('a mixture is the weighted sum of its densities', () => {
    const weights = new d.Categorical({
      probs: tensor([
        [1, 3],
        [2, 2],
      ]),
    });
    const components = new d.Normal(
      tensor([
        [-1, 1],
        [0, 5],
      ]),
      tensor([
        [1, 2],
        [1, 1],
      ]),
    );
    const mixture = new d.MixtureSameFamily(weights, components);
    const x = randn([6, 2]);
    const sum = components.logProb(x.unsqueeze(-1)).exp().mul(weights.probs).sum(-1);
    expect(mixture.logProb(x).exp().sub(sum).abs().amax().item()).toBeLessThan(1e-6);
    expect(mixture.sample([3]).shape).toEqual([3, 2]);
    const vectors = new d.MixtureSameFamily(
      new d.Categorical({ probs: ones([3]) }),
      new d.Independent(new d.Normal(zeros([4, 3, 2]), 1), 1),
    );
    expect([vectors.batchShape, vectors.eventShape, vectors.sample([5]).shape]).toEqual([[4], [2], [5, 4, 2]]);
    expect([vectors.mean.shape, vectors.variance.shape]).toEqual([
      [4, 2],
      [4, 2],
    ]);
  });

  it('the nearest rule for a divergence counts', () => {
    class Mine extends d.Normal {}
    expect(d.klDivergence(new Mine(0, 1), new d.Normal(1, 1)).item()).toBeCloseTo(0.5);
    const register = d.registerKl as (...args: unknown[]) => void;
    expect(() => register(Mine, d.Normal, 3)).toThrow(/^registerKl: the rule must be a function, got 3/);
    expect(() => register(Mine, new d.Normal(0, 1), () => 1)).toThrow(
      /^registerKl: q must be a class of distributions, got/,
    );
    d.registerKl(Mine, d.Normal, (p) => p.loc.mul(0).add(7));
    expect(d.klDivergence(new Mine(0, 1), new d.Normal(1, 1)).item()).toBe(7);
    expect(d.klDivergence(new d.Normal(0, 1), new Mine(1, 1)).item()).toBeCloseTo(0.5);
  });

  it('all values of a finite distribution', () => {
    expect(new d.Bernoulli({ probs: tensor([0.1, 0.2]) }).enumerateSupport().toArray()).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(new d.Categorical({ probs: ones([3]) }).enumerateSupport().toArray()).toEqual([0, 1, 2]);
    expect(new d.Binomial(2, { probs: tensor([0.5]) }).enumerateSupport().toArray()).toEqual([[0], [1], [2]]);
  });
});

describe('where a probability is 0 or 1', () => {
  const gradient = (f: (probs: Tensor) => Tensor, ...probs: number[]) => {
    const p = tensor(probs, { dtype: 'float64', requiresGrad: true });
    const value = f(p);
    value.sum().backward();
    // -0 counts as 0.
    return { value: value.add(0).toArray(), gradient: p.grad!.add(0).toArray() as number[] };
  };
  const half = tensor(0.5, { dtype: 'float64' });

  it('divergences and their gradients are finite where nothing impossible happens', () => {
    const log2 = expect.closeTo(Math.log(2), 12);
    const coin = gradient(
      (probs) => d.klDivergence(new d.Bernoulli({ probs }), new d.Bernoulli({ probs: half })),
      0,
      0.5,
      1,
    );
    expect(coin.value).toEqual([log2, 0, log2]);
    expect(coin.gradient.every(Number.isFinite)).toBe(true);
    const coins = gradient(
      (probs) => d.klDivergence(new d.Binomial(3, { probs }), new d.Binomial(3, { probs: half })),
      0,
      1,
    );
    expect(coins.gradient.every(Number.isFinite)).toBe(true);
    const same = gradient(
      (probs) =>
        d.klDivergence(new d.Bernoulli({ probs }), new d.Bernoulli({ probs: tensor([0, 1], { dtype: 'float64' }) })),
      0,
      1,
    );
    expect(same).toEqual({ value: [0, 0], gradient: [0, 0] });
    const sure = new d.Geometric({ probs: 1 });
    expect(d.klDivergence(sure, sure).item()).toBeCloseTo(0, 6);
    expect(d.klDivergence(new d.Bernoulli({ probs: half }), new d.Bernoulli({ probs: 0 })).item()).toBe(Infinity);
  });

  it('a LogisticNormal has a density where a share is 0, as in PyTorch', () => {
    const density = (dtype: 'float32' | 'float64') =>
      new d.LogisticNormal(zeros([1], { dtype }), 1).logProb(tensor([1, 0], { dtype })).item();
    expect(density('float32')).toBeCloseTo(-3727.4185, 3);
    expect(density('float64')).toBeCloseTo(-250205.2654, 3);
  });

  it('the entropy of a geometric distribution still falls', () => {
    const { value, gradient: slope } = gradient((probs) => new d.Geometric({ probs }).entropy(), 0.5, 1);
    expect(value).toEqual([2 * Math.log(2), 0].map((v) => expect.closeTo(v, 12)));
    // PyTorch's, which takes 1 for the largest number below it.
    expect(slope).toEqual([-4 * Math.log(2), -36.04365338911715].map((v) => expect.closeTo(v, 9)));
  });
});

it.each(Object.entries(d.constraints).filter(([, c]) => typeof c !== 'function'))(
  'constraints.%s refuses by name what is no tensor',
  (_, constraint) => {
    for (const value of [undefined, null, 3, [1]])
      expect(() => (constraint as d.Constraint).check('mine', 'scale', value as never)).toThrow(
        /^mine: expected a Tensor/,
      );
  },
);

it.each([0, 1, 2, 4])(
  'the gradient of a Binomial at probability 1/2 and %i of 4 is its derivative, where logits are 0',
  (k) => {
    const probs = tensor([0.5], { dtype: 'float64', requiresGrad: true });
    new d.Binomial(4, { probs })
      .logProb(tensor([k], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(probs.grad!.item()).toBeCloseTo(k / 0.5 - (4 - k) / 0.5, 12);
  },
);

it('cdf of a gamma distribution is that of a wait for events, with the density as its slope', () => {
  const x = tensor([0, 0.3, 2], { dtype: 'float64', requiresGrad: true });
  const gamma = new d.Gamma(tensor(2, { dtype: 'float64' }), 3);
  const p = gamma.cdf(x);
  const expected = [0, 0.3, 2].map((v) => 1 - Math.exp(-3 * v) * (1 + 3 * v));
  expect(p.toArray()).toEqual(expected.map((v) => expect.closeTo(v, 12)));
  p.sum().backward();
  const density = gamma.logProb(x.detach()).exp();
  expect(
    x
      .grad!.narrow(0, 1, 2)
      .sub(density.narrow(0, 1, 2))
      .abs()
      .max()
      .item(),
  ).toBeLessThan(1e-12);
});
