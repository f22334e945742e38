import { kernelsOf } from '../backend/backends.js';
import { closeWindows } from '../backend/host/storage.js';
import { check, checkOptions, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { repeated, writeTo } from '../graph/positions.js';
import { isFloat } from '../memory/dtype.js';
import { checkSize, formatShape } from '../memory/shape.js';
import { checkIntegers, checkTensors, madeOf } from '../tensor/check.js';
import { elementsOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, type MethodsOf, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { floatOrComplex, toTensor } from './define.js';
import type * as self from './histogram.js';

// Counting and looking up values. None of these has a gradient.

const bincountOptions = { weights: is.tensor, minlength: is.size };

/**
 * How often each number from 0 up occurs in `x` (int32), or the sum of its `weights`: of integers and bool in int64.
 *
 * ```ts
 * bincount(tensor([0, 2, 2], { dtype: 'int32' })); // [1, 0, 2]
 * ```
 */
export const bincount = /* @__PURE__ */ madeOf(
  'bincount',
  (x: Tensor, options?: { weights?: Tensor; minlength?: number }): Tensor => {
    const { weights, minlength = 0 } = checkOptions('bincount', options, bincountOptions);
    checkIntegers('bincount', 'values', x);
    if (x.ndim !== 1) throw new ShapeError('bincount', `takes one dimension, got ${formatShape(x.shape)}`);
    if (weights && formatShape(weights.shape) !== formatShape(x.shape))
      throw new ShapeError(
        'bincount',
        `weights ${formatShape(weights.shape)} for values ${formatShape(x.shape)}: shapes must be equal`,
      );
    const data = elementsOf(x, 'bincount');
    let top = minlength - 1;
    for (let i = 0; i < data.length; i++) {
      if (data[i]! < 0) throw new RangeError(`bincount: values must be from 0 up, got ${show(data[i])}`);
      top = Math.max(top, data[i]!);
    }
    checkSize('bincount', [top + 1]);
    const summed = weights && (isFloat(weights.dtype) ? weights : weights.to('int64'));
    const out = Tensor.zeros(summed?.dtype ?? 'int32', [top + 1], x.storage.backend);
    writeTo(out, 'bincount', 'add', 0, x, summed ?? repeated(1, x.shape, out));
    closeWindows();
    return out;
  },
);

const histcOptions = { bins: is.count, min: is.number, max: is.number };

/**
 * How many elements lie in each of `bins` equal parts of [min, max]; by default of the range of the elements.
 *
 * ```ts
 * histc(tensor([0, 1, 2, 3]), { bins: 2 }); // [2, 2]
 * ```
 */
export const histc = /* @__PURE__ */ madeOf(
  'histc',
  (x: Tensor, options?: { bins?: number; min?: number; max?: number }): Tensor => {
    const { bins = 100, min = 0, max = 0 } = checkOptions('histc', options, histcOptions);
    floatOrComplex('histc', x);
    if (!(min <= max)) throw new RangeError(`histc: min must not be above max, got ${show(min)} and ${show(max)}`);
    checkSize('histc', [bins]);
    let [low, high] = [min, max];
    if (low === high && x.numel > 0) {
      [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      for (const v of elementsOf(x, 'histc')) [low, high] = [Math.min(low, v), Math.max(high, v)];
    }
    if (low === high) [low, high] = [low - 1, high + 1];
    if (!Number.isFinite(low) || !Number.isFinite(high))
      throw new RangeError(`histc: the range from ${low} to ${high} is not finite`);
    const out = Tensor.uninitialized(x.dtype, [bins], x.storage.backend);
    kernelsOf('histc', x).histogram(x, low, high, out);
    closeWindows();
    return out;
  },
);

/** Options of `searchsorted` and `bucketize`. */
export interface SearchOptions {
  /** After equal elements rather than before them. */
  right?: boolean;
}

const searchsortedOptions = { right: is.boolean };

/**
 * The positions at which `values` can be inserted to keep `sorted` in ascending order along the last dimension; int32.
 * `sorted` is one line for all values, or has their leading dimensions.
 *
 * ```ts
 * searchsorted(tensor([1, 3, 5]), tensor([2, 3])); // [1, 1]
 * ```
 */
export function searchsorted(sorted: Tensor, values: Tensor | number, options?: SearchOptions): Tensor {
  const { right = false } = checkOptions('searchsorted', options, searchsortedOptions);
  checkTensors('searchsorted', sorted);
  check('searchsorted', 'values', values, is.either(is.tensor, is.number));
  const v = toTensor('searchsorted', values, sorted);
  if (sorted.ndim === 0) throw new ShapeError('searchsorted', 'takes a sorted tensor of at least one dimension');
  const lead = formatShape(sorted.shape.slice(0, -1));
  if (sorted.ndim > 1 && lead !== formatShape(v.shape.slice(0, -1)))
    throw new ShapeError(
      'searchsorted',
      `sorted ${formatShape(sorted.shape)} and values ${formatShape(v.shape)} must agree but for the last size`,
    );
  const out = Tensor.uninitialized('int32', v.shape, sorted.storage.backend);
  kernelsOf('searchsorted', sorted, v).searchsorted(sorted, v, right, out);
  return out;
}

/**
 * The index of the interval between `boundaries` (ascending) in which each element of `x` lies; int32.
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
      throw new ShapeError('bucketize', `boundaries must have one dimension, got ${formatShape(boundaries.shape)}`);
    return searchsorted(boundaries, x, options);
  },
);

const plain = {
  bincount,
  histc,
};
methods(plain);

const own = {
  /** For each element, the index of the interval between `boundaries` that contains it. */
  bucketize: (x: Tensor, boundaries: Tensor, options?: SearchOptions): Tensor => bucketize(x, boundaries, options),
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain>, MethodsOf<typeof own> {}
}
