import { eye, logSigmoid, type Shape, ShapeError, softmax, softplus, type Tensor, tensor, zeros } from '@gradgate/core';
import { check, checkTensors, is, show, sizeOf } from '@gradgate/core/internal';
import { corrCholesky, lowerCholesky, nonNegative, real, simplex, unitInterval } from './constraints.js';
import { Distribution } from './distribution.js';
import { smallestNormal } from './draws.js';
import type { Transform } from './transforms.js';

// Transforms of vectors and matrices.

/** Refuses a density: values do not say what they were made of. */
function noDerivative(name: string): never {
  throw new TypeError(
    `${name}: has no inverse that is unique, and so no logAbsDetJacobian; a density needs a transform that has`,
  );
}

/** `|x|`. Its inverse gives the number itself, of the two that there are; so it has no density. */
export class AbsTransform implements Transform {
  readonly codomain = nonNegative;
  readonly isIncreasing = true;
  forward(x: Tensor): Tensor {
    checkTensors('AbsTransform.forward', x);
    return x.abs();
  }
  inverse(y: Tensor): Tensor {
    checkTensors('AbsTransform.inverse', y);
    return y;
  }
  logAbsDetJacobian(_x: Tensor): Tensor {
    return noDerivative('AbsTransform');
  }
}

/**
 * `softmax(x, -1)`, from vectors to vectors with sum 1 of the same size. Many vectors have the same one, so it has no
 * density; `StickBreakingTransform` has.
 */
export class SoftmaxTransform implements Transform {
  readonly codomain = simplex;
  readonly isIncreasing = true;
  readonly domainDims = 1;
  readonly codomainDims = 1;
  forward(x: Tensor): Tensor {
    checkTensors('SoftmaxTransform.forward', x);
    return softmax(x, -1);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('SoftmaxTransform.inverse', y);
    return y.log();
  }
  logAbsDetJacobian(_x: Tensor): Tensor {
    return noDerivative('SoftmaxTransform');
  }
}

/** From n down to 1, as a tensor like `x`. */
const countdown = (n: number, { dtype, device }: Tensor): Tensor =>
  tensor(
    Float64Array.from({ length: n }, (_, i) => n - i),
    { dtype, device },
  );

/**
 * From vectors of n numbers to vectors of n + 1 with sum 1: each number says which share of the rest its element takes.
 * 0 gives equal shares.
 *
 * ```ts
 * new StickBreakingTransform().forward(zeros([2])); // [0.3333, 0.3333, 0.3333]
 * ```
 */
export class StickBreakingTransform implements Transform {
  readonly codomain = simplex;
  readonly isIncreasing = true;
  readonly domainDims = 1;
  readonly codomainDims = 1;
  forwardShape(shape: Shape): Shape {
    check('StickBreakingTransform.forwardShape', 'shape', shape, is.arrayOf(is.size));
    if (shape.length < 1) throw new ShapeError('StickBreakingTransform', 'takes vectors, got the shape []');
    return [...shape.slice(0, -1), shape.at(-1)! + 1];
  }
  forward(x: Tensor): Tensor {
    checkTensors('StickBreakingTransform.forward', x);
    this.forwardShape(x.shape);
    const share = this.centered(x).sigmoid();
    const rest = share.neg().add(1).cumprod(-1);
    return share.pad([0, 1], { value: 1 }).mul(rest.pad([1, 0], { value: 1 }));
  }
  inverse(y: Tensor): Tensor {
    checkTensors('StickBreakingTransform.inverse', y);
    const n = (y.shape.at(-1) ?? 0) - 1;
    if (n < 0) throw new ShapeError('StickBreakingTransform', `takes vectors, got the shape [${y.shape.join(', ')}]`);
    const head = y.narrow(-1, 0, n);
    const rest = head.cumsum(-1).neg().add(1).clamp(smallestNormal(y.dtype));
    return head.log().sub(rest.log()).add(countdown(n, y).log());
  }
  logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    checkTensors('StickBreakingTransform.logAbsDetJacobian', x, y);
    const at = this.centered(x);
    const heads = y.narrow(-1, 0, x.shape.at(-1)!);
    return logSigmoid(at).sub(at).add(heads.log()).sum(-1);
  }
  private centered(x: Tensor): Tensor {
    return x.sub(countdown(x.shape.at(-1)!, x).log());
  }
}

