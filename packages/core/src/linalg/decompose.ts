import { kernelsOf } from '../backend/backends.js';
import type { MatrixRule } from '../backend/kernels.js';
import { ShapeError } from '../errors.js';
import { type DType, recordOf } from '../memory/dtype.js';
import { formatShape, type Shape } from '../memory/shape.js';
import { checkOneDType, checkSquare } from '../ops/checkMatrix.js';
import { add, div, mul, sub } from '../ops/elementwise.js';
import { mH } from '../ops/linalg.js';
import { eq } from '../ops/relational.js';
import { unsqueeze } from '../ops/shape.js';
import { where } from '../ops/where.js';
import { Tensor } from '../tensor/tensor.js';

/** The results of a rule for matrices: tensors with the leading dimensions of the batch, followed by these shapes. */
export function decompose(
  op: string,
  rule: MatrixRule,
  inputs: readonly Tensor[],
  shapes: readonly Shape[],
  numbers: readonly number[],
  dtype: DType = inputs[0]!.dtype,
): Tensor[] {
  const [first, second] = inputs as [Tensor, Tensor?];
  const batch = first.shape.slice(0, -2);
  const part = recordOf(dtype).complex?.part ?? dtype;
  const outs = shapes.map((shape, i) =>
    Tensor.uninitialized(rule.real?.includes(i) ? part : dtype, [...batch, ...shape], first.storage.backend),
  );
  kernelsOf(op, first, second).matrices(rule, inputs, outs, numbers);
  return outs;
}

/** Refuses an A and a B that `A X = B`, or `X A = B` if not `left`, cannot be of; returns the size of A. */
export function checkSides(op: string, a: Tensor, b: Tensor, left: boolean): number {
  const n = checkSquare(op, a);
  checkOneDType(op, a, b);
  if (b.ndim < 2 || b.shape.at(left ? -2 : -1) !== n)
    throw new ShapeError(
      op,
      `${formatShape(a.shape)} and ${formatShape(b.shape)}: expected [..., n, n] and ${left ? '[..., n, k]' : '[..., k, n]'}`,
    );
  return n;
}

/** `a @ diag(d)`. */
export const timesDiagonal = (a: Tensor, d: Tensor): Tensor => mul(a, unsqueeze(d, -2));

export const skew = (x: Tensor): Tensor => sub(x, mH(x));
export const symmetrized = (x: Tensor): Tensor => mul(add(x, mH(x)), 0.5);

/** `x[i][j] / (d[j] - d[i])`, and 0 where these are equal. */
export function overDifferences(x: Tensor, d: Tensor): Tensor {
  const differences = sub(unsqueeze(d, -2), unsqueeze(d, -1));
  const none = eq(differences, 0);
  return where(none, 0, div(x, where(none, 1, differences)));
}

/** The distance from 1 to the next number of a floating point dtype. */
export const epsilons: Partial<Record<DType, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};
