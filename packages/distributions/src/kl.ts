import { digamma, lgamma, softplus, solve, Tensor, where, xlogy } from '@gradgate/core';
import { check, is, show } from '@gradgate/core/internal';
import { multigammaln } from '@gradgate/core/special';
import { Bernoulli } from './bernoulli.js';
import { Beta } from './beta.js';
import { Binomial } from './binomial.js';
import { Categorical, OneHotCategorical } from './categorical.js';
import { Cauchy } from './cauchy.js';
import { checkAll } from './constraints.js';
import { ContinuousBernoulli } from './continuousBernoulli.js';
import { Dirichlet } from './dirichlet.js';
import { Distribution } from './distribution.js';
import { Exponential } from './exponential.js';
import { Gamma } from './gamma.js';
import { Geometric } from './geometric.js';
import { euler, Gumbel } from './gumbel.js';
import { HalfNormal } from './halfNormal.js';
import { Independent } from './independent.js';
import { pairs } from './klPairs.js';
import { Laplace } from './laplace.js';
import { LowRankMultivariateNormal } from './lowRankMultivariateNormal.js';
import { MultivariateNormal } from './multivariateNormal.js';
import { Normal } from './normal.js';
import { Pareto } from './pareto.js';
import { Poisson } from './poisson.js';
import { TransformedDistribution } from './transformed.js';
import { sumLast, type Transform } from './transforms.js';
import { Uniform } from './uniform.js';
import { Wishart } from './wishart.js';

type Class<D> = abstract new (...args: any[]) => D;
type Rule = (p: any, q: any) => Tensor;

const rules = new Map<Class<Distribution>, Map<Class<Distribution>, Rule>>();

/**
 * Registers how the divergence of two classes of distributions is computed, also for subclasses; the closest rule is
 * used.
 *
 * ```ts
 * class Standard extends Normal {
 *   constructor() {
 *     super(0, 1);
 *   }
 * }
 * registerKl(Standard, Standard, (p) => p.loc.mul(0));
 * klDivergence(new Standard(), new Standard()); // 0
 * ```
 */
export function registerKl<P extends Distribution, Q extends Distribution>(
  p: Class<P>,
  q: Class<Q>,
  rule: (p: P, q: Q) => Tensor,
): void {
  for (const [name, type] of Object.entries({ p, q }))
    if (!(typeof type === 'function' && type.prototype instanceof Distribution))
      throw new TypeError(`registerKl: ${name} must be a class of distributions, got ${show(type)}`);
  check('registerKl', 'the rule', rule, is.callback);
  const ofP = rules.get(p) ?? new Map<Class<Distribution>, Rule>();
  rules.set(p, ofP.set(q, rule));
}

/**
 * The Kullback-Leibler divergence of `p` from `q` in nats, `[...batchShape]`: how much longer a code for `q` describes
 * events of `p`. Throws if no rule is registered for the two classes.
 *
 * ```ts
 * klDivergence(new Normal(0, 1), new Normal(1, 1)); // 0.5
 * ```
 */
export function klDivergence(p: Distribution, q: Distribution): Tensor {
  for (const d of [p, q])
    if (!(d instanceof Distribution)) throw new TypeError(`klDivergence: takes distributions, got ${show(d)}`);
  for (const a of classesOf(p))
    for (const b of classesOf(q)) {
      const rule = rules.get(a)?.get(b);
      if (rule !== undefined) return rule(p, q);
    }
  throw new TypeError(
    `klDivergence: no rule for ${p.constructor.name} and ${q.constructor.name}; add one with registerKl(), or average ` +
      'p.logProb(x) - q.logProb(x) over samples x of p',
  );
}

/** The class of a distribution and its bases, nearest first. */
function* classesOf(d: Distribution): Generator<Class<Distribution>> {
  for (let c = d.constructor; c !== Function.prototype && c !== null; c = Object.getPrototypeOf(c))
    yield c as unknown as Class<Distribution>;
}

for (const [p, q, rule] of pairs) registerKl(p, q, rule);

const oneMinus = (x: Tensor): Tensor => x.neg().add(1);

registerKl(Normal, Normal, (p, q) => {
  const ratio = p.scale.div(q.scale).square();
  const apart = p.loc.sub(q.loc).div(q.scale).square();
  return ratio.add(apart).sub(1).sub(ratio.log()).mul(0.5);
});

