import { isDevice } from '../backend/backends.js';
import { brand, thisCopy } from '../brand.js';
import { show } from '../check.js';
import { DeviceError, DTypeError, inNameOf, ShapeError } from '../errors.js';
import type { DType } from '../memory/dtype.js';
import { formatShape, normalizeDim, normalizeDims, type Shape, sizeOf } from '../memory/shape.js';
import { tensorsAreSentByPackTensorAndUnpackTensor } from '../memory/storage.js';
import { to } from '../ops/copy.js';
import { add, div, mul, neg } from '../ops/elementwise.js';
import { indexAdd, indexSelect } from '../ops/indexing.js';
import { cat, stack } from '../ops/joining.js';
import { type Dim, sum } from '../ops/sum.js';
import { elementsOf } from '../tensor/elements.js';
import { Tensor } from '../tensor/tensor.js';
import { beside, coalesced, type Entries, overlap, positionsOf, product, startsOf } from './entries.js';

/**
 * How a sparse tensor stores where its entries are: their coordinates ('coo'), or for a matrix where each row begins
 * ('csr').
 */
export type SparseLayout = 'coo' | 'csr';

/**
 * A tensor that stores only some entries; all others are 0. It is not a `Tensor`: it has the methods below, and all
 * other functions refuse it. Gradients flow through `values`, which is an ordinary tensor, and to dense operands. Made
 * by `sparseCooTensor`, `sparseCsrTensor` and `toSparse`.
 *
 * ```ts
 * const a = sparseCooTensor([[0, 1], [2, 0]], [3, 4], [2, 3]);
 * a.toDense(); // [[0, 0, 3], [4, 0, 0]]
 * a.matmul(ones([3, 1])); // [[3], [4]]
 * ```
 */
export class SparseTensor {
  /** How it stores where its entries are. */
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

  /** Whether `value` is a sparse tensor. */
  static is(value: unknown): value is SparseTensor {
    return typeof value === 'object' && value !== null && #indices in value;
  }

  /** What the values are. */
  get dtype(): DType {
    return this.#values.dtype;
  }
  /** The device that the values are on. */
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
  /** How many dimensions each entry has. */
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

  /** @internal The same entries with other values, which `compute` makes of them and of the coordinates. */
  mapEntries(op: string, compute: (values: Tensor, indices: Tensor) => Tensor): SparseTensor {
    return this.#withValues(op, (values) => compute(values, this.#indices));
  }

