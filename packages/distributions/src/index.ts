export { Bernoulli } from './bernoulli.js';
export { Beta } from './beta.js';
export { Binomial } from './binomial.js';
export { Categorical, OneHotCategorical, type Weights } from './categorical.js';
export type { Constraint } from './constraints.js';
export { Dirichlet } from './dirichlet.js';
export { Distribution, type DistributionOptions, type SampleOptions, type TensorLike } from './distribution.js';
export { Exponential } from './exponential.js';
export { Chi2, Gamma } from './gamma.js';
export { Geometric } from './geometric.js';
export { Independent } from './independent.js';
export { klDivergence, registerKl } from './kl.js';
export { Laplace } from './laplace.js';
export { MixtureSameFamily } from './mixture.js';
export { Multinomial } from './multinomial.js';
export { type Covariance, MultivariateNormal } from './multivariateNormal.js';
export { Normal } from './normal.js';
export { Poisson } from './poisson.js';
export type { Chance } from './probabilities.js';
export { StudentT } from './studentT.js';
export { LogNormal, TransformedDistribution } from './transformed.js';
export {
  AffineTransform,
  ExpTransform,
  SigmoidTransform,
  SoftplusTransform,
  TanhTransform,
  type Transform,
} from './transforms.js';
export { Uniform } from './uniform.js';
