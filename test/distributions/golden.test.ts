import { readFileSync } from 'node:fs';
import { Generator, type Tensor, tensor } from '@gradgate/core';
import { gradcheck, gradgradcheck } from '@gradgate/core/gradcheck';
import * as distributions from '@gradgate/distributions';
import { type Distribution, klDivergence } from '@gradgate/distributions';
import { describe, expect, it } from 'vitest';
import { goldenError } from '../golden/golden.js';

// PyTorch's numbers, in float64: see make_distributions.py.

interface Numbers {
  shape: number[];
  /** Those that JSON does not have are strings. */
  data: (number | string)[];
}
interface Case {
  name: string;
  args: unknown[];
  batch_shape: number[];
  event_shape: number[];
  values: { value: unknown; log_prob: Numbers; cdf: Numbers | null }[];
  icdf?: Numbers | null;
  mean: Numbers | null;
  variance: Numbers | null;
  stddev: Numbers | null;
  mode: Numbers | null;
  entropy: Numbers | null;
}
const golden = JSON.parse(readFileSync(new URL('../golden/distributions.json', import.meta.url), 'utf8')) as {
  cases: Case[];
  kl: { name: string; p: unknown[]; other?: string; q: unknown[]; kl: Numbers }[];
};

const double = { dtype: 'float64' } as const;

/** Arguments as ours: tensors and numbers in float64, options by name. */
function revive(value: unknown): unknown {
  if (typeof value === 'number') return tensor(value, double);
  if (typeof value !== 'object' || value === null) return value;
  if ('tensor' in value) return tensor(value.tensor as number[], double);
  return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, revive(v)]));
}

const make = (name: string, args: unknown[]): Distribution => {
  const given =
    name === 'Multinomial' || name === 'LKJCholesky' ? [args[0], ...args.slice(1).map(revive)] : args.map(revive);
  return new (distributions as unknown as Record<string, new (...args: unknown[]) => Distribution>)[name]!(...given);
};

function expectNumbers(actual: Tensor, expected: Numbers, tol = 1e-9): void {
  expect(actual.shape).toEqual(expected.shape);
  const data = expected.data.map(Number);
  expect(goldenError(actual.double(), data)).toBeLessThan(tol);
}

describe.each(golden.cases.map((c, i) => [`${c.name} (${i})`, c] as const))('%s has the numbers of PyTorch', (_, c) => {
  const d = make(c.name, c.args);
  it('shapes', () => {
    expect([d.batchShape, d.eventShape]).toEqual([c.batch_shape, c.event_shape]);
    expect(d.sample([2, 3]).shape).toEqual([2, 3, ...c.batch_shape, ...c.event_shape]);
    expect(d.sample([0]).shape).toEqual([0, ...c.batch_shape, ...c.event_shape]);
  });
  it('mean, variance, deviation and mode', () => {
    for (const name of ['mean', 'variance', 'stddev'] as const)
      if (c[name]) expectNumbers(d[name], c[name]);
      else expect(() => d[name]).toThrow(`${c.name}: there is no `);
    if (c.mode) expectNumbers(d.mode, c.mode);
  });
  it('logProb and cdf', () => {
    for (const { value, log_prob, cdf } of c.values) {
      const x = tensor(value as number[], { dtype: c.name === 'Categorical' ? 'int64' : 'float64' });
      expectNumbers(d.logProb(x), log_prob);
      if (cdf) expectNumbers(d.cdf(x), cdf, 1e-7);
    }
  });
  if (c.icdf) it('icdf', () => expectNumbers(d.icdf(tensor(0.3, double)), c.icdf!, 1e-7));
  if (c.entropy) it('entropy', () => expectNumbers(d.entropy(), c.entropy!, 1e-8));
});

describe('klDivergence has the numbers of PyTorch', () => {
  it.each(golden.kl.map((c, i) => [`${c.name} and ${c.other ?? c.name} (${i})`, c] as const))('%s', (_, c) => {
    const { name, p, other = name, q, kl } = c;
    const divergence = klDivergence(make(name, p), make(other, q));
    expect(divergence.numel).toBe(kl.data.length);
    expect(goldenError(divergence, kl.data.map(Number))).toBeLessThan(1e-8);
  });
});

