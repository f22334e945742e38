import { digamma, erf, full, lgamma, type Tensor, where, xlogy } from '@gradgate/core';
import { broadcastShapes } from '@gradgate/core/internal';
import { Bernoulli } from './bernoulli.js';
import { Beta } from './beta.js';
import { Binomial } from './binomial.js';
import { ContinuousBernoulli } from './continuousBernoulli.js';
import type { Distribution } from './distribution.js';
import { Exponential } from './exponential.js';
import { Gamma } from './gamma.js';
import { euler, Gumbel } from './gumbel.js';
import { Laplace } from './laplace.js';
import { Normal } from './normal.js';
import { Pareto } from './pareto.js';
import { Poisson } from './poisson.js';
import { Uniform } from './uniform.js';

// Divergences of two classes: less the entropy of p, less the mean of the logarithm of q's density over p.

type Class<D> = new (...args: any[]) => D;
type Of<P, Q> = (p: P, q: Q) => Tensor;

/** Classes of p and of q, and the divergence of the two. */
export const pairs: [p: Class<Distribution>, q: Class<Distribution>, rule: Of<any, any>][] = [];

/** Adds the pair by that mean; where `isWithin` is false q cannot give what p gives, and the divergence is infinite. */
function pair<P extends Distribution, Q extends Distribution>(
  p: Class<P>,
  q: Class<Q>,
  meanLog: Of<P, Q>,
  isWithin?: Of<P, Q>,
): void {
  const rule = (p: P, q: Q) => {
    const divergence = p.entropy().neg().sub(meanLog(p, q));
    return isWithin === undefined ? divergence : where(isWithin(p, q), divergence, Number.POSITIVE_INFINITY);
  };
  pairs.push([p, q, rule]);
}

// Of these q has no density for some of what p gives.
const outside: [Class<Distribution>, Class<Distribution>[]][] = [
  [Beta, [Pareto]],
  [ContinuousBernoulli, [Pareto]],
  [Exponential, [Beta, ContinuousBernoulli, Pareto, Uniform]],
  [Gamma, [Beta, ContinuousBernoulli, Pareto, Uniform]],
  [Pareto, [Beta, ContinuousBernoulli, Uniform]],
  [Poisson, [Bernoulli, Binomial]],
  ...[Gumbel, Laplace, Normal].map((p): [Class<Distribution>, Class<Distribution>[]] => [
    p,
    [Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform],
  ]),
];
const infinite = (p: Distribution, q: Distribution): Tensor => {
  const { dtype, device } = p.mean;
  const shape = broadcastShapes('klDivergence', p.batchShape, q.batchShape);
  return full(shape, Number.POSITIVE_INFINITY, { dtype, device });
};
for (const [p, all] of outside) for (const q of all) pairs.push([p, q, infinite]);

const ofNormal = (p: Distribution, q: Normal): Tensor => {
  const spread = p.variance.add(p.mean.sub(q.loc).square());
  return spread
    .div(q.scale.square().mul(-2))
    .sub(q.scale.log())
    .sub(0.5 * Math.log(2 * Math.PI));
};
for (const p of [Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Uniform] as Class<Distribution>[])
  pair(p, Normal, ofNormal);
pair(Pareto, Normal, ofNormal, (p) => p.alpha.gt(2));

const ofExponential = (p: Distribution, q: Exponential): Tensor => q.rate.log().sub(q.rate.mul(p.mean));
for (const p of [Beta, ContinuousBernoulli, Gamma] as Class<Distribution>[]) pair(p, Exponential, ofExponential);
pair(Uniform, Exponential, ofExponential, (p) => p.low.ge(0));
pair(Pareto, Exponential, ofExponential, (p) => p.alpha.gt(1));

/** By the mean of the logarithm over p. */
const ofGamma =
  <P extends Distribution>(meanLog: (p: P) => Tensor) =>
  (p: P, q: Gamma): Tensor =>
    q.concentration
      .mul(q.rate.log())
      .sub(lgamma(q.concentration))
      .add(q.concentration.sub(1).mul(meanLog(p)))
      .sub(q.rate.mul(p.mean));
