import { isDevice, kernelsOf } from '../backend/backends.js';
import { brand, thisCopy } from '../brand.js';
import { show } from '../check.js';
import { DTypeError, IndexError, inNameOf, ShapeError } from '../errors.js';
import { allocate } from '../memory/allocate.js';
import type { DType, TypedArray } from '../memory/dtype.js';
import { checkSize, formatShape, normalizeDim, normalizeDims, type Shape, sizeOf } from '../memory/shape.js';
import { tensorsAreSentByPackTensorAndUnpackTensor } from '../memory/storage.js';
import { add, div, mul, neg } from '../ops/elementwise.js';
import { indexAdd, indexSelect } from '../ops/indexing.js';
import { matmul as denseMatmul } from '../ops/matmul.js';
import { cat, stack, to } from '../ops/shape.js';
import { type Dim, sum } from '../ops/sum.js';
import { checkIntegers } from '../tensor/check.js';
import { elementsOf } from '../tensor/elements.js';
import { Tensor } from '../tensor/tensor.js';

/** How a sparse tensor stores where its entries are: their coordinates ('coo'), or for a matrix where each row begins ('csr'). */
export type SparseLayout = 'coo' | 'csr';

/** The parts of a sparse tensor, which have been checked. */
export interface Entries {
  readonly shape: Shape;
  /** The coordinates: integers `[sparseDim, nnz]`. */
  readonly indices: Tensor;
  /** The values `[nnz, ...dense]`. */
  readonly values: Tensor;
  /** Whether the entries are in row-major order, each once. */
  readonly isCoalesced: boolean;
  /** For layout 'csr': integers `[rows + 1]`. */
  readonly crow?: Tensor;
}

/**
 * A tensor that stores only some entries; all others are 0. It is not a `Tensor`: it has the methods below, and all other
 * functions refuse it. Gradients flow through `values`, which is an ordinary tensor, and to dense operands. Made by
 * `sparseCooTensor`, `sparseCsrTensor` and `toSparse`.
 *
 * ```ts
 * const a = sparseCooTensor([[0, 1], [2, 0]], [3, 4], [2, 3]);
 * a.toDense(); // [[0, 0, 3], [4, 0, 0]]
 * a.matmul(ones([3, 1])); // [[3], [4]]
 * ```
 */
export class SparseTensor {
  readonly layout: SparseLayout;
  /** The shape of all elements, stored or not. */
  readonly shape: Shape;
  /** Whether the entries are in row-major order, each once. Always true for layout 'csr'. */
  readonly isCoalesced: boolean;
  /** @internal Makes `structuredClone` throw: it would lose the entries. */
  readonly send = tensorsAreSentByPackTensorAndUnpackTensor;
  readonly #indices: Tensor;
  readonly #values: Tensor;
  readonly #crow: Tensor | undefined;

  /** @internal Users call `sparseCooTensor`, `sparseCsrTensor` or `toSparse`. */
  constructor({ shape, indices, values, isCoalesced, crow }: Entries) {
    this.layout = crow === undefined ? 'coo' : 'csr';
    this.shape = shape;
    this.isCoalesced = isCoalesced;
    this.#indices = indices;
    this.#values = values;
    this.#crow = crow;
  }

  static is(value: unknown): value is SparseTensor {
    return typeof value === 'object' && value !== null && #indices in value;
  }

  get dtype(): DType {
    return this.#values.dtype;
  }
  get device(): string {
    return this.#values.device;
  }
  /** The number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }
  /** The number of stored entries. */
  get nnz(): number {
    return this.#values.shape[0]!;
  }
  /** The number of dimensions that have coordinates; in the dimensions after them each entry is a dense tensor. */
  get sparseDim(): number {
    return this.#indices.shape[0]!;
  }
  get denseDim(): number {
    return this.ndim - this.sparseDim;
  }
  /** Whether the values require gradients. */
  get requiresGrad(): boolean {
    return this.#values.requiresGrad;
  }
  /** Makes the values require gradients. Elements that are not stored have none. */
  requiresGrad_(value = true): this {
    this.#values.requiresGrad_(value);
    return this;
  }

  /** The coordinates `[sparseDim, nnz]` of a coalesced tensor of layout 'coo'. */
  indices(): Tensor {
    this.#checkLayout('indices', 'coo');
    this.#checkCoalesced('indices');
    return this.#indices;
  }

  /** The values `[nnz, ...dense]` of a coalesced tensor. */
  values(): Tensor {
    this.#checkCoalesced('values');
    return this.#values;
  }

  /** For layout 'csr': where each row begins among the entries, and the number of entries: `[rows + 1]`. */
  crowIndices(): Tensor {
    this.#checkLayout('crowIndices', 'csr');
    return this.#crow!;
  }

