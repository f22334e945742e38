import * as constraints from './constraintNames.js';

export { Bernoulli } from './bernoulli.js';
export { Beta } from './beta.js';
export { Binomial } from './binomial.js';
export { Categorical, OneHotCategorical, OneHotCategoricalStraightThrough, type Weights } from './categorical.js';
export { Cauchy, HalfCauchy } from './cauchy.js';
export { CatTransform, IndependentTransform, StackTransform } from './composedTransforms.js';
export { bijectTo, type ConstraintRegistry, identityTransform, transformTo } from './constraintRegistry.js';
export type { ArgConstraints, Constraint } from './constraints.js';
export { ContinuousBernoulli } from './continuousBernoulli.js';
export { Dirichlet } from './dirichlet.js';
export { Distribution, type DistributionOptions, type SampleOptions, type TensorLike } from './distribution.js';
export { Exponential } from './exponential.js';
export { FisherSnedecor } from './fisherSnedecor.js';
export { Chi2, Gamma } from './gamma.js';
export { Geometric } from './geometric.js';
export { Gumbel } from './gumbel.js';
export { HalfNormal } from './halfNormal.js';
export { Independent } from './independent.js';
export { klDivergence, registerKl } from './kl.js';
export { Kumaraswamy } from './kumaraswamy.js';
export { Laplace } from './laplace.js';
export { LKJCholesky } from './lkjCholesky.js';
export { LogisticNormal } from './logisticNormal.js';
export { LowRankMultivariateNormal } from './lowRankMultivariateNormal.js';
export { MixtureSameFamily } from './mixture.js';
export { Multinomial } from './multinomial.js';
export { type Covariance, MultivariateNormal } from './multivariateNormal.js';
export { NegativeBinomial } from './negativeBinomial.js';
export { Normal } from './normal.js';
export { Pareto } from './pareto.js';
export { Poisson } from './poisson.js';
export type { Chance } from './probabilities.js';
export { RelaxedBernoulli, RelaxedOneHotCategorical } from './relaxed.js';
export { StudentT } from './studentT.js';
export { LogNormal, TransformedDistribution } from './transformed.js';
export {
  AffineTransform,
  ComposeTransform,
  ExpTransform,
  PowerTransform,
  SigmoidTransform,
  SoftplusTransform,
  TanhTransform,
  type Transform,
} from './transforms.js';
export { Uniform } from './uniform.js';
export {
  AbsTransform,
  CorrCholeskyTransform,
  CumulativeDistributionTransform,
  LowerCholeskyTransform,
  ReshapeTransform,
  SoftmaxTransform,
  StickBreakingTransform,
} from './vectorTransforms.js';
export { VonMises } from './vonMises.js';
export { Weibull } from './weibull.js';
export { Wishart } from './wishart.js';

// Written so because Babel takes `export * as` only with a plugin.
export {
  /** Conditions on values and parameters, by PyTorch's names. */
  constraints,
};
