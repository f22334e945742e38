import { kernelsOf } from '../backend/backends.js';
import { IndexError, ShapeError } from '../errors.js';
import { allocate } from '../memory/allocate.js';
import type { TypedArray } from '../memory/dtype.js';
import { checkSize, formatShape, type Shape } from '../memory/shape.js';
import { to } from '../ops/copy.js';
import { mul } from '../ops/elementwise.js';
import { indexAdd, indexSelect } from '../ops/indexing.js';
import { checkIntegers } from '../tensor/check.js';
import { elementsOf } from '../tensor/elements.js';
import { Tensor } from '../tensor/tensor.js';

// What sparse tensors are made of, and what is computed of their coordinates.

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

/** Refuses coordinates outside of the shape. */
export function checkCoordinates(op: string, indices: Tensor, shape: Shape): void {
  checkIntegers(op, 'indices', indices);
  for (let d = 0; d < indices.shape[0]!; d++) {
    const n = shape[d]!;
    const refuse = (at: number) => new IndexError(op, `index ${at} is out of range for dimension ${d} of size ${n}`);
    kernelsOf(op, indices).checkRange(indices.select(0, d), 0, n - 1, refuse);
  }
}

/** The position of each entry in the dimensions that have coordinates, flattened in row-major order. */
export function positionsOf(indices: Tensor, shape: Shape): Tensor {
  let at = indices.select(0, 0);
  for (let d = 1; d < indices.shape[0]!; d++) at = at.mul(shape[d]!).add(indices.select(0, d));
  return at;
}

/** The same on the host, in float64, which counts further than the integers of an index. `dims` selects dimensions. */
export function placesOf(op: string, { indices, shape }: Entries, dims?: readonly number[]): Float64Array {
  const [sparseDim, nnz] = indices.shape as [number, number];
  const own = dims ?? Array.from({ length: sparseDim }, (_, d) => d);
  if (own.reduce((size, d) => size * shape[d]!, 1) > Number.MAX_SAFE_INTEGER)
    throw new ShapeError(op, `the shape ${formatShape(shape)} has more places than can be told apart, which are 2^53`);
  const at = elementsOf(indices, op);
  const places = new Float64Array(nnz);
  for (const d of own) for (let i = 0; i < nnz; i++) places[i] = places[i]! * shape[d]! + at[d * nnz + i]!;
  return places;
}

/** The different numbers in ascending order, and where each number is among them. */
export function ranked(places: Float64Array): { order: Float64Array; slots: Int32Array } {
  const order = Float64Array.from(new Set(places)).sort();
  const ranks = new Map<number, number>();
  order.forEach((place, i) => {
    ranks.set(place, i);
  });
  return { order, slots: Int32Array.from(places, (place) => ranks.get(place)!) };
}

/** Integers on the host as a tensor beside `like`. */
export const beside = (like: Tensor, numbers: Int32Array, shape: Shape = [numbers.length]): Tensor =>
  to(Tensor.of(numbers, 'int32', shape, like.storage.backend), like.dtype);

/** Each entry once, in row-major order: those with the same coordinates are summed. It reads the coordinates. */
export function coalesced(entries: Entries): Entries {
  const { shape, indices, values } = entries;
  const sparseDim = indices.shape[0]!;
  const { order, slots } = ranked(placesOf('coalesce', entries));
  const coordinates = new Int32Array(sparseDim * order.length);
  order.forEach((place, i) => {
    for (let d = sparseDim - 1, rest = place; d >= 0; d--) {
      coordinates[d * order.length + i] = rest % shape[d]!;
      rest = Math.floor(rest / shape[d]!);
    }
  });
  const zeros = Tensor.zeros(values.dtype, [order.length, ...values.shape.slice(1)], values.storage.backend);
  return {
    shape,
    indices: beside(indices, coordinates, [sparseDim, order.length]),
    values: indexAdd(zeros, 0, beside(indices, slots), values),
    isCoalesced: true,
  };
}

/** Where each of `count` rows begins among ascending row numbers, followed by how many row numbers there are. */
export function startsOf(op: string, rows: TypedArray, count: number): Int32Array {
  checkSize(op, [count + 1]);
  const starts = allocate('int32', count + 1) as Int32Array;
  for (const row of rows) starts[row + 1]!++;
  for (let i = 0; i < count; i++) starts[i + 1]! += starts[i]!;
  return starts;
}

/**
 * The product of two sparse matrices, `[m, n]` and coalesced `[n, k]`: an entry for each two that meet, which may
 * repeat.
 */
export function product(a: Entries, b: Entries): Entries {
  const op = 'matmul';
  const [at, bt] = [elementsOf(a.indices, op), elementsOf(b.indices, op)];
  const [m, n] = [a.values.shape[0]!, b.values.shape[0]!];
  const starts = startsOf(op, bt.subarray(0, n), b.shape[0]!);
  let count = 0;
  for (let i = 0; i < m; i++) count += starts[at[m + i]! + 1]! - starts[at[m + i]!]!;
  checkSize(op, [count, 4]);
  const [left, right] = [new Int32Array(count), new Int32Array(count)];
  const coordinates = new Int32Array(2 * count);
  for (let i = 0, k = 0; i < m; i++)
    for (let j = starts[at[m + i]!]!; j < starts[at[m + i]! + 1]!; j++, k++) {
      left[k] = i;
      right[k] = j;
      coordinates[k] = at[i]!;
      coordinates[count + k] = bt[n + j]!;
    }
  return {
    shape: [a.shape[0]!, b.shape[1]!],
    indices: beside(a.indices, coordinates, [2, count]),
    values: mul(chosen(a, left), chosen(b, right)),
    isCoalesced: false,
  };
}

/** The product of each two elements that two coalesced tensors of one shape both store. */
export function overlap(a: Entries, b: Entries): Entries {
  const [places, others] = [placesOf('mul', a), placesOf('mul', b)];
  const [left, right]: [number[], number[]] = [[], []];
  for (let i = 0, j = 0; i < places.length && j < others.length; ) {
    if (places[i] === others[j]) {
      left.push(i);
      right.push(j);
    }
    if (places[i]! <= others[j]!) i++;
    else j++;
  }
  const own = Int32Array.from(left);
  return {
    shape: a.shape,
    indices: indexSelect(a.indices, 1, beside(a.indices, own)),
    values: mul(chosen(a, own), chosen(b, Int32Array.from(right))),
    isCoalesced: true,
  };
}

const chosen = ({ values, indices }: Entries, which: Int32Array): Tensor =>
  indexSelect(values, 0, beside(indices, which));
