import { check, show } from '../check.js';
import { ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { indices } from '../graph/positions.js';
import { makeStridedView } from '../graph/view.js';
import { allocateUninitialized } from '../memory/allocate.js';
import { checkFits } from '../memory/dtype.js';
import { checkShape, checkSize, formatShape, normalizeDim } from '../memory/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { inFloat32 } from './casting.js';
import { withInPlace } from './define.js';
import type * as self from './diagonal.js';
import { ge, le } from './relational.js';
import { where } from './where.js';

/** True at and below the diagonal: where column - row is at most `diagonal`. */
function triangle(op: string, x: Tensor, keep: (offset: Tensor) => Tensor): Tensor {
  if (x.ndim < 2) throw new ShapeError(op, `takes matrices, got ${formatShape(x.shape)}`);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const offset = indices(x, columns, (j) => j)
    .unsqueeze(0)
    .sub(indices(x, rows, (i) => i).unsqueeze(1));
  // Booleans take the dtype of the other operand, so masks stay bool.
  return where(keep(offset), x, false);
}

/**
 * The lower triangle of matrices, with zeros above diagonal number `diagonal`.
 *
 * ```ts
 * tril(ones([2, 2])); // [[1, 0], [1, 1]]
 * ```
 */
export const tril = /* @__PURE__ */ madeOf('tril', (x: Tensor, diagonal = 0): Tensor => {
  check('tril', 'the diagonal', diagonal, is.integer);
  return triangle('tril', x, (o) => le(o, diagonal));
});

/**
 * The upper triangle of matrices, with zeros below diagonal number `diagonal`.
 *
 * ```ts
 * triu(ones([2, 2])); // [[1, 1], [0, 1]]
 * ```
 */
export const triu = /* @__PURE__ */ madeOf('triu', (x: Tensor, diagonal = 0): Tensor => {
  check('triu', 'the diagonal', diagonal, is.integer);
  return triangle('triu', x, (o) => ge(o, diagonal));
});

/**
 * The diagonal number `offset` of dimensions `dim1` and `dim2`, as a last dimension. A view.
 *
 * ```ts
 * diagonal(tensor([[1, 2], [3, 4]])); // [1, 4]
 * ```
 */
export function diagonal(x: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  checkTensors('diagonal', x);
  const a = normalizeDim('diagonal', dim1, x.ndim);
  const b = normalizeDim('diagonal', dim2, x.ndim);
  if (a === b || x.ndim < 2)
    throw new ShapeError(
      'diagonal',
      `needs two dimensions of ${formatShape(x.shape)}, got ${show(dim1)} and ${show(dim2)}`,
    );
  check('diagonal', 'offset', offset, is.integer);
  const [rows, columns] = [x.shape[a]!, x.shape[b]!];
  const n = Math.max(0, Math.min(rows + Math.min(0, offset), columns - Math.max(0, offset)));
  const [stepA, stepB] = [x.strides[a]!, x.strides[b]!];
  const start = n === 0 ? 0 : offset >= 0 ? offset * stepB : -offset * stepA;
  const rest = (of: readonly number[], last: number) => [...of.filter((_, i) => i !== a && i !== b), last];
  return makeStridedView('diagonal', x, rest(x.shape, n), rest(x.strides, stepA + stepB), x.offset + start);
}

/**
 * Square matrices of zeros with the vectors along the last dimension as their diagonals number `offset`.
 *
 * ```ts
 * diagEmbed(tensor([1, 2])); // [[1, 0], [0, 2]]
 * ```
 */
export const diagEmbed = /* @__PURE__ */ madeOf('diagEmbed', (x: Tensor, offset = 0, dim1 = -2, dim2 = -1): Tensor => {
  if (x.ndim === 0) throw new ShapeError('diagEmbed', 'takes vectors, got a scalar tensor');
  check('diagEmbed', 'offset', offset, is.integer);
  const a = normalizeDim('diagEmbed', dim1, x.ndim + 1);
  const b = normalizeDim('diagEmbed', dim2, x.ndim + 1);
  if (a === b) throw new ShapeError('diagEmbed', `needs two dimensions, got ${show(dim1)} and ${show(dim2)}`);
  const k = x.shape.at(-1)!;
  const n = k + Math.abs(offset);
  const { backend } = x.storage;
  const zeros = Tensor.zeros(x.dtype, [...x.shape.slice(0, -1), n, n], backend);
  const strides = [...zeros.strides.slice(0, -2), n + 1];
  const start = offset >= 0 ? offset : -offset * n;
  backend.kernels.copy(x, new Tensor(zeros.storage, x.dtype, x.shape, strides, start));
  const matrices = record('diagEmbed', [x], zeros, (g) => [diagonal(g, offset, -2, -1)]);
  // The two new dimensions are last; they are moved if others are asked for.
  const order = matrices.shape.map((_, i) => i).slice(0, -2);
  for (const [place, from] of [
    [a, x.ndim - 1],
    [b, x.ndim],
  ].sort((p, q) => p[0]! - q[0]!) as [number, number][])
    order.splice(place, 0, from);
  return matrices.permute(order);
});

/**
 * A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector.
 *
 * ```ts
 * diag(tensor([1, 2])); // [[1, 0], [0, 2]]
 * ```
 */
export const diag = /* @__PURE__ */ madeOf('diag', (x: Tensor, offset = 0): Tensor => {
  if (x.ndim === 1) return diagEmbed(x, offset);
  if (x.ndim === 2) return diagonal(x, offset).clone();
  throw new ShapeError(
    'diag',
    `takes a vector or a matrix, got ${formatShape(x.shape)}; use diagonal() or diagEmbed()`,
  );
});

/**
 * The sum of the main diagonal of a matrix: `[m, n]` to `[]`.
 *
 * ```ts
 * trace(tensor([[1, 2], [3, 4]])); // 5
 * ```
 */
export const trace = /* @__PURE__ */ inFloat32('trace', (x: Tensor): Tensor => {
  if (x.ndim !== 2) throw new ShapeError('trace', `takes a matrix, got ${formatShape(x.shape)}`);
  return diagonal(x).sum();
});

/** The coordinates in each row from `start` up to `end`, which are given the row's place on the diagonal. */
const triangleIndices =
  (op: string, isLower: boolean) =>
  (rows: number, columns: number, offset = 0): Tensor => {
    checkShape(op, [rows, columns]);
    check(op, 'offset', offset, is.integer);
    checkFits(op, Math.max(rows, columns) - 1, 'int32');
    // Row i begins with as many columns that are below the diagonal, or on it for the lower triangle.
    const first = offset + Number(isLower);
    const below = (i: number) => Math.min(columns, Math.max(0, i + first));
    // Those of all rows before row i, less what no row has.
    const before = (i: number, n = below(i)) => (n * (n - 1)) / 2 + Math.max(0, i + first - columns) * columns;
    const left = before(rows) - before(0);
    const n = isLower ? left : rows * columns - left;
    checkSize(op, [2, n]);
    const found = allocateUninitialized('int32', 2 * n);
    // Rows of none are gone through nowhere: there may be very many.
    for (let i = isLower ? Math.max(0, -offset) : 0, p = 0; p < n; i++)
      for (let j = isLower ? 0 : below(i), end = isLower ? below(i) : columns; j < end; j++, p++) {
        found[p] = i;
        found[n + p] = j;
      }
    return Tensor.of(found, 'int32', [2, n]);
  };

/**
 * The coordinates at and below a diagonal: int32, `[2, n]`, rows first.
 *
 * ```ts
 * trilIndices(2, 2); // [[0, 1, 1], [0, 0, 1]]
 * ```
 */
export const trilIndices = triangleIndices('trilIndices', true);

/**
 * The coordinates at and above a diagonal: int32, `[2, n]`, rows first.
 *
 * ```ts
 * triuIndices(2, 2); // [[0, 0, 1], [0, 1, 1]]
 * ```
 */
export const triuIndices = triangleIndices('triuIndices', false);

const plain = {
  diagEmbed,
  diag,
  diagonal,
  trace,
};
methods(plain);

const withForms = {
  tril,
  triu,
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
