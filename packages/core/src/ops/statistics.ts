import { kernelsOf } from '../backend/backends.js';
import { check, checkOptions, show } from '../check.js';
import { DTypeError, IndexError, named, ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { gatherAlong } from '../graph/positions.js';
import { isFloat } from '../memory/dtype.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { checkNotEmpty, checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { clamp, lerp } from './arithmetic.js';
import { inFloat32 } from './casting.js';
import { isnan } from './comparison.js';
import { floatOnly, realOnly } from './define.js';
import { diagonal } from './diagonal.js';
import { div, sqrt, sub } from './elementwise.js';
import { amax, amin, type ValuesAndIndices } from './extrema.js';
import { evenly } from './gradients.js';
import { narrow, stack } from './joining.js';
import { matmul } from './matmul.js';
import { keepDim } from './options.js';
import { type Dim, type KeepDim, mean, stdMean, sum, varMean } from './reduce.js';
import { ne } from './relational.js';
import { unsqueeze } from './shape.js';
import { argsort } from './sorting.js';
import type * as self from './statistics.js';
import { where } from './where.js';

/**
 * The sum over `dim`, by default over all elements, in which NaN counts as 0. With `keepdim` the dimension stays, with
 * size 1.
 *
 * ```ts
 * nansum(tensor([1, NaN, 2])); // 3
 * ```
 */
export const nansum = /* @__PURE__ */ madeOf('nansum', (x: Tensor, dim?: Dim, options?: KeepDim): Tensor => {
  return sum(where(isnan(x), 0, x), dim, options);
});

/**
 * The mean over `dim`, by default over all, of the elements that are not NaN; NaN if there are none. With `keepdim` the
 * dimension stays, with size 1.
 *
 * ```ts
 * nanmean(tensor([1, NaN, 3])); // 2
 * ```
 */
export const nanmean = /* @__PURE__ */ madeOf('nanmean', (x: Tensor, dim?: Dim, options?: KeepDim): Tensor => {
  floatOnly('nanmean', x);
  return div(nansum(x, dim, options), sum(isnan(x).logicalNot(), dim, options));
});

/**
 * The number of nonzero elements over `dim`, by default over all: int64.
 *
 * ```ts
 * countNonzero(tensor([1, 0, 2])); // 2
 * ```
 */
export const countNonzero = /* @__PURE__ */ madeOf('countNonzero', (x: Tensor, dim?: Dim): Tensor => {
  return sum(ne(x, 0), dim);
});

/**
 * The smallest and the largest element over `dim`, by default over all. With `keepdim` the dimension stays, with
 * size 1.
 *
 * ```ts
 * aminmax(tensor([3, 1, 2])); // { min: 1, max: 3 }
 * ```
 */
export const aminmax = /* @__PURE__ */ named(
  'aminmax',
  (x: Tensor, dim?: Dim, options?: KeepDim): { min: Tensor; max: Tensor } => ({
    min: amin(x, dim, options),
    max: amax(x, dim, options),
  }),
);

/** The elements of `x` along `d` at `index`; the dimension is removed unless it is kept. */
function pickAlong(x: Tensor, d: number, index: Tensor, { keepdim = false }: KeepDim): ValuesAndIndices {
  if (x.ndim === 0) return { values: x.clone(), indices: index };
  const values = gatherAlong('gather', x, d, index);
  return keepdim ? { values, indices: index } : { values: values.squeeze(d), indices: index.squeeze(d) };
}

/**
 * The `k`-th smallest element along `dim`, counted from 1, and its index.
 *
 * ```ts
 * kthvalue(tensor([3, 1, 2]), 2); // { values: 2, indices: 2 }
 * ```
 */
export const kthvalue = /* @__PURE__ */ madeOf(
  'kthvalue',
  (x: Tensor, k: number, dim = -1, options: KeepDim = {}): ValuesAndIndices => {
    realOnly('kthvalue', x);
    checkOptions('kthvalue', options, keepDim);
    const d = normalizeDim('kthvalue', dim, x.ndim);
    const n = x.shape[d] ?? 1;
    if (!Number.isInteger(k) || k < 1 || k > n)
      throw new IndexError('kthvalue', `k must be from 1 to the size ${n} of dimension ${dim}, got ${show(k)}`);
    const order = argsort(x, d);
    return pickAlong(x, d, x.ndim === 0 ? order : narrow(order, d, k - 1, 1).contiguous(), options);
  },
);

/** NaN for no elements; recorded, with a gradient of 0. */
function emptyResult(op: string, x: Tensor): Tensor {
  if (!isFloat(x.dtype))
    throw new ShapeError(op, `there is no median of no integers: the shape is ${formatShape(x.shape)}`);
  const { shape } = x;
  const { backend } = x.storage;
  const out = Tensor.uninitialized(x.dtype, [], backend);
  backend.kernels.fill(Number.NaN, out);
  return record(op, [x], out, (g) => [Tensor.zeros(g.dtype, shape, backend)]);
}

/** `median` and `nanmedian`. */
interface Median {
  /** The median of all elements; of an even number the lower one. */
  (x: Tensor): Tensor;
  /** The medians along `dim`, and their indices. */
  (x: Tensor, dim: number, options?: KeepDim): ValuesAndIndices;
}

function middle(op: string, ignoreNaN: boolean): Median {
  function of(x: Tensor): Tensor;
  function of(x: Tensor, dim: number, options?: KeepDim): ValuesAndIndices;
  function of(x: Tensor, dim?: number, options: KeepDim = {}): Tensor | ValuesAndIndices {
    realOnly(op, x);
    checkOptions(op, options, keepDim);
    if (dim === undefined) {
      if (x.numel === 0) return emptyResult(op, x);
      return evenly(op, x, of(x.detach().flatten(), 0).values);
    }
    const d = normalizeDim(op, dim, x.ndim);
    const n = x.shape[d] ?? 1;
    checkNotEmpty(op, n, x);
    const order = argsort(x, d);
    if (x.ndim === 0) return { values: x.clone(), indices: order };
    // NaN is sorted last: it is either the median itself or ignored.
    const numbers = sum(isnan(x).logicalNot(), d, { keepdim: true });
    const place = ignoreNaN ? clamp(sub(numbers, 1), 0).floorDivide(2) : where(numbers.lt(n), numbers, (n - 1) >> 1);
    return pickAlong(x, d, order.gather(d, place), options);
  }
  return madeOf(op, of) as Median;
}

/**
 * The median; of an even number of elements the lower one; NaN if any is NaN. With `dim` also its index.
 *
 * ```ts
 * median(tensor([3, 1, 2])); // 2
 * ```
 */
export const median = /* @__PURE__ */ middle('median', false);

/**
 * The median of the elements that are not NaN; of an even number of them the lower one.
 *
 * ```ts
 * nanmedian(tensor([3, NaN, 1])); // 1
 * ```
 */
export const nanmedian = /* @__PURE__ */ middle('nanmedian', true);

/**
 * The most frequent element along `dim` (of equally frequent ones the smallest), and its last index.
 *
 * ```ts
 * mode(tensor([1, 2, 2])); // { values: 2, indices: 2 }
 * ```
 */
export const mode = /* @__PURE__ */ madeOf('mode', (x: Tensor, dim = -1, options: KeepDim = {}): ValuesAndIndices => {
  checkOptions('mode', options, keepDim);
  const d = normalizeDim('mode', dim, x.ndim);
  const n = x.shape[d] ?? 1;
  checkNotEmpty('mode', n, x);
  const shape = x.shape.map((v, i) => (i === d ? 1 : v));
  const at = Tensor.uninitialized('int32', shape, x.storage.backend);
  kernelsOf('mode', x).mode(x, d, at);
  return pickAlong(x, d, at, options);
});

/** Options of `quantile`. */
export interface QuantileOptions extends KeepDim {
  /** What lies between two elements: `'linear'` by default, or one of them, the nearer one, or their middle. */
  interpolation?: 'linear' | 'lower' | 'higher' | 'nearest' | 'midpoint';
}

export const quantileOptions = {
  keepdim: is.boolean,
  interpolation: is.oneOf('linear', 'lower', 'higher', 'nearest', 'midpoint'),
};

/**
 * The quantile `q`, from 0 to 1, over `dim` (by default or with null over all elements); NaN if an element is NaN.
 * Several `q` give a first dimension.
 *
 * ```ts
 * quantile(tensor([1, 2, 3]), [0, 0.25]); // [1, 1.5]
 * ```
 */
export const quantile = /* @__PURE__ */ inFloat32(
  'quantile',
  (x: Tensor, q: number | readonly number[], dim?: number | null, options: QuantileOptions = {}): Tensor => {
    floatOnly('quantile', x);
    const { interpolation = 'linear', keepdim = false } = checkOptions('quantile', options, quantileOptions);
    const many = typeof q !== 'number';
    check('quantile', 'q', q, is.either(is.number, is.arrayOf(is.number)));
    if (many) return stack(q.map((v) => quantile(x, v, dim, options)));
    check('quantile', 'q', q, is.probability);
    const t = dim == null ? x.flatten() : x;
    const d = normalizeDim('quantile', dim ?? 0, t.ndim);
    const n = t.shape[d] ?? 1;
    checkNotEmpty('quantile', n, x);
    const line = t.ndim === 0 ? t.reshape(1) : t;
    const sorted = gatherAlong('gather', line, d, argsort(line, d));
    const place = q * (n - 1);
    const low = narrow(sorted, d, Math.floor(place), 1);
    const high = narrow(sorted, d, Math.ceil(place), 1);
    const weights = {
      linear: place % 1,
      lower: 0,
      higher: 1,
      midpoint: 0.5,
      nearest: nearest(place) - Math.floor(place),
    };
    const weight = weights[interpolation];
    const value = weight === 0 || place % 1 === 0 ? low : weight === 1 ? high : lerp(low, high, weight);
    const last = narrow(sorted, d, n - 1, 1);
    const out = where(isnan(last), last, value);
    if (x.ndim === 0) return out.reshape([]);
    if (keepdim) return dim == null ? out.reshape(x.shape.map(() => 1)) : out;
    return out.squeeze(d);
  },
);

/** Halves go to the even position, as in `round`. */
const nearest = (v: number): number => (v % 1 === 0.5 ? 2 * Math.round(v / 2) : Math.round(v));

const covOptions = { correction: is.number };

/**
 * The covariance of variables, `[variables, observations]`: a matrix, or for one variable its variance, without
 * dimensions.
 *
 * ```ts
 * cov(tensor([[1, 3], [2, 4]])); // [[2, 2], [2, 2]]
 * ```
 */
export const cov = /* @__PURE__ */ madeOf('cov', (x: Tensor, options?: { correction?: number }): Tensor => {
  const { correction = 1 } = checkOptions('cov', options, covOptions);
  floatOnly('cov', x);
  if (x.ndim > 2) throw new ShapeError('cov', `takes [variables, observations], got ${formatShape(x.shape)}`);
  const rows = x.ndim === 2 ? x : x.reshape(1, -1);
  const centered = sub(rows, mean(rows, 1, { keepdim: true }));
  const out = div(matmul(centered, centered.t()), Math.max(0, rows.shape[1]! - correction));
  return rows.shape[0] === 1 ? out.reshape([]) : out;
});

/**
 * The correlation of variables: `[variables, observations]` to `[variables, variables]`.
 *
 * ```ts
 * corrcoef(tensor([[1, 3], [4, 2]])); // [[1, -1], [-1, 1]]
 * ```
 */
export const corrcoef = /* @__PURE__ */ madeOf('corrcoef', (x: Tensor): Tensor => {
  const c = cov(x);
  if (c.ndim === 0) return div(c, c);
  const deviation = sqrt(diagonal(c));
  return div(div(c, unsqueeze(deviation, 1)), deviation);
});

/**
 * The `p`-norm of `a - b`, 2 by default, with broadcasting: a tensor without dimensions.
 *
 * ```ts
 * dist(tensor([0, 0]), tensor([3, 4])); // 5
 * ```
 */
export const dist = /* @__PURE__ */ named('dist', (a: Tensor, b: Tensor, p = 2): Tensor => {
  checkTensors('dist', a, b);
  return sub(a, b).norm(p);
});

/**
 * The `p`-norms of all differences of rows: `[..., n, k]` and `[..., m, k]` to `[..., n, m]`. That of core/more has
 * modes for many rows.
 *
 * ```ts
 * cdist(tensor([[0, 0]]), tensor([[3, 4], [0, 1]])); // [[5, 1]]
 * ```
 */
export const cdist = /* @__PURE__ */ inFloat32('cdist', (a: Tensor, b: Tensor, p = 2): Tensor => {
  checkTensors('cdist', a, b);
  if (!isFloat(a.dtype) || a.dtype !== b.dtype)
    throw new DTypeError('cdist', `takes floating point tensors of one dtype, got ${a.dtype} and ${b.dtype}`);
  if (a.ndim < 2 || b.ndim < 2 || a.shape.at(-1) !== b.shape.at(-1))
    throw new ShapeError(
      'cdist',
      `takes [..., n, k] and [..., m, k], got ${formatShape(a.shape)} and ${formatShape(b.shape)}`,
    );
  return sub(unsqueeze(a, -2), unsqueeze(b, -3)).norm(p, -1);
});

const plain = {
  nansum,
  nanmean,
  countNonzero,
  varMean,
  stdMean,
  aminmax,
  kthvalue,
  median,
  nanmedian,
  mode,
  quantile,
  cov,
  corrcoef,
  dist,
};
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
