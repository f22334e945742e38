import { record } from '../autograd/node.js';
import { checkOptions } from '../check.js';
import { DTypeError, ShapeError } from '../errors.js';
import { bigElements, scanExact } from '../kernels/int64.js';
import { checkTensors } from '../tensor/check.js';
import { isFloat, type TypedArray } from '../tensor/dtype.js';
import * as is from '../tensor/kinds.js';
import { formatShape, normalizeDim, type Shape, sizeOf } from '../tensor/shape.js';
import { type InPlaceOf, type MethodsFrom, methods, Tensor } from '../tensor/tensor.js';
import { flip } from './arrange.js';
import { withInPlace } from './define.js';
import { add, div, exp, gt, log, lt, mul, neg, sub, where } from './elementwise.js';
import type { ValuesAndIndices } from './reduce.js';
import type * as self from './scan.js';
import { cat, expand, narrow } from './shape.js';

/** Calls `scan(data, start, step, n)` for each line of elements along `dim` of a copy of `x`; gives the copy. */
function along(
  x: Tensor,
  dim: number,
  scan: (data: TypedArray, start: number, step: number, n: number) => void,
): Tensor {
  const data = x.toTypedArray();
  eachLine(x.shape, dim, (start, step, n) => scan(data, start, step, n));
  return Tensor.of(data, x.dtype, x.shape);
}

/** Calls `visit(start, step, n)` for each line of elements along `dim` of a row-major tensor. */
function eachLine(shape: Shape, dim: number, visit: (start: number, step: number, n: number) => void): void {
  const n = shape[dim] ?? 1;
  const inner = sizeOf(shape.slice(dim + 1));
  const size = sizeOf(shape);
  for (let block = 0; block < size; block += n * inner) for (let i = block; i < block + inner; i++) visit(i, inner, n);
}

/** Running sums or products of integers and bool: int64, exact. */
function alongIntegers(which: 'sum' | 'prod', x: Tensor, dim: number): Tensor {
  const data = bigElements(x).slice();
  eachLine(x.shape, dim, (start, step, n) => scanExact(which, data, start, step, n));
  return Tensor.of(data, 'int64', x.shape);
}

/** The running sum along `dim`. */
export function cumsum(x: Tensor, dim: number): Tensor {
  checkTensors('cumsum', x);
  const d = normalizeDim('cumsum', dim, x.ndim);
  const scan = (data: TypedArray, start: number, step: number, n: number) => {
    let sum = 0;
    for (let i = 0, p = start; i < n; i++, p += step) {
      sum += data[p]!;
      data[p] = sum;
    }
  };
  const out = isFloat(x.dtype) ? along(x, d, scan) : alongIntegers('sum', x, d);
  return record('cumsum', [x], out, (g) => [reverseCumsum(g, d)]);
}

const reverseCumsum = (g: Tensor, d: number): Tensor => (g.ndim === 0 ? g : flip(cumsum(flip(g, d), d), d));

/** The running product along `dim`. */
export function cumprod(x: Tensor, dim: number): Tensor {
  checkTensors('cumprod', x);
  const d = normalizeDim('cumprod', dim, x.ndim);
  const scan = (data: TypedArray, start: number, step: number, n: number) => {
    let product = 1;
    for (let i = 0, p = start; i < n; i++, p += step) {
      product *= data[p]!;
      data[p] = product;
    }
  };
  const out = isFloat(x.dtype) ? along(x, d, scan) : alongIntegers('prod', x, d);
  return record(
    'cumprod',
    [x],
    out,
    (g, ctx) => {
      const [x] = ctx.saved as [Tensor];
      if (x.ndim === 0) return [g];
      return [x.all().item() ? div(reverseCumsum(mul(g, cumprod(x, d)), d), x) : cumprodGradient(g, x, d)];
    },
    [x],
  );
}

/** Where elements are 0 there is nothing to divide by: for each element the products of the others, n² of them. */
function cumprodGradient(g: Tensor, x: Tensor, d: number): Tensor {
  const n = x.shape[d]!;
  const rows = x.transpose(d, -1).unsqueeze(-2);
  const place = Tensor.of(
    Int32Array.from({ length: n }, (_, i) => i),
    'int32',
    [n],
  );
  const [i, k] = [place.unsqueeze(1), place];
  const others = cumprod(where(i.eq(k), 1, expand(rows, [...rows.shape.slice(0, -2), n, n])), -1);
  const reached = where(i.le(k), others, 0);
  return mul(reached, g.transpose(d, -1).unsqueeze(-2)).sum(-1).transpose(d, -1);
}