describe('gradients of logProb and entropy in the parameters', () => {
  const vector = (...values: number[]) => tensor(values, { ...double, requiresGrad: true });
  const { Beta, Categorical, Dirichlet, Gamma, Laplace, MultivariateNormal, Normal, StudentT, TanhTransform } =
    distributions;
  const { Bernoulli, Binomial, Exponential, LogNormal, Poisson, TransformedDistribution } = distributions;
  const built: [string, (...parameters: Tensor[]) => Distribution, Tensor[], number | number[]][] = [
    ['Normal', (a, b) => new Normal(a!, b!), [vector(0.3, -1), vector(0.5, 2)], 0.7],
    ['LogNormal', (a, b) => new LogNormal(a!, b!), [vector(0.3, -1), vector(0.5, 2)], 0.7],
    ['Laplace', (a, b) => new Laplace(a!, b!), [vector(0.3, -1), vector(0.5, 2)], 0.7],
    ['Exponential', (a) => new Exponential(a!), [vector(0.3, 2)], 0.7],
    ['Gamma', (a, b) => new Gamma(a!, b!), [vector(0.3, 3), vector(0.5, 2)], 0.7],
    ['Beta', (a, b) => new Beta(a!, b!), [vector(0.3, 3), vector(0.5, 2)], 0.7],
    ['Dirichlet', (a) => new Dirichlet(a!), [vector(0.3, 3, 1)], [0.2, 0.3, 0.5]],
    ['StudentT', (a, b, c) => new StudentT(a!, b!, c!), [vector(3, 5), vector(0.5, 2), vector(1, 2)], 0.7],
    ['Bernoulli', (a) => new Bernoulli({ logits: a }), [vector(0.3, -2)], 1],
    ['Binomial', (a) => new Binomial(tensor(4, double), { logits: a }), [vector(0.3, -2)], 1],
    ['Poisson', (a) => new Poisson(a!), [vector(0.3, 5)], 2],
    ['Categorical', (a) => new Categorical({ logits: a }), [vector(0.3, -2, 1)], 2],
    [
      'MultivariateNormal',
      (a, b) => new MultivariateNormal(a!, { scaleTril: b!.reshape(2, 2).tril() }),
      [vector(0.3, -2), vector(1, 0, 0.5, 2)],
      [0.5, 0.5],
    ],
    ['Gumbel', (a, b) => new distributions.Gumbel(a!, b!), [vector(0.3, -1), vector(0.5, 2)], 0.7],
    ['HalfNormal', (a) => new distributions.HalfNormal(a!), [vector(0.5, 2)], 0.7],
    ['HalfCauchy', (a) => new distributions.HalfCauchy(a!), [vector(0.5, 2)], 0.7],
    ['Cauchy', (a, b) => new distributions.Cauchy(a!, b!), [vector(0.3, -1), vector(0.5, 2)], 0.7],
    ['Weibull', (a, b) => new distributions.Weibull(a!, b!), [vector(0.3, 3), vector(0.5, 2)], 0.7],
    ['Pareto', (a, b) => new distributions.Pareto(a!, b!), [vector(0.3, 0.6), vector(0.5, 2)], 0.7],
    ['Kumaraswamy', (a, b) => new distributions.Kumaraswamy(a!, b!), [vector(0.3, 3), vector(0.5, 2)], 0.7],
    ['VonMises, no entropy', (a, b) => new distributions.VonMises(a!, b!), [vector(0.3, 3), vector(0.5, 20)], 0.7],
    [
      'FisherSnedecor, no entropy',
      (a, b) => new distributions.FisherSnedecor(a!, b!),
      [vector(0.3, 3), vector(0.5, 2)],
      0.7,
    ],
    [
      'NegativeBinomial, no entropy',
      (a, b) => new distributions.NegativeBinomial(a!, { logits: b }),
      [vector(1.3, 3), vector(0.5, -2)],
      2,
    ],
    [
      'RelaxedBernoulli, no entropy',
      (a, b) => new distributions.RelaxedBernoulli(a!, { logits: b }),
      [vector(0.3, 3), vector(0.5, -2)],
      0.7,
    ],
    [
      'RelaxedOneHotCategorical, no entropy',
      (a, b) => new distributions.RelaxedOneHotCategorical(a!.mean(), { logits: b }),
      [vector(0.3, 3), vector(0.5, -2, 1)],
      [0.2, 0.3, 0.5],
    ],
    [
      'LogisticNormal, no entropy',
      (a, b) => new distributions.LogisticNormal(a!, b!),
      [vector(0.3, 3), vector(0.5, 2)],
      [0.2, 0.3, 0.5],
    ],
    [
      'LowRankMultivariateNormal',
      (a, b, c) => new distributions.LowRankMultivariateNormal(a!, b!.reshape(2, 2), c!),
      [vector(0.3, -2), vector(1, 0.2, 0.5, 2), vector(1, 0.5)],
      [0.5, 0.5],
    ],
    [
      'powers of LogNormal, no entropy',
      (a, b) =>
        new TransformedDistribution(
          new LogNormal(a!, 1),
          new distributions.ComposeTransform([
            new distributions.PowerTransform(b!),
            new distributions.AffineTransform(1, b!),
          ]),
        ),
      [vector(0.3, -1), vector(0.5, 2)],
      1.7,
    ],
    [
      'a tanh of Normal',
      (a, b) => new TransformedDistribution(new Normal(a!, b!), new TanhTransform()),
      [vector(0.3, -1), vector(0.5, 2)],
      0.7,
    ],
  ];
  it.each(built)('%s: first and second', (name, build, parameters, value) => {
    const x = name === 'Categorical' ? tensor(value, { dtype: 'int32' }) : tensor(value, double);
    const logProb = (...p: Tensor[]) => build(...p).logProb(x);
    expect(gradcheck(logProb, parameters)).toBe(true);
    expect(gradgradcheck(logProb, parameters)).toBe(true);
    if (name !== 'Poisson' && !name.startsWith('a tanh') && !name.endsWith('no entropy'))
      expect(gradcheck((...p: Tensor[]) => build(...p).entropy(), parameters)).toBe(true);
  });

  it.each(built)('%s: the same behind a proxy', (_, build, parameters, value) => {
    const d = build(...parameters.map((t) => t.detach()));
    const wrapped = new Proxy(d, {});
    const of = (x: Distribution) => {
      const parts = {
        sample: () => x.sample([2], { generator: new Generator(1) }),
        logProb: () => x.logProb(tensor(value, double)),
      };
      const rest = {
        mean: () => x.mean,
        variance: () => x.variance,
        entropy: () => x.entropy(),
        text: () => String(x),
      };
      // Some have none of these, and say so.
      return Object.entries({ ...parts, ...rest }).map(([name, get]) => [name, textOf(get)]);
    };
    expect(of(wrapped)).toEqual(of(d));
  });
});

function textOf(get: () => Tensor | string): string {
  try {
    return String(get());
  } catch (error) {
    return String(error);
  }
}