  /** For layout 'csr': the column of each entry, `[nnz]`. */
  colIndices(): Tensor {
    this.#checkLayout('colIndices', 'csr');
    return this.#indices.select(0, 1);
  }

  #checkLayout(op: string, layout: SparseLayout): void {
    if (this.layout !== layout)
      throw new TypeError(
        `${op}: the layout must be '${layout}', got '${this.layout}'; use toSparse${layout === 'coo' ? 'Coo' : 'Csr'}()`,
      );
  }

  #checkCoalesced(op: string): void {
    if (!this.isCoalesced) throw new TypeError(`${op}: entries may repeat; use coalesce() first`);
  }

  #with(changed: Partial<Entries>): SparseTensor {
    const { shape, isCoalesced } = this;
    const crow = this.#crow === undefined ? {} : { crow: this.#crow };
    return new SparseTensor({ shape, isCoalesced, indices: this.#indices, values: this.#values, ...crow, ...changed });
  }

  #withValues(op: string, compute: (values: Tensor) => Tensor): SparseTensor {
    try {
      return this.#with({ values: compute(this.#values) });
    } catch (error) {
      throw inNameOf(op, error);
    }
  }

  /**
   * The same tensor with each entry once, in row-major order: entries with the same coordinates are summed. It reads the
   * coordinates.
   */
  coalesce(): SparseTensor {
    if (this.isCoalesced) return this;
    const { nnz, sparseDim, shape } = this;
    const at = elementsOf(this.#indices, 'coalesce');
    // In float64, which has more room than the integers of an index.
    const places = Float64Array.from({ length: nnz }, (_, i) => {
      let place = 0;
      for (let d = 0; d < sparseDim; d++) place = place * shape[d]! + at[d * nnz + i]!;
      return place;
    });
    const order = Float64Array.from(new Set(places)).sort();
    const slots = new Map<number, number>();
    order.forEach((place, i) => {
      slots.set(place, i);
    });
    const coordinates = new Int32Array(sparseDim * order.length);
    order.forEach((place, i) => {
      for (let d = sparseDim - 1, rest = place; d >= 0; d--) {
        coordinates[d * order.length + i] = rest % shape[d]!;
        rest = Math.floor(rest / shape[d]!);
      }
    });
    const { backend } = this.#indices.storage;
    const slot = Tensor.of(
      Int32Array.from(places, (place) => slots.get(place)!),
      'int32',
      [nnz],
      backend,
    );
    const indices = to(Tensor.of(coordinates, 'int32', [sparseDim, order.length], backend), this.#indices.dtype);
    const zeros = this.#zeros([order.length, ...this.#values.shape.slice(1)]);
    return new SparseTensor({ shape, indices, values: indexAdd(zeros, 0, slot, this.#values), isCoalesced: true });
  }

  #zeros(shape: Shape): Tensor {
    return Tensor.zeros(this.dtype, shape, this.#values.storage.backend);
  }

  /** All elements, as a dense tensor. */
  toDense(): Tensor {
    const places = sizeOf(this.shape.slice(0, this.sparseDim));
    const zeros = this.#zeros([places, ...this.shape.slice(this.sparseDim)]);
    return indexAdd(zeros, 0, positionsOf(this.#indices, this.shape), this.#values).reshape(this.shape);
  }

  /** The same tensor with layout 'coo'. */
  toSparseCoo(): SparseTensor {
    const { shape, isCoalesced } = this;
    if (this.layout === 'coo') return this;
    return new SparseTensor({ shape, isCoalesced, indices: this.#indices, values: this.#values });
  }

  /** The same matrix with layout 'csr'; coalesced. */
  toSparseCsr(): SparseTensor {
    if (this.layout === 'csr') return this;
    if (this.ndim !== 2 || this.sparseDim !== 2)
      throw new ShapeError(
        'toSparseCsr',
        `takes a matrix of numbers, got ${formatShape(this.shape)} with ${this.denseDim} dense dimensions`,
      );
    const own = this.coalesce();
    const rows = elementsOf(own.#indices.select(0, 0), 'toSparseCsr');
    const crow = startsOf(rows, this.shape[0]!);
    const { storage, dtype } = own.#indices;
    return own.#with({ crow: to(Tensor.of(crow, 'int32', [crow.length], storage.backend), dtype) });
  }

  /** The tensor with two dimensions exchanged, which must both have coordinates or both be dense; layout 'coo' only. */
  transpose(dim0: number, dim1: number): SparseTensor {
    const [a, b] = [normalizeDim('transpose', dim0, this.ndim), normalizeDim('transpose', dim1, this.ndim)];
    const { sparseDim } = this;
    if (a < sparseDim !== b < sparseDim)
      throw new ShapeError(
        'transpose',
        `dimensions ${a} and ${b} must both have coordinates, which the first ${sparseDim} dimensions have, or both be dense`,
      );
    const shape = this.shape.slice();
    [shape[a], shape[b]] = [shape[b]!, shape[a]!];
    const [indices, values] = [this.#indices, this.#values];
    if (a >= sparseDim) {
      const moved = values.transpose(a - sparseDim + 1, b - sparseDim + 1);
      return new SparseTensor({ shape, indices, values: moved, isCoalesced: this.isCoalesced });
    }
    const order = this.shape.slice(0, sparseDim).map((_, d) => (d === a ? b : d === b ? a : d));
    const swapped = stack(order.map((d) => indices.select(0, d)));
    return new SparseTensor({ shape, indices: swapped, values, isCoalesced: this.nnz < 2 || a === b });
  }

  /** The matrix with rows and columns exchanged. */
  t(): SparseTensor {
    if (this.ndim !== 2) throw new ShapeError('t', `takes a matrix, got ${formatShape(this.shape)}`);
    return this.transpose(0, 1);
  }

  /** The product of this matrix `[m, n]` and a dense vector `[n]` or matrix `[n, k]`: dense, `[m]` or `[m, k]`. */
  matmul(dense: Tensor): Tensor {
    if (!Tensor.is(dense))
      throw new TypeError(
        `matmul: the other factor must be a dense Tensor, got ${SparseTensor.is(dense) ? 'a sparse one; use toDense()' : show(dense)}`,
      );
    const [m, n] = this.shape;
    if (this.ndim !== 2 || this.sparseDim !== 2 || dense.ndim < 1 || dense.ndim > 2 || dense.shape[0] !== n)
      throw new ShapeError(
        'matmul',
        `takes [m, n] of numbers and [n] or [n, k], got ${formatShape(this.shape)} and ${formatShape(dense.shape)}`,
      );
    if (dense.dtype !== this.dtype)
      throw new DTypeError('matmul', `the factors are ${this.dtype} and ${dense.dtype}; convert one with to()`);
    const [rows, columns] = [this.#indices.select(0, 0), this.#indices.select(0, 1)];
    const weights = dense.ndim === 1 ? this.#values : this.#values.unsqueeze(1);
    const terms = mul(indexSelect(dense, 0, columns), weights);
    return indexAdd(this.#zeros([m!, ...dense.shape.slice(1)]), 0, rows, terms);
  }

  /** The sum with a sparse tensor of the same shape, which is sparse, or with a dense tensor, which is dense. */
  add(other: SparseTensor): SparseTensor;
  add(other: Tensor): Tensor;
  add(other: SparseTensor | Tensor): SparseTensor | Tensor {
    if (Tensor.is(other)) return add(this.toDense(), other);
    if (!SparseTensor.is(other)) throw new TypeError(`add: expected a SparseTensor or a Tensor, got ${show(other)}`);
    if (formatShape(this.shape) !== formatShape(other.shape) || this.sparseDim !== other.sparseDim)
      throw new ShapeError(
        'add',
        `${formatShape(this.shape)} with ${this.sparseDim} dimensions of coordinates and ${formatShape(other.shape)} with ${other.sparseDim} differ`,
      );
    const both = new SparseTensor({
      shape: this.shape,
      indices: cat([this.#indices, other.#indices], 1),
      values: cat([this.#values, other.#values]),
      isCoalesced: false,
    });
    const sum = this.isCoalesced && other.isCoalesced ? both.coalesce() : both;
    return this.layout === 'csr' && other.layout === 'csr' ? sum.toSparseCsr() : sum;
  }

  /** All entries times a number or a tensor of one element. */
  mul(factor: number | Tensor): SparseTensor {
    checkFactor('mul', factor);
    return this.#withValues('mul', (values) => mul(values, factor));
  }

  /** All entries divided by a number or a tensor of one element. */
  div(divisor: number | Tensor): SparseTensor {
    checkFactor('div', divisor);
    return this.#withValues('div', (values) => div(values, divisor));
  }

  /** All entries with the opposite sign. */
  neg(): SparseTensor {
    return this.#withValues('neg', neg);
  }

  /** The sum over `dim`, by default over all elements: a dense tensor. */
  sum(dim?: Dim): Tensor {
    const dims = normalizeDims('sum', dim, this.ndim);
    const { sparseDim, shape } = this;
    const inner = dims.filter((d) => d >= sparseDim).map((d) => d - sparseDim + 1);
    const values = inner.length === 0 ? this.#values : sum(this.#values, inner);
    const kept = shape.slice(0, sparseDim).flatMap((_, d) => (dims.includes(d) ? [] : [d]));
    if (kept.length === 0) return sum(values, 0);
    const indices = stack(kept.map((d) => this.#indices.select(0, d)));
    const rest = shape.filter((_, d) => !dims.includes(d));
    return new SparseTensor({ shape: rest, indices, values, isCoalesced: false }).toDense();
  }

  /** The tensor with values of another dtype, or on another device. */
  to(target: DType | (string & {})): SparseTensor {
    return this.#withValues('to', (values) => to(values, target)).#onDevice(target);
  }

  #onDevice(target: string): SparseTensor {
    if (!isDevice(target)) return this;
    const crow = this.#crow && to(this.#crow, target);
    return this.#with({ indices: to(this.#indices, target), ...(crow === undefined ? {} : { crow }) });
  }

  /** The same values without a graph. */
  detach(): SparseTensor {
    return this.#with({ values: this.#values.detach() });
  }

  /** The layout, shape, coordinates and values, as text. */
  toString(): string {
    const places =
      this.#crow === undefined
        ? `indices: ${this.#indices}`
        : `crowIndices: ${this.#crow}, colIndices: ${this.#indices.select(0, 1)}`;
    return `sparseTensor(${places},\nvalues: ${this.#values}, shape: ${formatShape(this.shape)}, layout: ${this.layout})`;
  }

  /** A plain object with the arguments of `sparseCooTensor`, for `JSON.stringify`. */
  toJSON(): object {
    return { indices: this.#indices.toArray(), values: this.#values.toArray(), shape: this.shape };
  }

  /** JavaScript's own operators would take it for NaN, as in `loss > t`. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new TypeError(
      'SparseTensor: is no number for the operators of JavaScript, such as + and >; use add(), mul() and sum()',
    );
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  get [Symbol.toStringTag](): string {
    return 'SparseTensor';
  }

  /** @internal */
  get [brand](): object {
    return thisCopy;
  }
}

function checkFactor(op: string, factor: unknown): void {
  if (typeof factor === 'number' || (Tensor.is(factor) && factor.numel === 1 && factor.ndim <= 1)) return;
  throw new TypeError(`${op}: takes a number, or a tensor of one element, got ${show(factor)}`);
}

/** Where each of `count` rows begins among ascending row numbers, followed by how many row numbers there are. */
function startsOf(rows: TypedArray, count: number): Int32Array {
  checkSize('toSparseCsr', [count + 1]);
  const starts = allocate('int32', count + 1) as Int32Array;
  for (const row of rows) starts[row + 1]!++;
  for (let i = 0; i < count; i++) starts[i + 1]! += starts[i]!;
  return starts;
}

/** The position of each entry in the dimensions that have coordinates, flattened in row-major order. */
export function positionsOf(indices: Tensor, shape: Shape): Tensor {
  let at = indices.select(0, 0);
  for (let d = 1; d < indices.shape[0]!; d++) at = at.mul(shape[d]!).add(indices.select(0, d));
  return at;
}

/** Refuses coordinates outside of the shape. */
export function checkCoordinates(op: string, indices: Tensor, shape: Shape): void {
  checkIntegers(op, 'indices', indices);
  for (let d = 0; d < indices.shape[0]!; d++) {
    const n = shape[d]!;
    const refuse = (at: number) => new IndexError(op, `index ${at} is out of range for dimension ${d} of size ${n}`);
    kernelsOf(op, indices).checkRange(indices.select(0, d), 0, n - 1, refuse);
  }
}

/**
 * The product of a sparse matrix and a dense tensor, in either order: dense. `[m, n]` times `[n]` or `[n, k]`, and `[k, m]` or
 * `[m]` times `[m, n]`.
 *
 * ```ts
 * const a = sparseCooTensor([[0], [1]], [2], [2, 2]);
 * sparse.matmul(a, tensor([[1], [3]])); // [[6], [0]]
 * sparse.matmul(tensor([1, 3]), a); // [0, 2]
 * ```
 */
export function matmul(a: SparseTensor | Tensor, b: SparseTensor | Tensor): Tensor {
  for (const [name, x] of [
    ['a', a],
    ['b', b],
  ] as const)
    if (!SparseTensor.is(x) && !Tensor.is(x))
      throw new TypeError(`matmul: ${name} must be a tensor, sparse or dense, got ${show(x)}`);
  if (SparseTensor.is(a)) return a.matmul(b as Tensor);
  if (!SparseTensor.is(b)) return denseMatmul(a, b);
  if (a.ndim < 1 || a.ndim > 2 || b.ndim !== 2 || a.shape.at(-1) !== b.shape[0])
    throw new ShapeError(
      'matmul',
      `takes [m] or [k, m] and [m, n], got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  const turned = b.t();
  return a.ndim === 1 ? turned.matmul(a) : turned.matmul(a.transpose(0, 1)).transpose(0, 1);
}
