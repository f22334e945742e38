import type { Backend } from '../backend/backend.js';
import { kernelsOf } from '../backend/backends.js';
import { inOrder } from '../backend/host/searchsorted.js';
import { check, checkOptions } from '../check.js';
import { recordOf } from '../memory/dtype.js';
import { promoteTypes } from '../memory/promote.js';
import { normalizeDim } from '../memory/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import { exactOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { to } from './copy.js';
import { scalarDType } from './define.js';
import { indexSelect } from './indexing.js';
import type * as self from './unique.js';

// Sets of values. None of these has a gradient.

/** The distinct values in their order, and for each element the index of its value. */
export interface Unique {
  /** The values, each once. */
  readonly values: Tensor;
  /** For each element, the index of its value; int32, in the shape of the input. */
  readonly inverse: Tensor;
  /** How often each value occurs; int32. */
  readonly counts: Tensor;
}

const ints = (values: ArrayLike<number>, backend: Backend, shape = [values.length]): Tensor =>
  Tensor.of(Int32Array.from(values), 'int32', shape, backend);

/** Groups `keys` (of elements or slices): the first of each group, and the group of each. */
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
 * The distinct elements in ascending order; with `dim` the distinct slices along it.
 *
 * ```ts
 * unique(tensor([2, 1, 2])).values; // [1, 2]
 * ```
 */
export const unique = /* @__PURE__ */ grouped('unique', true);

/**
 * The elements (slices along `dim`) without those that equal their predecessor.
 *
 * ```ts
 * uniqueConsecutive(tensor([1, 1, 2, 1])).values; // [1, 2, 1]
 * ```
 */
export const uniqueConsecutive = /* @__PURE__ */ grouped('uniqueConsecutive', false);

function grouped(op: string, sorted: boolean): (x: Tensor, options?: { dim?: number }) => Unique {
  return madeOf(op, (x: Tensor, options?: { dim?: number }) => {
    const { dim } = checkOptions(op, options, uniqueOptions);
    const t = dim === undefined ? x.detach().flatten() : x.detach();
    const d = normalizeDim(op, dim ?? 0, t.ndim);
    const n = t.shape[d] ?? 1;
    const size = n === 0 ? 0 : t.numel / n;
    const data = exactOf(t.ndim === 0 ? t : t.transpose(0, d), op);
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
  });
}

const isinOptions = { invert: is.boolean };

/**
 * Whether each element of `x` is one of `values`, or with `invert` none of them: bool, in the shape of `x`.
 *
 * ```ts
 * isin(tensor([1, 2]), [2, 3]); // [false, true]
 * ```
 */
export function isin(x: Tensor, values: Tensor | readonly number[], options?: { invert?: boolean }): Tensor {
  const { invert = false } = checkOptions('isin', options, isinOptions);
  checkTensors('isin', x);
  if (!Tensor.is(values)) check('isin', 'values', values, is.arrayOf(is.number));
  const known = Tensor.is(values) ? values : listOf(values, x);
  if ((known.dtype === 'int64') !== (x.dtype === 'int64')) {
    const dtype = promoteTypes(x.dtype, known.dtype);
    return isin(to(x, dtype), to(known, dtype), { invert });
  }
  const { backend } = x.storage;
  const out = Tensor.uninitialized('bool', x.shape, backend);
  kernelsOf('isin', x, known).isin(x, known, invert, out);
  return out;
}

/** Numbers as a tensor beside `x`, of a dtype that holds all of them. */
function listOf(values: readonly number[], x: Tensor): Tensor {
  const dtype = values.map((v) => scalarDType(v, x)).reduce(promoteTypes, x.dtype);
  return Tensor.of(new (recordOf(dtype).array)(values), dtype, [values.length], x.storage.backend);
}

const plain = {
  unique,
  uniqueConsecutive,
  isin,
};
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