/** `log(cumsum(exp(x)))` along `dim`, without overflow. */
export function logcumsumexp(x: Tensor, dim: number): Tensor {
  checkTensors('logcumsumexp', x);
  const d = normalizeDim('logcumsumexp', dim, x.ndim);
  if (!isFloat(x.dtype))
    throw new DTypeError('logcumsumexp', `takes floating point tensors, got ${x.dtype}; use .float()`);
  const out = along(x, d, (data, start, step, n) => {
    let top = Number.NEGATIVE_INFINITY;
    let sum = 0;
    for (let i = 0, p = start; i < n; i++, p += step) {
      const v = data[p]!;
      if (v > top) {
        sum = sum * Math.exp(top - v) + 1;
        top = v;
      } else if (v === top) sum += sum === 0 ? 0 : 1;
      else sum += Math.exp(v - top);
      data[p] = sum === 0 ? top : top + Math.log(sum);
    }
  });
  return record(
    'logcumsumexp',
    [x],
    out,
    (g, ctx) => {
      // Through logarithms too: the exponentials alone could overflow. Apart for gradients above and below 0.
      const [x, y] = ctx.saved as [Tensor, Tensor];
      if (x.ndim === 0) return [g];
      const part = (sign: (t: Tensor, v: number) => Tensor, size: Tensor) => {
        const known = log(where(sign(g, 0), size, 1));
        const terms = where(sign(g, 0), sub(known, y), Number.NEGATIVE_INFINITY);
        return exp(add(x, flip(logcumsumexp(flip(terms, d), d), d)));
      };
      return [sub(part(gt, g), part(lt, neg(g)))];
    },
    [x, out],
  );
}

const extremum =
  (op: 'cummax' | 'cummin', better: (a: number, b: number) => boolean) =>
  (x: Tensor, dim: number): ValuesAndIndices => {
    checkTensors(op, x);
    const d = normalizeDim(op, dim, x.ndim);
    const data = x.exact();
    const places = new Int32Array(data.length);
    eachLine(x.shape, d, (start, step, n) => {
      let at = 0;
      let best = data[start]!;
      for (let i = 0, p = start; i < n; i++, p += step) {
        const v = data[p]!;
        if (Number.isNaN(v) || (!Number.isNaN(best) && better(v, best))) {
          best = v;
          at = i;
        }
        places[p] = at;
      }
    });
    const indices = Tensor.of(places, 'int32', x.shape);
    return { values: x.ndim === 0 ? x.clone() : x.gather(d, indices), indices };
  };

/** The largest element so far along `dim`, and where it was; the last of equal ones. */
export const cummax = extremum('cummax', (a, b) => a >= b);

/** The smallest element so far along `dim`, and where it was; the last of equal ones. */
export const cummin = extremum('cummin', (a, b) => a <= b);

const diffOptions = { n: is.size, dim: is.integer, prepend: is.tensor, append: is.tensor };

/** The differences of neighbours along `dim`, taken `n` times. */
export function diff(x: Tensor, options?: DiffOptions): Tensor {
  const { n = 1, dim = -1, prepend, append } = checkOptions('diff', options, diffOptions);
  checkTensors('diff', x);
  if (!Number.isInteger(n) || n < 0) throw new ShapeError('diff', `n is a whole number from 0 up, got ${n}`);
  if (x.ndim === 0) throw new ShapeError('diff', `takes at least one dimension, got ${formatShape(x.shape)}`);
  const d = normalizeDim('diff', dim, x.ndim);
  const ends = [prepend, x, append].filter((t) => t !== undefined);
  let out = ends.length > 1 ? cat(ends, d) : x;
  for (let i = 0; i < n; i++) {
    const size = out.shape[d]!;
    const [later, earlier] = [
      narrow(out, d, Math.min(1, size), Math.max(0, size - 1)),
      narrow(out, d, 0, Math.max(0, size - 1)),
    ];
    out = out.dtype === 'bool' ? later.ne(earlier) : sub(later, earlier);
  }
  return out === x ? x.clone() : out;
}

export interface DiffOptions {
  n?: number;
  dim?: number;
  /** Joined to the tensor before the differences are taken. */
  prepend?: Tensor;
  append?: Tensor;
}

const plain = { logcumsumexp, cummax, cummin, diff };
methods(plain);

const withForms = { cumsum, cumprod };
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
