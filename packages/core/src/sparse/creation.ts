import { check, checkOptions, show } from '../check.js';
import { DTypeError, named, ShapeError } from '../errors.js';
import { checkDType, type DType } from '../memory/dtype.js';
import { formatShape, type Shape, sizeOf } from '../memory/shape.js';
import { to } from '../ops/copy.js';
import { indexSelect } from '../ops/indexing.js';
import { stack } from '../ops/joining.js';
import { nonzeroCoordinates } from '../ops/nonzero.js';
import { elementsOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { type NestedValues, tensor } from '../tensor/values.js';
import { checkCoordinates, positionsOf } from './entries.js';
import { RowsStorage } from './rows.js';
import { SparseTensor } from './sparseTensor.js';

/** Options of functions that make sparse tensors. */
export interface SparseOptions {
  /** The dtype of the values; by default the one they have. */
  dtype?: DType;
}

const sparseOptions = { dtype: is.string };

/** Numbers or a tensor, as integers. */
const indicesOf = (indices: Tensor | NestedValues): Tensor =>
  Tensor.is(indices) ? indices : tensor(indices, { dtype: 'int32' });

function valuesOf(op: string, values: Tensor | NestedValues, options: SparseOptions | undefined): Tensor {
  const { dtype } = checkOptions(op, options, sparseOptions);
  const own = Tensor.is(values) ? values : tensor(values);
  return dtype === undefined ? own : to(own, checkDType(op, dtype));
}

/**
 * A sparse tensor in coordinate format (COO): entry `i` has the coordinates `indices[:, i]` and the value `values[i]`,
 * for integers `indices` `[sparseDim, nnz]` and `values` `[nnz, ...dense]`. Entries with the same coordinates add up.
 * Without a `shape`, the tensor is as large as the coordinates need. Gradients flow to `values`.
 *
 * ```ts
 * sparseCooTensor([[0, 1], [2, 0]], [3, 4], [2, 3]).toDense(); // [[0, 0, 3], [4, 0, 0]]
 * ```
 */
export const sparseCooTensor = /* @__PURE__ */ named(
  'sparseCooTensor',
  (
    indices: Tensor | NestedValues,
    values: Tensor | NestedValues,
    shape?: Shape,
    options?: SparseOptions,
  ): SparseTensor => {
    const op = 'sparseCooTensor';
    const [at, own] = [indicesOf(indices), valuesOf(op, values, options)];
    if (at.ndim !== 2 || at.shape[0] === 0 || own.ndim < 1 || own.shape[0] !== at.shape[1])
      throw new ShapeError(
        op,
        `takes indices [sparseDim, nnz] and values [nnz, ...], got ${formatShape(at.shape)} and ${formatShape(own.shape)}`,
      );
    const dense = own.shape.slice(1);
    const whole = shape === undefined ? [...extent(op, at), ...dense] : sizesOf(op, shape);
    const sparseDim = at.shape[0]!;
    if (whole.length !== sparseDim + dense.length || dense.some((n, d) => n !== whole[sparseDim + d]))
      throw new ShapeError(
        op,
        `indices ${formatShape(at.shape)} and values ${formatShape(own.shape)} do not fit the shape ${formatShape(whole)}`,
      );
    checkCoordinates(op, at, whole);
    return new SparseTensor({ shape: whole, indices: at, values: own, isCoalesced: false });
  },
);

/** Checks the shape, which may have more elements than a dense tensor can. */
function sizesOf(op: string, shape: Shape): Shape {
  check(op, 'the shape', shape, is.arrayOf(is.size));
  return shape.slice();
}

/** The smallest shape that has room for the coordinates. */
function extent(op: string, indices: Tensor): number[] {
  const [dims, nnz] = indices.shape as [number, number];
  const at = elementsOf(indices, op);
  const sizes = new Array<number>(dims).fill(0);
  for (let i = 0; i < at.length; i++) {
    const d = Math.floor(i / nnz);
    sizes[d] = Math.max(sizes[d]!, at[i]! + 1);
  }
  return sizes;
}

/**
 * A sparse matrix in compressed row format (CSR): row `i` has the entries from `crowIndices[i]` up to but without
 * `crowIndices[i + 1]` of `values` `[nnz]` and `colIndices` `[nnz]`, with ascending columns. `crowIndices` is
 * `[rows + 1]`. Without a `shape`, the matrix has as many columns as the entries need. Gradients flow to `values`.
 *
 * ```ts
 * sparseCsrTensor([0, 1, 2], [2, 0], [3, 4], [2, 3]).toDense(); // [[0, 0, 3], [4, 0, 0]]
 * ```
 */
export const sparseCsrTensor = /* @__PURE__ */ named(
  'sparseCsrTensor',
  (
    crowIndices: Tensor | NestedValues,
    colIndices: Tensor | NestedValues,
    values: Tensor | NestedValues,
    shape?: Shape,
    options?: SparseOptions,
  ): SparseTensor => {
    const op = 'sparseCsrTensor';
    const [crow, columns] = [indicesOf(crowIndices), indicesOf(colIndices)];
    const own = valuesOf(op, values, options);
    const nnz = own.numel;
    if (crow.ndim !== 1 || crow.numel === 0 || columns.ndim !== 1 || own.ndim !== 1 || columns.numel !== nnz)
      throw new ShapeError(
        op,
        `takes crowIndices [rows + 1], colIndices [nnz] and values [nnz], got ${[crow, columns, own].map((t) => formatShape(t.shape)).join(', ')}`,
      );
    if (crow.dtype !== columns.dtype)
      throw new DTypeError(
        op,
        `crowIndices are ${crow.dtype} and colIndices ${columns.dtype}; both must have one dtype`,
      );
    const rows = crow.numel - 1;
    const whole = shape === undefined ? [rows, ...extent(op, columns.unsqueeze(0))] : sizesOf(op, shape);
    if (whole.length !== 2 || whole[0] !== rows)
      throw new ShapeError(op, `crowIndices of ${rows} rows do not fit the shape ${formatShape(whole)}`);
    const at = rowsOf(op, elementsOf(crow, op), elementsOf(columns, op));
    const { backend } = crow.storage;
    const indices = stack([to(Tensor.of(at, 'int32', [nnz], backend), crow.dtype), columns]);
    checkCoordinates(op, indices, whole);
    return new SparseTensor({ shape: whole, indices, values: own, isCoalesced: true, crow });
  },
);

/** The row of each entry; refuses rows whose columns are not ascending. */
function rowsOf(op: string, starts: ArrayLike<number>, columns: ArrayLike<number>): Int32Array {
  const rows = new Int32Array(columns.length);
  const last = starts.length - 1;
  if (starts[0] !== 0 || starts[last] !== columns.length)
    throw new ShapeError(
      op,
      `crowIndices must go from 0 to the ${columns.length} entries, got ${starts[0]} and ${starts[last]}`,
    );
  for (let row = 0; row < last; row++) {
    if (!(starts[row]! <= starts[row + 1]! && starts[row + 1]! <= columns.length))
      throw new ShapeError(
        op,
        `crowIndices must not decrease, got ${starts[row]} and ${starts[row + 1]} for row ${row}`,
      );
    for (let i = starts[row]!; i < starts[row + 1]!; i++) {
      if (i > starts[row]! && columns[i]! <= columns[i - 1]!)
        throw new ShapeError(
          op,
          `the columns of a row must ascend, got ${columns[i - 1]} and ${columns[i]} in row ${row}`,
        );
      rows[i] = row;
    }
  }
  return rows;
}

/**
 * The entries of a tensor that are not 0, as a sparse tensor with gradients to `x`: with coordinates for the first
 * `sparseDim` dimensions, by default all. For a sparse gradient, the rows that it stores.
 *
 * ```ts
 * toSparse(tensor([[0, 2], [0, 0]])).indices(); // [[0], [1]]
 * ```
 */
export const toSparse = /* @__PURE__ */ named(
  'toSparse',
  (x: Tensor | SparseTensor, sparseDim?: number): SparseTensor => {
    if (SparseTensor.is(x)) return x.toSparseCoo();
    checkTensor('toSparse', x);
    check('toSparse', 'sparseDim', sparseDim, is.optional(is.count));
    const { shape, storage } = x;
    if (storage instanceof RowsStorage && sparseDim === undefined) return ofRows(x, storage);
    const dims = sparseDim ?? x.ndim;
    if (dims < 1 || dims > x.ndim)
      throw new ShapeError(
        'toSparse',
        `takes from 1 to ${x.ndim} dimensions of coordinates of ${formatShape(shape)}, got ${dims}`,
      );
    const places = sizeOf(shape.slice(0, dims));
    const flat = x.reshape(places, ...shape.slice(dims));
    const hit = dims === x.ndim ? x.ne(0) : flat.ne(0).reshape(places, -1).any(1).reshape(shape.slice(0, dims));
    const indices = stack(nonzeroCoordinates('toSparse', hit));
    const values = indexSelect(flat, 0, positionsOf(indices, shape));
    return new SparseTensor({ shape, indices, values, isCoalesced: true });
  },
);

function ofRows({ shape, dtype }: Tensor, { rows: { index, values } }: RowsStorage): SparseTensor {
  const indices = Tensor.of(index.slice(), 'int32', [1, index.length]);
  const own = Tensor.of(values.slice(), dtype, [index.length, ...shape.slice(1)]);
  return new SparseTensor({ shape, indices, values: own, isCoalesced: true });
}

/**
 * A dense tensor of all elements of a sparse tensor or a sparse gradient; a dense tensor is returned as it is.
 *
 * ```ts
 * toDense(sparseCooTensor([[1]], [5], [3])); // [0, 5, 0]
 * ```
 */
export function toDense(x: Tensor | SparseTensor): Tensor {
  if (SparseTensor.is(x)) return x.toDense();
  checkTensor('toDense', x);
  return x.storage instanceof RowsStorage ? toSparse(x).toDense() : x;
}

function checkTensor(op: string, x: unknown): void {
  if (!Tensor.is(x)) throw new TypeError(`${op}: expected a Tensor or a SparseTensor, got ${show(x)}`);
}

/**
 * Whether `x` is a sparse tensor or a sparse gradient. A gradient to which a dense one was added is dense.
 *
 * ```ts
 * isSparse(tensor([0, 1])); // false
 * ```
 */
export const isSparse = (x: unknown): boolean =>
  SparseTensor.is(x) || (Tensor.is(x) && x.storage instanceof RowsStorage && !x.storage.rows.isDense);
