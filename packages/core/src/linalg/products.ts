import { check, checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { checkSize, formatShape, normalizeDim, sizeOf } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { checkOneDType, checkSquare } from '../ops/checkMatrix.js';
import { conjugate, floatOrComplex } from '../ops/define.js';
import { add, log, mul } from '../ops/elementwise.js';
import { cat, narrow, stack } from '../ops/joining.js';
import { inverse, mH, slogdet, solve } from '../ops/linalg.js';
import { matmul } from '../ops/matmul.js';
import { sum } from '../ops/reduce.js';
import { permute, reshape, unsqueeze } from '../ops/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import { ones } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { decompose } from './decompose.js';
import { matrixExp as expRule } from './rules/exp.js';

/**
 * `exp(A) = I + A + A A / 2 + ...` for square matrices `[..., n, n]`. All results for a matrix that is not finite are
 * NaN.
 *
 * ```ts
 * matrixExp(tensor([[0, 1], [0, 0]])); // [[1, 1], [0, 1]]
 * ```
 */
export const matrixExp = /* @__PURE__ */ named('matrixExp', (a: Tensor): Tensor => {
  const n = checkSquare('matrixExp', a);
  const [out] = decompose('matrixExp', expRule, [a], [[n, n]], [n]) as [Tensor];
  return record(
    'matrixExp',
    [a],
    out,
    (g, ctx) => {
      // Mathias (1996): the block next to the diagonal ones.
      const at = mH(ctx.saved[0]!);
      const both = cat([cat([at, g], -1), cat([mul(at, 0), at], -1)], -2);
      return [narrow(narrow(matrixExp(both), -2, 0, n), -1, n, n)];
    },
    [a],
  );
});

/**
 * The product of matrices in the order of the fewest multiplications. The first may be a row `[n]`, the last a column
 * `[n]`.
 *
 * ```ts
 * multiDot([tensor([[1, 2]]), tensor([[1], [1]]), tensor([[2, 3]])]); // [[6, 9]]
 * ```
 */
export const multiDot = /* @__PURE__ */ named('multiDot', (tensors: readonly Tensor[]): Tensor => {
  check('multiDot', 'tensors', tensors, is.arrayOf(is.tensor));
  if (tensors.length < 2) throw new ShapeError('multiDot', `takes two tensors or more, got ${tensors.length}`);
  const last = tensors.length - 1;
  const matrices = tensors.map((t, i) => {
    if (t.ndim === 1 && i === 0) return unsqueeze(t, 0);
    if (t.ndim === 1 && i === last) return unsqueeze(t, 1);
    if (t.ndim === 2) return t;
    throw new ShapeError('multiDot', `takes matrices, and vectors at both ends, got ${formatShape(t.shape)} at ${i}`);
  });
  for (let i = 0; i < last; i++)
    if (matrices[i]!.shape[1] !== matrices[i + 1]!.shape[0])
      throw new ShapeError(
        'multiDot',
        `${formatShape(tensors[i]!.shape)} and ${formatShape(tensors[i + 1]!.shape)} do not fit at ${i} and ${i + 1}`,
      );
  const out = inOrder(matrices);
  return reshape(out, [
    ...(tensors[0]!.ndim === 1 ? [] : [out.shape[0]!]),
    ...(tensors[last]!.ndim === 1 ? [] : [out.shape[1]!]),
  ]);
});

function inOrder(matrices: readonly Tensor[]): Tensor {
  const count = matrices.length;
  const sizes = [matrices[0]!.shape[0]!, ...matrices.map((m) => m.shape[1]!)];
  // The least cost of the product of matrices `i` to `j`, and the matrix after which it is split.
  const cost = matrices.map(() => new Array<number>(count).fill(0));
  const cut = matrices.map(() => new Array<number>(count).fill(0));
  for (let length = 1; length < count; length++)
    for (let i = 0; i + length < count; i++) {
      const j = i + length;
      cost[i]![j] = Number.POSITIVE_INFINITY;
      for (let k = i; k < j; k++) {
        const own = cost[i]![k]! + cost[k + 1]![j]! + sizes[i]! * sizes[k + 1]! * sizes[j + 1]!;
        if (own < cost[i]![j]!) [cost[i]![j], cut[i]![j]] = [own, k];
      }
    }
  const of = (i: number, j: number): Tensor =>
    i === j ? matrices[i]! : matmul(of(i, cut[i]![j]!), of(cut[i]![j]! + 1, j));
  return of(0, count - 1);
}

/**
 * `log(det A)` of square matrices `[..., n, n]`: NaN where the determinant is below 0, -Infinity where it is 0.
 *
 * ```ts
 * logdet(tensor([[2, 0], [0, 4]])); // 2.079
 * ```
 */
export const logdet = /* @__PURE__ */ named('logdet', (a: Tensor): Tensor => {
  checkSquare('logdet', a);
  const { sign, logabsdet } = slogdet(a);
  // log(sign) is 0 or NaN; for a singular matrix both logarithms are -Infinity.
  return add(logabsdet, log(sign));
});

const vanderOptions = { N: is.count };

/**
 * The powers 0 to N - 1 of `[..., n]` along a last dimension; N is n by default.
 *
 * ```ts
 * vander(tensor([2, 3]), { N: 3 }); // [[1, 2, 4], [1, 3, 9]]
 * ```
 */
export const vander = /* @__PURE__ */ madeOf('vander', (x: Tensor, options?: { N?: number }): Tensor => {
  const { N } = checkOptions('vander', options, vanderOptions);
  if (x.ndim === 0) throw new ShapeError('vander', 'takes vectors, got a scalar tensor');
  const count = N ?? x.shape.at(-1)!;
  checkSize('vander', [...x.shape, count], x.shape);
  const { dtype, device } = x;
  const powers = [ones(x.shape, { dtype, device })];
  for (let i = 1; i < count; i++) powers.push(i === 1 ? x : mul(powers[i - 1]!, x));
  return stack(powers, -1);
});

/**
 * The sum of products along `dim`, the last one by default; other dimensions broadcast.
 *
 * ```ts
 * vecdot(tensor([1, 2]), tensor([3, 4])); // 11
 * ```
 */
export const vecdot = /* @__PURE__ */ named('vecdot', (a: Tensor, b: Tensor, options?: { dim?: number }): Tensor => {
  const { dim = -1 } = checkOptions('vecdot', options, { dim: is.integer });
  checkTensors('vecdot', a, b);
  const products = mul(conjugate(a), b);
  return sum(products, normalizeDim('vecdot', dim, products.ndim));
});

/**
 * The inverse of `tensordot(A, ·, ind)`, for a tensor whose first `ind` dimensions have as many elements as the others.
 * Its shape is `[...others, ...first]`.
 *
 * ```ts
 * tensorinv(tensor([[2, 0], [0, 4]]), { ind: 1 }); // [[0.5, 0], [0, 0.25]]
 * ```
 */
export const tensorinv = /* @__PURE__ */ inFloat32('tensorinv', (a: Tensor, options?: { ind?: number }): Tensor => {
  const { ind = 2 } = checkOptions('tensorinv', options, { ind: is.count });
  floatOrComplex('tensorinv', a);
  const [first, others] = [a.shape.slice(0, ind), a.shape.slice(ind)];
  const n = sizeOf(first);
  if (ind > a.ndim || n !== sizeOf(others))
    throw new ShapeError(
      'tensorinv',
      `the first ${ind} dimensions of ${formatShape(a.shape)} must have as many elements as the others`,
    );
  return reshape(inverse(reshape(a, [n, n])), [...others, ...first]);
});

/**
 * The X with `tensordot(A, X) = B`: the shape of A is that of B followed by that of X. `dims` of A are moved to the end
 * first.
 *
 * ```ts
 * tensorsolve(tensor([[2, 0], [0, 4]]), tensor([2, 4])); // [1, 1]
 * ```
 */
export const tensorsolve = /* @__PURE__ */ inFloat32(
  'tensorsolve',
  (a: Tensor, b: Tensor, options?: { dims?: readonly number[] }): Tensor => {
    const { dims = [] } = checkOptions('tensorsolve', options, { dims: is.arrayOf(is.integer) });
    checkOneDType('tensorsolve', a, b);
    floatOrComplex('tensorsolve', a);
    const last = dims.map((d) => normalizeDim('tensorsolve', d, a.ndim));
    const order = [...a.shape.keys()].filter((d) => !last.includes(d));
    const moved = permute(a, ...order, ...last);
    const shape = moved.shape.slice(b.ndim);
    const n = b.numel;
    if (sizeOf(shape) !== n || moved.numel !== n * n)
      throw new ShapeError(
        'tensorsolve',
        `${formatShape(a.shape)} and ${formatShape(b.shape)} do not fit: A is [...B, ...X]`,
      );
    return reshape(solve(reshape(moved, [n, n]), reshape(b, [n])), shape);
  },
);
