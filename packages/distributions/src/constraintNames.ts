// The namespace `constraints`: conditions by PyTorch's names.

export {
  atLeast as greaterThanEq,
  between as interval,
  type Constraint,
  corrCholesky,
  count as nonnegativeInteger,
  greaterThan,
  lessThan,
  lowerCholesky,
  nonNegative as nonnegative,
  oneHot,
  positive,
  real,
  realVector,
  simplex,
  symmetric,
  unitInterval,
  wholeUpTo as integerUpTo,
  zeroOrOne as boolean,
} from './constraints.js';
