import { cat, type Shape, ShapeError, stack, type Tensor } from '@gradgate/core';
import { check, checkTensors, is, show } from '@gradgate/core/internal';
import type { Constraint } from './constraints.js';
import { sumLast, type Transform, transform } from './transforms.js';

// Transforms made of other transforms.

/** `base` with `dims` more dimensions as one event: the logarithms of the derivatives are summed over them. */
export class IndependentTransform implements Transform {
  readonly domainDims: number;
  readonly codomainDims: number;
  constructor(
    /** The transform of one event. */
    readonly base: Transform,
    /** How many more dimensions are one event. */
    readonly dims: number,
  ) {
    check('IndependentTransform', 'base', base, transform);
    check('IndependentTransform', 'dims', dims, is.size);
    this.domainDims = (base.domainDims ?? 0) + dims;
    this.codomainDims = (base.codomainDims ?? 0) + dims;
  }
  get codomain(): Constraint {
    return this.base.codomain;
  }
  get isIncreasing(): boolean | Tensor {
    return this.base.isIncreasing;
  }
  forwardShape(shape: Shape): Shape {
    return this.base.forwardShape?.(shape) ?? shape;
  }
  forward(x: Tensor): Tensor {
    return this.base.forward(x);
  }
  inverse(y: Tensor): Tensor {
    return this.base.inverse(y);
  }
  logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    return sumLast(this.base.logAbsDetJacobian(x, y), this.dims);
  }
}

/** The base of transforms that take each its part of a dimension; the parts are of elements. */
abstract class PartsTransform implements Transform {
  /** The transforms, in order. */
  readonly transforms: readonly Transform[];
  readonly isIncreasing = true;
  readonly codomain: Constraint = {
    text: 'the results of several transforms',
    check: (op, name, value) => {
      for (const [i, part] of this.parts(value).entries()) this.transforms[i]!.codomain.check(op, name, part);
    },
  };
  constructor(
    transforms: readonly Transform[],
    /** The dimension that is divided. */
    readonly dim: number,
  ) {
    const { name } = new.target;
    check(name, 'transforms', transforms, is.arrayOf(transform));
    check(name, 'dim', dim, is.integer);
    if (transforms.length === 0) throw new TypeError(`${name}: takes one transform at least, got none`);
    if (transforms.some(({ domainDims = 0, codomainDims = 0 }) => domainDims + codomainDims > 0))
      throw new TypeError(`${name}: takes transforms of elements, got one of vectors or matrices`);
    this.transforms = [...transforms];
  }
  /** The part that each transform takes. */
  protected abstract parts(x: Tensor): Tensor[];
  /** The whole, of its parts. */
  protected abstract together(parts: Tensor[]): Tensor;

  forward(x: Tensor): Tensor {
    checkTensors(`${this.constructor.name}.forward`, x);
    return this.together(this.parts(x).map((part, i) => this.transforms[i]!.forward(part)));
  }
  inverse(y: Tensor): Tensor {
    checkTensors(`${this.constructor.name}.inverse`, y);
    return this.together(this.parts(y).map((part, i) => this.transforms[i]!.inverse(part)));
  }
  logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    checkTensors(`${this.constructor.name}.logAbsDetJacobian`, x, y);
    const after = this.parts(y);
    return this.together(this.parts(x).map((part, i) => this.transforms[i]!.logAbsDetJacobian(part, after[i]!)));
  }
}

/**
 * Transforms side by side: each takes the next so many elements of dimension `dim` as `lengths` says, 1 by default.
 *
 * ```ts
 * const mixed = new CatTransform([new ExpTransform(), new TanhTransform()], 0, [1, 2]);
 * mixed.forward(tensor([0, 0, 1])); // [1, 0, 0.7616]
 * ```
 */
export class CatTransform extends PartsTransform {
  /** How many elements each transform takes. */
  readonly lengths: readonly number[];
  constructor(transforms: readonly Transform[], dim = 0, lengths?: readonly number[]) {
    super(transforms, dim);
    check('CatTransform', 'lengths', lengths, is.optional(is.arrayOf(is.count)));
    this.lengths = lengths?.slice() ?? transforms.map(() => 1);
    if (this.lengths.length !== transforms.length)
      throw new TypeError(`CatTransform: ${transforms.length} transforms take as many lengths, got ${show(lengths)}`);
  }
  protected override parts(x: Tensor): Tensor[] {
    const whole = this.lengths.reduce((a, b) => a + b);
    if (x.shape.at(this.dim) !== whole)
      throw new ShapeError(
        'CatTransform',
        `takes ${whole} elements in dimension ${this.dim}, got [${x.shape.join(', ')}]`,
      );
    return x.split([...this.lengths], this.dim);
  }
  protected override together(parts: Tensor[]): Tensor {
    return cat(parts, this.dim);
  }
}

/** Transforms side by side: each takes one position of dimension `dim`, 0 by default. */
export class StackTransform extends PartsTransform {
  constructor(transforms: readonly Transform[], dim = 0) {
    super(transforms, dim);
  }
  protected override parts(x: Tensor): Tensor[] {
    if (x.shape.at(this.dim) !== this.transforms.length)
      throw new ShapeError(
        'StackTransform',
        `takes ${this.transforms.length} positions in dimension ${this.dim}, got [${x.shape.join(', ')}]`,
      );
    return x.unbind(this.dim);
  }
  protected override together(parts: Tensor[]): Tensor {
    return stack(parts, this.dim);
  }
}