// The same change of both changes nothing.
registerKl(TransformedDistribution, TransformedDistribution, (p, q) => {
  const alike =
    p.transforms.length === q.transforms.length && p.transforms.every((t, i) => isSame(t, q.transforms[i]!));
  if (!alike) throw new TypeError('klDivergence: both TransformedDistribution must have the same transforms');
  const each = klDivergence(p.base, q.base);
  return sumLast(each, each.ndim - p.batchShape.length);
});
/** Of one class, with equal fields. */
function isSame(a: Transform, b: Transform): boolean {
  const same = (x: unknown, y: unknown) =>
    x === y || (Tensor.is(x) && Tensor.is(y) && x.shape.join() === y.shape.join() && x.equal(y));
  const fields = (t: Transform) => Object.entries(t);
  return a === b || (a.constructor === b.constructor && fields(a).every(([, v], i) => same(v, fields(b)[i]![1])));
}

registerKl(ContinuousBernoulli, ContinuousBernoulli, (p, q) =>
  p.mean.mul(p.logits.sub(q.logits)).add(p.logProb(0)).sub(q.logProb(0)),
);

registerKl(Wishart, Wishart, (p, q) => {
  const [nuP, nuQ, n] = [p.df, q.df, p.eventShape[0]!];
  const spread = solve(q.scaleTril, p.scaleTril).square().sum([-1, -2]);
  return nuQ
    .mul(q.halfLogDet().sub(p.halfLogDet()))
    .add(nuP.div(2).mul(spread.sub(n)))
    .add(multigammaln(nuQ.div(2), n))
    .sub(multigammaln(nuP.div(2), n))
    .add(nuP.sub(nuQ).div(2).mul(p.multidigamma()));
});

registerKl(Laplace, Laplace, (p, q) => {
  const ratio = p.scale.div(q.scale);
  const apart = p.loc.sub(q.loc).abs();
  const near = apart.div(p.scale).neg().exp().mul(ratio);
  return apart.div(q.scale).add(near).sub(ratio.log()).sub(1);
});

registerKl(Cauchy, Cauchy, (p, q) => {
  const sides = p.scale.add(q.scale).square().add(p.loc.sub(q.loc).square());
  return sides.log().sub(p.scale.mul(q.scale).mul(4).log());
});

registerKl(HalfNormal, HalfNormal, (p, q) => {
  const ratio = p.scale.div(q.scale).square();
  return ratio.sub(1).sub(ratio.log()).mul(0.5);
});

registerKl(Gumbel, Gumbel, (p, q) => {
  const ratio = p.scale.div(q.scale);
  const apart = p.loc.sub(q.loc).div(q.scale);
  const growth = lgamma(ratio.add(1)).sub(apart).exp();
  return ratio
    .log()
    .neg()
    .add(ratio.mul(euler))
    .add(apart)
    .add(growth)
    .sub(1 + euler);
});

registerKl(Pareto, Pareto, (p, q) => {
  const ratio = q.alpha.div(p.alpha);
  const within = p.scale.ge(q.scale);
  const divergence = q.alpha.mul(p.scale.div(q.scale).log()).sub(ratio.log()).add(ratio).sub(1);
  return where(within, divergence, Number.POSITIVE_INFINITY);
});

registerKl(Exponential, Exponential, (p, q) => {
  const ratio = q.rate.div(p.rate);
  return ratio.sub(ratio.log()).sub(1);
});

registerKl(Gamma, Gamma, (p, q) => {
  const [a, b] = [p.concentration, q.concentration];
  return b
    .mul(p.rate.div(q.rate).log())
    .add(lgamma(b))
    .sub(lgamma(a))
    .add(a.sub(b).mul(digamma(a)))
    .add(q.rate.sub(p.rate).mul(a.div(p.rate)));
});

registerKl(Beta, Beta, (p, q) => {
  const [a, b, c, d] = [p.concentration1, p.concentration0, q.concentration1, q.concentration0];
  const [sumP, sumQ] = [a.add(b), c.add(d)];
  return lgamma(c)
    .add(lgamma(d))
    .add(lgamma(sumP))
    .sub(lgamma(a))
    .sub(lgamma(b))
    .sub(lgamma(sumQ))
    .add(a.sub(c).mul(digamma(a)))
    .add(b.sub(d).mul(digamma(b)))
    .add(sumQ.sub(sumP).mul(digamma(sumP)));
});

