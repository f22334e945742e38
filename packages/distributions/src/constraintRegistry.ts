import { type Tensor, zeros } from '@gradgate/core';
import { checkTensors, show } from '@gradgate/core/internal';
import {
  type Constraint,
  corrCholesky,
  lowerCholesky,
  nonNegative,
  positive,
  real,
  realVector,
  simplex,
  unitInterval,
} from './constraints.js';
import { AffineTransform, ComposeTransform, ExpTransform, SigmoidTransform, type Transform } from './transforms.js';
import {
  CorrCholeskyTransform,
  LowerCholeskyTransform,
  SoftmaxTransform,
  StickBreakingTransform,
} from './vectorTransforms.js';

/** The transform that changes nothing. */
export const identityTransform: Transform = {
  codomain: real,
  isIncreasing: true,
  forward(x) {
    checkTensors('identityTransform.forward', x);
    return x;
  },
  inverse(y) {
    checkTensors('identityTransform.inverse', y);
    return y;
  },
  logAbsDetJacobian(x: Tensor) {
    checkTensors('identityTransform.logAbsDetJacobian', x);
    return zeros(x.shape, { dtype: x.dtype, device: x.device });
  },
};

/** Makes the transform for a constraint. */
type Make = (constraint: Constraint) => Transform;

/** Finds transforms from unconstrained numbers to those that fulfil a constraint. */
export interface ConstraintRegistry {
  /** The transform for a constraint; throws for one that is not known. */
  (constraint: Constraint): Transform;
  /** Adds a constraint of your own, or replaces the transform of one. */
  register(constraint: Constraint, make: Make): void;
}

const isConstraint = (value: unknown): boolean => typeof (value as Constraint | null)?.check === 'function';

function registry(name: string, known: readonly (readonly [Constraint, Make])[]): ConstraintRegistry {
  const makers = new Map(known);
  const find = (constraint: Constraint): Transform => {
    if (!isConstraint(constraint)) throw new TypeError(`${name}: takes a constraint, got ${show(constraint)}`);
    const make = makers.get(constraint) ?? (constraint.bounds && withinBounds);
    if (make === undefined)
      throw new TypeError(`${name}: there is no transform to "${constraint.text}"; add one by ${name}.register`);
    return make(constraint);
  };
  return Object.assign(find, {
    register(constraint: Constraint, make: Make) {
      if (!isConstraint(constraint) || typeof make !== 'function')
        throw new TypeError(
          `${name}.register: takes a constraint and a function, got ${show(constraint)} and ${show(make)}`,
        );
      makers.set(constraint, make);
    },
  });
}

/** Numbers between bounds by a sigmoid, those beyond one bound by an exponential. */
function withinBounds({ bounds }: Constraint): Transform {
  const { low, high } = bounds!;
  if (low === undefined) return new ComposeTransform([new ExpTransform(), new AffineTransform(high!, -1)]);
  if (high === undefined) return new ComposeTransform([new ExpTransform(), new AffineTransform(low, 1)]);
  const width = typeof low === 'number' ? (typeof high === 'number' ? high - low : high.sub(low)) : low.neg().add(high);
  return new ComposeTransform([new SigmoidTransform(), new AffineTransform(low, width)]);
}

const both: readonly (readonly [Constraint, Make])[] = [
  [real, () => identityTransform],
  [realVector, () => identityTransform],
  [positive, () => new ExpTransform()],
  [nonNegative, () => new ExpTransform()],
  [unitInterval, () => new SigmoidTransform()],
  [lowerCholesky, () => new LowerCholeskyTransform()],
  [corrCholesky, () => new CorrCholeskyTransform()],
];

/**
 * An invertible transform from unconstrained numbers to those that fulfil a constraint, for densities:
 * `bijectTo(x.support)`. To vectors of sum 1 it takes one number less. Throws for conditions on whole numbers.
 *
 * ```ts
 * const transform = bijectTo(new Uniform(2, 6).support);
 * transform.forward(zeros([3])); // [4, 4, 4]
 * ```
 */
export const bijectTo = /* @__PURE__ */ registry('bijectTo', [...both, [simplex, () => new StickBreakingTransform()]]);

/**
 * A transform from unconstrained numbers to those that fulfil a constraint, for parameters that an optimizer changes.
 * It may have no unique inverse: to vectors of sum 1 it is a softmax.
 *
 * ```ts
 * transformTo(Normal.argConstraints.scale).forward(zeros([2])); // [1, 1]
 * ```
 */
export const transformTo = /* @__PURE__ */ registry('transformTo', [...both, [simplex, () => new SoftmaxTransform()]]);