/**
 * From square matrices to lower triangular ones with a positive diagonal: what is above the diagonal is left out, and
 * the diagonal exponentiated.
 */
export class LowerCholeskyTransform implements Transform {
  readonly codomain = lowerCholesky;
  readonly isIncreasing = true;
  readonly domainDims = 2;
  readonly codomainDims = 2;
  forward(x: Tensor): Tensor {
    checkTensors('LowerCholeskyTransform.forward', x);
    return x.tril(-1).add(x.diagonal(0, -2, -1).exp().diagEmbed());
  }
  inverse(y: Tensor): Tensor {
    checkTensors('LowerCholeskyTransform.inverse', y);
    return y.tril(-1).add(y.diagonal(0, -2, -1).log().diagEmbed());
  }
  logAbsDetJacobian(_x: Tensor): Tensor {
    return noDerivative('LowerCholeskyTransform');
  }
}

/** Where the elements at and below diagonal `offset` of `[n, n]` are, row by row. */
const lowerPlaces = (n: number, offset: number): number[] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: Math.max(0, i + offset + 1) }, (_, j) => i * n + j)).flat();

const positions = (places: readonly number[], { device }: Tensor): Tensor =>
  tensor(Int32Array.from(places), { device });

/** The elements at and below a diagonal, row by row: `[..., n, n]` to vectors. */
function lowerOf(x: Tensor, offset: number): Tensor {
  const n = x.shape.at(-1)!;
  return x.flatten(-2).indexSelect(-1, positions(lowerPlaces(n, offset), x));
}

/** The matrices with these elements below the diagonal, row by row, and 0 elsewhere. */
function fromLower(x: Tensor, n: number): Tensor {
  const lead = x.shape.slice(0, -1);
  const flat = zeros([...lead, n * n], { dtype: x.dtype, device: x.device });
  return flat.indexAdd(-1, positions(lowerPlaces(n, -1), x), x).reshape([...lead, n, n]);
}

/**
 * From vectors of `n (n - 1) / 2` numbers to the lower Cholesky factors of correlation matrices `[n, n]`: lower
 * triangular, with a positive diagonal and rows of norm 1.
 *
 * ```ts
 * new CorrCholeskyTransform().forward(zeros([3])); // eye(3)
 * ```
 */
export class CorrCholeskyTransform implements Transform {
  readonly codomain = corrCholesky;
  readonly isIncreasing = true;
  readonly domainDims = 1;
  readonly codomainDims = 2;
  forwardShape(shape: Shape): Shape {
    check('CorrCholeskyTransform.forwardShape', 'shape', shape, is.arrayOf(is.size));
    const count = shape.at(-1) ?? -1;
    const n = Math.round(Math.sqrt(0.25 + 2 * count) + 0.5);
    if (count < 0 || (n * (n - 1)) / 2 !== count)
      throw new ShapeError(
        'CorrCholeskyTransform',
        `takes vectors of n (n - 1) / 2 numbers, such as 1, 3, 6 or 10, got the shape [${shape.join(', ')}]`,
      );
    return [...shape.slice(0, -1), n, n];
  }
  forward(x: Tensor): Tensor {
    checkTensors('CorrCholeskyTransform.forward', x);
    const n = this.forwardShape(x.shape).at(-1)!;
    const step = x.dtype === 'float64' ? 2 ** -52 : 2 ** -23;
    const shares = fromLower(x.tanh().clamp(step - 1, 1 - step), n);
    const rest = shares.square().neg().add(1).sqrt().cumprod(-1);
    const before = rest.narrow(-1, 0, n - 1).pad([1, 0], { value: 1 });
    return shares.add(eye(n, { dtype: x.dtype, device: x.device })).mul(before);
  }
  inverse(y: Tensor): Tensor {
    checkTensors('CorrCholeskyTransform.inverse', y);
    const n = y.shape.at(-1)!;
    const rest = y
      .square()
      .cumsum(-1)
      .neg()
      .add(1)
      .narrow(-1, 0, n - 1)
      .pad([1, 0], { value: 1 });
    return lowerOf(y, -1).div(lowerOf(rest, -1).sqrt()).atanh();
  }
  logAbsDetJacobian(x: Tensor, y: Tensor): Tensor {
    checkTensors('CorrCholeskyTransform.logAbsDetJacobian', x, y);
    const rest = lowerOf(y.square().cumsum(-1).neg().add(1), -2);
    const ofTanh = x
      .add(softplus(x.mul(-2)))
      .sub(Math.LN2)
      .mul(-2)
      .sum(-1);
    return rest.log().mul(0.5).sum(-1).add(ofTanh);
  }
}

