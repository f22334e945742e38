import type { Backend } from '../backend/backend.js';
import { kernelsOf } from '../backend/backends.js';
import { inOrder } from '../backend/host/searchsorted.js';
import { closeWindows } from '../backend/host/storage.js';
import { check, checkOptions, show } from '../check.js';
import { DTypeError, named, ShapeError } from '../errors.js';
import { repeated, writeTo } from '../graph/positions.js';
import { isFloat } from '../memory/dtype.js';
import { promoteTypes } from '../memory/promote.js';
import { checkSize, formatShape, normalizeDim } from '../memory/shape.js';
import { checkIntegers, checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, type MethodsOf, methods, Tensor } from '../tensor/tensor.js';
import { indexSelect } from './indexing.js';
import { to } from './shape.js';
import type * as self from './unique.js';

// What counts and looks up values. No gradient flows through any of these.

/** The different values, in what order they stand in, and for each element which one it is. */
export interface Unique {
  /** The values, each once. */
  readonly values: Tensor;
  /** For each element the place of its value; int32, the shape of the input. */
  readonly inverse: Tensor;
  /** How often each value is there; int32. */
  readonly counts: Tensor;
}

const ints = (values: ArrayLike<number>, backend: Backend, shape = [values.length]): Tensor =>
  Tensor.of(Int32Array.from(values), 'int32', shape, backend);

/** Groups `keys` (for elements or slices): which were first of their kind, and the group of each. */
function group(n: number, same: (i: number, j: number) => boolean, order: Int32Array) {
  const first: number[] = [];
  const counts: number[] = [];
  const inverse = new Int32Array(n);
  order.forEach((i, k) => {
    if (k === 0 || !same(order[k - 1]!, i)) {
      first.push(i);
      counts.push(0);
    }
    counts[counts.length - 1]!++;
    inverse[i] = first.length - 1;
  });
  return { first, counts, inverse };
}

const uniqueOptions = { dim: is.integer };

/**
 * The different elements in rising order; with `dim` the different slices along it.
 *
 * ```ts
 * unique(tensor([2, 1, 2])).values; // [1, 2]
 * ```
 */
export function unique(x: Tensor, options?: { dim?: number }): Unique {
  const { dim } = checkOptions('unique', options, uniqueOptions);
  checkTensors('unique', x);
  return groups('unique', x, dim, true);
}

const uniqueConsecutiveOptions = { dim: is.integer };

/**
 * The elements (slices along `dim`) without those that equal the one before.
 *
 * ```ts
 * uniqueConsecutive(tensor([1, 1, 2, 1])).values; // [1, 2, 1]
 * ```
 */
export function uniqueConsecutive(x: Tensor, options?: { dim?: number }): Unique {
  const { dim } = checkOptions('uniqueConsecutive', options, uniqueConsecutiveOptions);
  checkTensors('uniqueConsecutive', x);
  return groups('uniqueConsecutive', x, dim, false);
}

function groups(op: string, x: Tensor, dim: number | undefined, sorted: boolean): Unique {
  const t = dim === undefined ? x.detach().flatten() : x.detach();
  const d = normalizeDim(op, dim ?? 0, t.ndim);
  const n = t.shape[d] ?? 1;
  const size = n === 0 ? 0 : t.numel / n;
  const data = (t.ndim === 0 ? t : t.transpose(0, d)).exact(op);
  const compare = (i: number, j: number) => {
    for (let p = i * size, q = j * size, end = p + size; p < end; p++, q++) {
      const c = inOrder(data[p]!, data[q]!);
      if (c !== 0) return c;
    }
    return 0;
  };
  const order = Int32Array.from({ length: n }, (_, i) => i);
  if (sorted) order.sort((i, j) => compare(i, j) || i - j);
  const same = (i: number, j: number) => compare(i, j) === 0 && !Number.isNaN(data[i * size]);
  const { first, counts, inverse } = group(n, same, order);
  const { backend } = x.storage;
  return {
    values: indexSelect(t.ndim === 0 ? t.reshape(1) : t, d, ints(first, backend)),
    inverse: ints(inverse, backend, dim === undefined ? [...x.shape] : [n]),
    counts: ints(counts, backend),
  };
}

const bincountOptions = { weights: is.tensor, minlength: is.size };

/**
 * How often each whole number from 0 up is in `x` (int32), or the sum of its `weights`.
 *
 * ```ts
 * bincount(tensor([0, 2, 2], { dtype: 'int32' })); // [1, 0, 2]
 * ```
 */
export const bincount = /* @__PURE__ */ named(
  'bincount',
  (x: Tensor, options?: { weights?: Tensor; minlength?: number }): Tensor => {
    const { weights, minlength = 0 } = checkOptions('bincount', options, bincountOptions);
    checkTensors('bincount', x);
    checkIntegers('bincount', 'values', x);
    if (x.ndim !== 1) throw new ShapeError('bincount', `takes one dimension, got ${formatShape(x.shape)}`);
    if (weights && formatShape(weights.shape) !== formatShape(x.shape))
      throw new ShapeError(
        'bincount',
        `weights ${formatShape(weights.shape)} for values ${formatShape(x.shape)}: shapes must be equal`,
      );
    const data = x.elements('bincount');
    let top = minlength - 1;
    for (let i = 0; i < data.length; i++) {
      if (data[i]! < 0) throw new RangeError(`bincount: values are from 0 up, got ${show(data[i])}`);
      top = Math.max(top, data[i]!);
    }
    checkSize('bincount', [top + 1]);
    const out = Tensor.empty(weights?.dtype ?? 'int32', [top + 1], x.storage.backend);
    writeTo(out, 'bincount', 'add', 0, x, weights ?? repeated(1, x.shape, out));
    closeWindows();
    return out;
  },
);

