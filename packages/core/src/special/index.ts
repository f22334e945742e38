// The entry point `@gradgate/core/special`: PyTorch's `torch.special`, including the functions that core exports too.

export { sigmoid as expit } from '../ops/elementwise.js';
export { exp2, expm1, log1p, xlogy } from '../ops/exponential.js';
export { round } from '../ops/rounding.js';
export { logSoftmax, logsumexp, softmax } from '../ops/softmax.js';
export {
  digamma,
  digamma as psi,
  erf,
  erfc,
  erfinv,
  lgamma as gammaln,
  logit,
  polygamma,
  sinc,
} from '../ops/special.js';
export { airyAi } from './airy.js';
export { besselJ0, besselJ1, besselY0, besselY1, sphericalBesselJ0 } from './bessel.js';
export { gammainc, gammaincc, multigammaln, zeta } from './gamma.js';
export {
  i0,
  i0 as modifiedBesselI0,
  i0e,
  i1,
  i1 as modifiedBesselI1,
  i1e,
  modifiedBesselK0,
  modifiedBesselK1,
  scaledModifiedBesselK0,
  scaledModifiedBesselK1,
} from './modifiedBessel.js';
export { entr, erfcx, logNdtr, ndtr, ndtri, xlog1py } from './normal.js';
export {
  chebyshevPolynomialT,
  chebyshevPolynomialU,
  chebyshevPolynomialV,
  chebyshevPolynomialW,
  hermitePolynomialH,
  hermitePolynomialHe,
  laguerrePolynomialL,
  legendrePolynomialP,
  shiftedChebyshevPolynomialT,
  shiftedChebyshevPolynomialU,
  shiftedChebyshevPolynomialV,
  shiftedChebyshevPolynomialW,
} from './polynomials.js';
