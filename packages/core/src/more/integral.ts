import { checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { realOnly } from '../ops/define.js';
import { add, mul, sub } from '../ops/elementwise.js';
import { narrow } from '../ops/joining.js';
import { cumsum } from '../ops/scan.js';
import { sum } from '../ops/sum.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

/** Where the values were sampled. */
export interface TrapezoidOptions {
  /** The positions: one vector for all lines, or a tensor that broadcasts with the values. */
  x?: Tensor;
  /** The distance between neighbors if `x` is not given, by default 1. */
  dx?: number;
  /** The dimension to integrate along, by default the last. */
  dim?: number;
}

const trapezoidOptions = { x: is.tensor, dx: is.number, dim: is.integer };

/** The area between neighbors along the dimension, and that dimension. */
function areas(op: string, y: Tensor, options: TrapezoidOptions | undefined): [Tensor, number] {
  checkTensors(op, y);
  const { x, dx, dim = -1 } = checkOptions(op, options, trapezoidOptions);
  realOnly(op, y);
  if (x !== undefined && dx !== undefined) throw new TypeError(`${op}: give either x or dx, not both`);
  if (y.ndim === 0) throw new ShapeError(op, 'takes values along a dimension, got []');
  const d = normalizeDim(op, dim, y.ndim);
  const means = mul(neighbors(y, d, add), 0.5);
  if (x === undefined) return [mul(means, dx ?? 1), d];
  const n = y.shape[d]!;
  const places = x.ndim === 1 ? x.reshape(y.shape.map((_, i) => (i === d ? -1 : 1))) : x;
  if (places.ndim !== y.ndim || places.shape[d] !== n)
    throw new ShapeError(
      op,
      `x must be ${n} positions or broadcast with the values ${formatShape(y.shape)}, got ${formatShape(x.shape)}`,
    );
  return [mul(means, neighbors(places, d, sub)), d];
}

/** `combine` of each element along the dimension and the one before it. */
function neighbors(t: Tensor, d: number, combine: (a: Tensor, b: Tensor) => Tensor): Tensor {
  const n = Math.max(0, t.shape[d]! - 1);
  return combine(narrow(t, d, t.shape[d]! - n, n), narrow(t, d, 0, n));
}

/**
 * The integral of `y` along `dim` by the trapezoidal rule: `[..., n]` to `[...]`.
 *
 * ```ts
 * trapezoid(tensor([1, 5, 10])); // 10.5
 * trapezoid(tensor([1, 5, 10]), { x: tensor([1, 3, 6]) }); // 28.5
 * ```
 */
export const trapezoid = /* @__PURE__ */ named('trapezoid', (y: Tensor, options?: TrapezoidOptions): Tensor => {
  const [parts, d] = areas('trapezoid', y, options);
  return sum(parts, d);
});

/**
 * The integrals of `y` along `dim` up to each position but the first, by the trapezoidal rule: `[..., n]` to
 * `[..., n - 1]`.
 *
 * ```ts
 * cumulativeTrapezoid(tensor([1, 5, 10])); // [3, 10.5]
 * ```
 */
export const cumulativeTrapezoid = /* @__PURE__ */ named(
  'cumulativeTrapezoid',
  (y: Tensor, options?: TrapezoidOptions): Tensor => cumsum(...areas('cumulativeTrapezoid', y, options)),
);