const histcOptions = { bins: is.count, min: is.number, max: is.number };

/**
 * How many elements lie in each of `bins` equal parts of [min, max]; without both, of what the elements span.
 *
 * ```ts
 * histc(tensor([0, 1, 2, 3]), { bins: 2 }); // [2, 2]
 * ```
 */
export const histc = /* @__PURE__ */ named(
  'histc',
  (x: Tensor, options?: { bins?: number; min?: number; max?: number }): Tensor => {
    const { bins = 100, min = 0, max = 0 } = checkOptions('histc', options, histcOptions);
    checkTensors('histc', x);
    if (!isFloat(x.dtype)) throw new DTypeError('histc', `takes floating point tensors, got ${x.dtype}; use .float()`);
    if (!Number.isInteger(bins) || bins < 1)
      throw new RangeError(`histc: bins is a whole number above 0, got ${show(bins)}`);
    if (!(min <= max)) throw new RangeError(`histc: min is not above max, got ${show(min)} and ${show(max)}`);
    checkSize('histc', [bins]);
    let [low, high] = [min, max];
    if (low === high && x.numel > 0) {
      [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const v of x.elements('histc')) [low, high] = [Math.min(low, v), Math.max(high, v)];
    }
    if (low === high) [low, high] = [low - 1, high + 1];
    if (!Number.isFinite(low) || !Number.isFinite(high))
      throw new RangeError(`histc: the range from ${low} to ${high} is not finite`);
    const out = Tensor.unwritten(x.dtype, [bins], x.storage.backend);
    kernelsOf('histc', x).histogram(x, low, high, out);
    closeWindows();
    return out;
  },
);

export interface SearchOptions {
  /** Behind equal elements rather than before them. */
  right?: boolean;
}

const searchsortedOptions = { right: is.boolean };

/**
 * Where `values` would go to keep `sorted` in rising order along the last dimension; int32. One line for all values, or
 * leading dimensions as the values have.
 *
 * ```ts
 * searchsorted(tensor([1, 3, 5]), tensor([2, 3])); // [1, 1]
 * ```
 */
export function searchsorted(sorted: Tensor, values: Tensor | number, options?: SearchOptions): Tensor {
  const { right = false } = checkOptions('searchsorted', options, searchsortedOptions);
  checkTensors('searchsorted', sorted);
  const v = Tensor.is(values) ? values : Tensor.of(Float64Array.of(values), 'float64', [], sorted.storage.backend);
  if (sorted.ndim === 0) throw new ShapeError('searchsorted', 'takes a sorted tensor of at least one dimension');
  const lead = formatShape(sorted.shape.slice(0, -1));
  if (sorted.ndim > 1 && lead !== formatShape(v.shape.slice(0, -1)))
    throw new ShapeError(
      'searchsorted',
      `sorted ${formatShape(sorted.shape)} and values ${formatShape(v.shape)} must agree but for the last size`,
    );
  const out = Tensor.unwritten('int32', v.shape, sorted.storage.backend);
  kernelsOf('searchsorted', sorted, v).searchsorted(sorted, v, right, out);
  return out;
}

/**
 * Which part between `boundaries`, in rising order, each element of `x` lies in; int32.
 *
 * ```ts
 * bucketize(tensor([0, 2, 9]), tensor([1, 3])); // [0, 1, 2]
 * ```
 */
export const bucketize = /* @__PURE__ */ named(
  'bucketize',
  (x: Tensor | number, boundaries: Tensor, options?: SearchOptions): Tensor => {
    checkTensors('bucketize', boundaries);
    if (boundaries.ndim !== 1)
      throw new ShapeError('bucketize', `boundaries have one dimension, got ${formatShape(boundaries.shape)}`);
    return searchsorted(boundaries, x, options);
  },
);

const isinOptions = { invert: is.boolean };

/**
 * Whether each element is one of `values`; bool.
 *
 * ```ts
 * isin(tensor([1, 2]), [2, 3]); // [false, true]
 * ```
 */
export function isin(x: Tensor, values: Tensor | readonly number[], options?: { invert?: boolean }): Tensor {
  const { invert = false } = checkOptions('isin', options, isinOptions);
  checkTensors('isin', x);
  if (Tensor.is(values) && (values.dtype === 'int64') !== (x.dtype === 'int64')) {
    const dtype = promoteTypes(x.dtype, values.dtype);
    return isin(to(x, dtype), to(values, dtype), { invert });
  }
  if (!Tensor.is(values)) check('isin', 'values', values, is.arrayOf(is.number));
  const { backend } = x.storage;
  const known = Tensor.is(values) ? values : Tensor.of(Float64Array.from(values), 'float64', [values.length], backend);
  const out = Tensor.unwritten('bool', x.shape, backend);
  kernelsOf('isin', x, known).isin(x, known, invert, out);
  return out;
}

const plain = { unique, uniqueConsecutive, bincount, histc, isin };
methods(plain);

const own = {
  /** For each element the index of the interval between `boundaries` that it lies in. */
  bucketize: (x: Tensor, boundaries: Tensor, options?: SearchOptions): Tensor => bucketize(x, boundaries, options),
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain>, MethodsOf<typeof own> {}
}