registerKl(Dirichlet, Dirichlet, (p, q) => {
  const [a, b] = [p.concentration, q.concentration];
  const total = a.sum(-1);
  const slopes = digamma(a).sub(digamma(total).unsqueeze(-1));
  return lgamma(total)
    .sub(lgamma(b.sum(-1)))
    .sub(lgamma(a).sub(lgamma(b)).sum(-1))
    .add(a.sub(b).mul(slopes).sum(-1));
});

registerKl(Uniform, Uniform, (p, q) => {
  const inside = q.low.le(p.low).logicalAnd(q.high.ge(p.high));
  return where(inside, q.high.sub(q.low).div(p.high.sub(p.low)).log(), Number.POSITIVE_INFINITY);
});

// By log odds, which are finite even for probabilities of 0, so that gradients are too. Impossible events do not count.
const eventTerm = (p: Tensor, q: Tensor, oddsOfP: Tensor, oddsOfQ: Tensor): Tensor => {
  const each = p.mul(softplus(oddsOfQ.neg()).sub(softplus(oddsOfP.neg())));
  return where(p.eq(0), 0, where(q.eq(0), Number.POSITIVE_INFINITY, each));
};
registerKl(Bernoulli, Bernoulli, (p, q) => {
  const one = eventTerm(p.probs, q.probs, p.logits, q.logits);
  return one.add(eventTerm(oneMinus(p.probs), oneMinus(q.probs), p.logits.neg(), q.logits.neg()));
});

registerKl(Binomial, Binomial, (p, q) => {
  const each = klDivergence(
    new Bernoulli({ probs: p.probs, validateArgs: false }),
    new Bernoulli({ probs: q.probs, validateArgs: false }),
  );
  const same = p.totalCount.mul(each);
  const text = 'klDivergence: for binomials the totalCount of p must not be below that of q';
  checkAll('klDivergence', p.totalCount.ge(q.totalCount), () => new RangeError(text));
  return where(p.totalCount.gt(q.totalCount), Number.POSITIVE_INFINITY, same);
});

registerKl(Geometric, Geometric, (p, q) =>
  p
    .entropy()
    .neg()
    .sub(xlogy(p.mean, oneMinus(q.probs)))
    .sub(q.probs.log()),
);

registerKl(Poisson, Poisson, (p, q) => xlogy(p.rate, p.rate).sub(xlogy(p.rate, q.rate)).sub(p.rate).add(q.rate));

/** The divergence of two distributions over classes. */
const categoricalKl = (p: Categorical | OneHotCategorical, q: Categorical | OneHotCategorical): Tensor => {
  const each = p.probs.mul(p.logits.sub(q.logits));
  // Classes impossible under p do not count; those impossible only under q make the divergence infinite.
  const bounded = where(p.probs.eq(0), 0, each);
  return where(q.probs.eq(0).logicalAnd(p.probs.gt(0)), Number.POSITIVE_INFINITY, bounded).sum(-1);
};
registerKl(Categorical, Categorical, categoricalKl);
registerKl(OneHotCategorical, OneHotCategorical, categoricalKl);

registerKl(MultivariateNormal, MultivariateNormal, (p, q) => {
  const spread = solve(q.scaleTril, p.scaleTril);
  const apart = solve(q.scaleTril, p.loc.sub(q.loc).unsqueeze(-1)).squeeze(-1);
  const squares = spread.square().sum([-1, -2]).add(apart.square().sum(-1));
  return squares.sub(p.eventShape[0]!).mul(0.5).add(q.halfLogDet()).sub(p.halfLogDet());
});

/** With the whole covariance. */
const whole = ({ loc, covarianceMatrix }: LowRankMultivariateNormal): MultivariateNormal =>
  new MultivariateNormal(loc, { covarianceMatrix, validateArgs: false });
registerKl(LowRankMultivariateNormal, LowRankMultivariateNormal, (p, q) => klDivergence(whole(p), whole(q)));
registerKl(LowRankMultivariateNormal, MultivariateNormal, (p, q) => klDivergence(whole(p), q));
registerKl(MultivariateNormal, LowRankMultivariateNormal, (p, q) => klDivergence(p, whole(q)));

registerKl(Independent, Independent, (p, q) => {
  if (p.dims !== q.dims)
    throw new TypeError(`klDivergence: both Independent must have the same dims, got ${p.dims} and ${q.dims}`);
  const each = klDivergence(p.base, q.base);
  return p.dims === 0 ? each : each.sum(Array.from({ length: p.dims }, (_, i) => -1 - i));
});
