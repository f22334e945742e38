import { check, checkOptions } from '../check.js';
import { ShapeError } from '../errors.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { lerp } from '../ops/arithmetic.js';
import { inFloat32 } from '../ops/casting.js';
import { isnan } from '../ops/comparison.js';
import { floatOnly } from '../ops/define.js';
import { add, div, mul, sub } from '../ops/elementwise.js';
import { gather } from '../ops/indexing.js';
import { stack } from '../ops/joining.js';
import { norm } from '../ops/reduce.js';
import { ceil, floor, round } from '../ops/rounding.js';
import { sort } from '../ops/sorting.js';
import { type QuantileOptions, quantileOptions } from '../ops/statistics.js';
import { sum } from '../ops/sum.js';
import { where } from '../ops/where.js';
import { checkNotEmpty, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * The quantile `q`, from 0 to 1, of the elements along `dim` that are not NaN (by default or with null, of all
 * elements); NaN if there are none. With several `q`, the result has one more dimension in front.
 *
 * ```ts
 * nanquantile(tensor([1, NaN, 3]), 0.5); // 2
 * ```
 */
export const nanquantile = /* @__PURE__ */ inFloat32(
  'nanquantile',
  (x: Tensor, q: number | readonly number[], dim?: number | null, options: QuantileOptions = {}): Tensor => {
    floatOnly('nanquantile', x);
    const { interpolation = 'linear', keepdim = false } = checkOptions('nanquantile', options, quantileOptions);
    check('nanquantile', 'q', q, is.either(is.probability, is.arrayOf(is.probability)));
    if (typeof q !== 'number') return stack(q.map((v) => nanquantile(x, v, dim, options)));
    const t = dim == null || x.ndim === 0 ? x.flatten() : x;
    const d = normalizeDim('nanquantile', x.ndim === 0 ? 0 : (dim ?? 0), t.ndim);
    checkNotEmpty('nanquantile', t.shape[d]!, x);
    // NaN is sorted to the end.
    const { values } = sort(t, d);
    const count = sum(isnan(t).logicalNot(), d, { keepdim: true });
    const place = mul(count.sub(1).clamp(0).double(), q);
    const [low, high] = [floor(place), ceil(place)];
    const weight = {
      linear: sub(place, low),
      lower: place.mul(0),
      higher: sub(high, low),
      midpoint: sub(high, low).mul(0.5),
      // Halves are rounded to the even position.
      nearest: sub(round(place), low),
    }[interpolation].to(x.dtype);
    const [below, above] = [gather(values, d, low.long()), gather(values, d, high.long())];
    // Between infinities a weight of 0 or 1 would give NaN.
    const inner = where(weight.eq(1), above, lerp(below, above, weight));
    const out = where(weight.eq(0), below, inner);
    if (x.ndim === 0) return out.reshape([]);
    if (keepdim) return dim == null ? out.reshape(x.shape.map(() => 1)) : out;
    return out.squeeze(d);
  },
);

/**
 * `x` with each slice along `dim` whose `p`-norm exceeds `maxnorm` scaled down to that norm.
 *
 * ```ts
 * renorm(tensor([[3, 4], [0, 1]]), 2, 0, 1); // [[0.6, 0.8], [0, 1]]
 * ```
 */
export const renorm = /* @__PURE__ */ madeOf('renorm', (x: Tensor, p: number, dim: number, maxnorm: number): Tensor => {
  floatOnly('renorm', x);
  check('renorm', 'p', p, is.positive);
  check('renorm', 'maxnorm', maxnorm, is.nonNegative);
  if (x.ndim < 2) throw new ShapeError('renorm', `takes at least two dimensions, got ${formatShape(x.shape)}`);
  const d = normalizeDim('renorm', dim, x.ndim);
  const others = x.shape.flatMap((_, i) => (i === d ? [] : [i]));
  const norms = norm(x, p, others, { keepdim: true });
  const isLarge = norms.gt(maxnorm);
  // As in PyTorch, to avoid dividing by 0.
  return mul(x, where(isLarge, div(maxnorm, add(where(isLarge, norms, 1), 1e-7)), 1));
});