/** Events of shape `inShape` as events of shape `outShape`, with the same elements in the same order. */
export class ReshapeTransform implements Transform {
  readonly codomain = real;
  readonly isIncreasing = true;
  readonly domainDims: number;
  readonly codomainDims: number;
  constructor(
    /** The last sizes before. */
    readonly inShape: Shape,
    /** The last sizes after. */
    readonly outShape: Shape,
  ) {
    check('ReshapeTransform', 'inShape', inShape, is.arrayOf(is.size));
    check('ReshapeTransform', 'outShape', outShape, is.arrayOf(is.size));
    if (sizeOf(inShape) !== sizeOf(outShape))
      throw new ShapeError(
        'ReshapeTransform',
        `[${inShape.join(', ')}] and [${outShape.join(', ')}] have different numbers of elements`,
      );
    this.domainDims = inShape.length;
    this.codomainDims = outShape.length;
  }
  forwardShape(shape: Shape): Shape {
    check('ReshapeTransform.forwardShape', 'shape', shape, is.arrayOf(is.size));
    return this.changed(shape, this.inShape, this.outShape);
  }
  forward(x: Tensor): Tensor {
    checkTensors('ReshapeTransform.forward', x);
    return x.reshape(this.forwardShape(x.shape));
  }
  inverse(y: Tensor): Tensor {
    checkTensors('ReshapeTransform.inverse', y);
    return y.reshape(this.changed(y.shape, this.outShape, this.inShape));
  }
  logAbsDetJacobian(x: Tensor): Tensor {
    checkTensors('ReshapeTransform.logAbsDetJacobian', x);
    return zeros(x.shape.slice(0, x.ndim - this.domainDims), { dtype: x.dtype, device: x.device });
  }
  private changed(shape: Shape, from: Shape, to: Shape): Shape {
    const at = shape.length - from.length;
    if (at < 0 || from.some((n, d) => n !== shape[at + d]))
      throw new ShapeError('ReshapeTransform', `takes [..., ${from.join(', ')}], got [${shape.join(', ')}]`);
    return [...shape.slice(0, at), ...to];
  }
}

/** The distribution function of `distribution`, which makes its draws uniform from 0 to 1. */
export class CumulativeDistributionTransform implements Transform {
  readonly codomain = unitInterval;
  readonly isIncreasing = true;
  constructor(
    /** Whose distribution function it is. */
    readonly distribution: Distribution,
  ) {
    if (!(distribution instanceof Distribution))
      throw new TypeError(`CumulativeDistributionTransform: takes a distribution, got ${show(distribution)}`);
  }
  forward(x: Tensor): Tensor {
    return this.distribution.cdf(x);
  }
  inverse(y: Tensor): Tensor {
    return this.distribution.icdf(y);
  }
  logAbsDetJacobian(x: Tensor): Tensor {
    return this.distribution.logProb(x);
  }
}