  /**
   * The same tensor with each entry once, in row-major order: entries with the same coordinates are summed. It reads
   * the coordinates.
   */
  coalesce(): SparseTensor {
    return this.isCoalesced ? this : new SparseTensor(coalesced(this.#entries));
  }

  get #entries(): Entries {
    const { shape, isCoalesced } = this;
    return { shape, isCoalesced, indices: this.#indices, values: this.#values };
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
    return own.#with({ crow: beside(own.#indices, startsOf('toSparseCsr', rows, this.shape[0]!)) });
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

  /**
   * The product of this matrix `[m, n]` and a dense vector `[n]` or matrix `[n, k]`: dense, `[m]` or `[m, k]`. With a
   * sparse matrix `[n, k]` the product `[m, k]` is sparse and coalesced; of layout 'csr' if both are.
   */
  matmul(other: Tensor): Tensor;
  /** The product of two sparse matrices: sparse. */
  matmul(other: SparseTensor): SparseTensor;
  /** The product: sparse if the other factor is, else dense. */
  matmul(other: Tensor | SparseTensor): Tensor | SparseTensor;
  matmul(other: Tensor | SparseTensor): Tensor | SparseTensor {
    const isSparse = SparseTensor.is(other);
    if (!isSparse && !Tensor.is(other))
      throw new TypeError(`matmul: the other factor must be a tensor, sparse or dense, got ${show(other)}`);
    const [m, n] = this.shape;
    const dims = other.ndim;
    const fits = isSparse ? dims === 2 && other.sparseDim === 2 : dims === 1 || dims === 2;
    if (this.ndim !== 2 || this.sparseDim !== 2 || !fits || other.shape[0] !== n)
      throw new ShapeError(
        'matmul',
        `takes [m, n] of numbers and [n] or [n, k], got ${formatShape(this.shape)} and ${formatShape(other.shape)}`,
      );
    this.#checkBeside('matmul', other);
    if (isSparse) {
      const out = new SparseTensor(coalesced(product(this.#entries, other.coalesce().#entries)));
      return this.layout === 'csr' && other.layout === 'csr' ? out.toSparseCsr() : out;
    }
    const [rows, columns] = [this.#indices.select(0, 0), this.#indices.select(0, 1)];
    const weights = dims === 1 ? this.#values : this.#values.unsqueeze(1);
    const terms = mul(indexSelect(other, 0, columns), weights);
    return indexAdd(this.#zeros([m!, ...other.shape.slice(1)]), 0, rows, terms);
  }

  #checkBeside(op: string, other: Tensor | SparseTensor): void {
    if (other.dtype !== this.dtype)
      throw new DTypeError(op, `the factors are ${this.dtype} and ${other.dtype}; convert one with to()`);
    if (other.device !== this.device)
      throw new DeviceError(op, `the factors are on ${this.device} and ${other.device}; move one with to()`);
  }

  #checkShape(op: string, other: Tensor | SparseTensor): void {
    const sparseDim = SparseTensor.is(other) ? other.sparseDim : this.sparseDim;
    if (formatShape(this.shape) !== formatShape(other.shape) || this.sparseDim !== sparseDim)
      throw new ShapeError(
        op,
        `${formatShape(this.shape)} with ${this.sparseDim} dimensions of coordinates and ${formatShape(other.shape)} with ${sparseDim} differ`,
      );
  }

  /** The sum with a sparse tensor of the same shape, which is sparse, or with a dense tensor, which is dense. */
  add(other: SparseTensor): SparseTensor;
  /** The sum with a dense tensor, which is dense. */
  add(other: Tensor): Tensor;
  add(other: SparseTensor | Tensor): SparseTensor | Tensor {
    if (Tensor.is(other)) return add(this.toDense(), other);
    if (!SparseTensor.is(other)) throw new TypeError(`add: expected a SparseTensor or a Tensor, got ${show(other)}`);
    this.#checkShape('add', other);
    const both = new SparseTensor({
      shape: this.shape,
      indices: cat([this.#indices, other.#indices], 1),
      values: cat([this.#values, other.#values]),
      isCoalesced: false,
    });
    const sum = this.isCoalesced && other.isCoalesced ? both.coalesce() : both;
    return this.layout === 'csr' && other.layout === 'csr' ? sum.toSparseCsr() : sum;
  }

  /** The difference from a sparse tensor of the same shape, which is sparse, or from a dense tensor, which is dense. */
  sub(other: SparseTensor): SparseTensor;
  /** The difference from a dense tensor, which is dense. */
  sub(other: Tensor): Tensor;
  sub(other: SparseTensor | Tensor): SparseTensor | Tensor {
    if (!Tensor.is(other) && !SparseTensor.is(other))
      throw new TypeError(`sub: expected a SparseTensor or a Tensor, got ${show(other)}`);
    return this.add(other.neg() as SparseTensor);
  }

  /**
   * All entries times a number or a tensor of one element; or the product of elements with a sparse or dense tensor of
   * the same shape, which has the entries that both store.
   */
  mul(factor: number | Tensor | SparseTensor): SparseTensor {
    if (SparseTensor.is(factor)) {
      this.#checkShape('mul', factor);
      this.#checkBeside('mul', factor);
      const out = new SparseTensor(overlap(this.coalesce().#entries, factor.coalesce().#entries));
      return this.layout === 'csr' && factor.layout === 'csr' ? out.toSparseCsr() : out;
    }
    if (Tensor.is(factor) && !isOne(factor)) {
      this.#checkShape('mul', factor);
      this.#checkBeside('mul', factor);
      return this.#withValues('mul', (values) => mul(values, this.#at(factor)));
    }
    checkFactor('mul', factor);
    return this.#withValues('mul', (values) => mul(values, factor));
  }

  /** The elements of a dense tensor of this shape where entries are stored. */
  #at(dense: Tensor): Tensor {
    const [places, inner] = [this.shape.slice(0, this.sparseDim), this.shape.slice(this.sparseDim)];
    return indexSelect(dense.reshape(sizeOf(places), ...inner), 0, positionsOf(this.#indices, this.shape));
  }

  /**
   * The elements of a dense tensor of this shape where this one stores entries, as a sparse tensor: a mask. Gradients
   * flow to `x`.
   *
   * ```ts
   * sparseCooTensor([[1]], [1], [2]).mask(tensor([5, 6])).values(); // [6]
   * ```
   */
  mask(x: Tensor): SparseTensor {
    if (!Tensor.is(x))
      throw new TypeError(
        `mask: expected a dense Tensor, got ${SparseTensor.is(x) ? 'a sparse one; use toDense()' : show(x)}`,
      );
    this.#checkShape('mask', x);
    const own = this.coalesce();
    return own.#withValues('mask', () => own.#at(x));
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

/** What these refuse is refused in their names, though other operators compute the values. */
const composed = [
  'coalesce',
  'toDense',
  'toSparseCsr',
  'matmul',
  'add',
  'sub',
  'mul',
  'mask',
  'div',
  'neg',
  'sum',
] as const;
for (const name of composed) {
  const compute = SparseTensor.prototype[name] as (...args: unknown[]) => unknown;
  const method = function (this: SparseTensor, ...args: unknown[]) {
    try {
      return Reflect.apply(compute, this, args);
    } catch (error) {
      throw inNameOf(name, error);
    }
  };
  Object.defineProperty(method, 'name', { value: name });
  Object.defineProperty(SparseTensor.prototype, name, { value: method, writable: true, configurable: true });
}

const isOne = (x: Tensor): boolean => x.numel === 1 && x.ndim <= 1;

function checkFactor(op: string, factor: unknown): void {
  if (typeof factor === 'number' || (Tensor.is(factor) && isOne(factor))) return;
  throw new TypeError(`${op}: takes a number, or a tensor of one element, got ${show(factor)}`);
}