const logOfBeta = (p: Beta): Tensor => digamma(p.concentration1).sub(digamma(p.concentration1.add(p.concentration0)));
/** Of uniform numbers from `low` to `high`. */
const logOfUniform = (low: Tensor, high: Tensor): Tensor =>
  xlogy(high, high).sub(xlogy(low, low)).div(high.sub(low)).sub(1);
const logOfPareto = (p: Pareto): Tensor => p.scale.log().add(p.alpha.reciprocal());
pair(Beta, Gamma, ofGamma(logOfBeta));
pair(
  Exponential,
  Gamma,
  ofGamma((p: Exponential) => p.rate.log().add(euler).neg()),
);
pair(
  Uniform,
  Gamma,
  ofGamma((p: Uniform) => logOfUniform(p.low, p.high)),
  (p) => p.low.ge(0),
);
pair(Pareto, Gamma, ofGamma(logOfPareto), (p) => p.alpha.gt(1));

/** By the mean of `exp(-x / scale)` over p. */
const ofGumbel =
  <P extends Distribution>(meanExp: (p: P, scale: Tensor) => Tensor) =>
  (p: P, q: Gumbel): Tensor =>
    q.loc
      .sub(p.mean)
      .div(q.scale)
      .sub(q.scale.log())
      .sub(q.loc.div(q.scale).exp().mul(meanExp(p, q.scale)));
pair(
  Exponential,
  Gumbel,
  ofGumbel((p: Exponential, scale) => p.rate.div(p.rate.add(scale.reciprocal()))),
);
pair(
  Gamma,
  Gumbel,
  ofGumbel((p: Gamma, scale) => scale.mul(p.rate).reciprocal().log1p().mul(p.concentration.neg()).exp()),
);
pair(
  Normal,
  Gumbel,
  ofGumbel((p: Normal, scale) => p.scale.div(scale).square().mul(0.5).sub(p.loc.div(scale)).exp()),
);
pair(
  Uniform,
  Gumbel,
  ofGumbel((p: Uniform, scale) => {
    const [low, high] = [p.low, p.high].map((x) => x.div(scale).neg().exp()) as [Tensor, Tensor];
    return low.sub(high).mul(scale).div(p.high.sub(p.low));
  }),
);

pair(Normal, Laplace, (p, q) => {
  const apart = p.loc.sub(q.loc);
  const z = apart.div(p.scale);
  const near = p.scale.mul(Math.sqrt(2 / Math.PI)).mul(z.square().mul(-0.5).exp());
  const distance = near.add(apart.mul(erf(z.mul(Math.SQRT1_2))));
  return distance.div(q.scale).neg().sub(q.scale.mul(2).log());
});

const ofUniform = (_p: Distribution, q: Uniform): Tensor => q.high.sub(q.low).log().neg();
const holdsUnit = (_p: Distribution, q: Uniform): Tensor => q.low.le(0).logicalAnd(q.high.ge(1));
pair(Beta, Uniform, ofUniform, holdsUnit);
pair(ContinuousBernoulli, Uniform, ofUniform, holdsUnit);

const isInUnit = (p: Uniform): Tensor => p.low.ge(0).logicalAnd(p.high.le(1));
pair(
  Uniform,
  Beta,
  (p, q) => {
    const [a, b] = [q.concentration1, q.concentration0];
    const rest = logOfUniform(p.high.neg().add(1), p.low.neg().add(1));
    return a
      .sub(1)
      .mul(logOfUniform(p.low, p.high))
      .add(b.sub(1).mul(rest))
      .add(lgamma(a.add(b)))
      .sub(lgamma(a))
      .sub(lgamma(b));
  },
  isInUnit,
);
const ofContinuous = (p: Distribution, q: ContinuousBernoulli): Tensor => q.logProb(0).add(p.mean.mul(q.logits));
pair(Beta, ContinuousBernoulli, ofContinuous);
pair(Uniform, ContinuousBernoulli, ofContinuous, isInUnit);
pair(
  Uniform,
  Pareto,
  (p, q) =>
    q.alpha
      .log()
      .add(q.alpha.mul(q.scale.log()))
      .sub(q.alpha.add(1).mul(logOfUniform(p.low, p.high))),
  (p, q) => p.low.ge(q.scale),
);

// The factorials of 0 and 1 are 1.
pair(Bernoulli, Poisson, (p, q) => p.probs.mul(q.rate.log()).sub(q.rate));
