import { kernelsOf } from '../backend/backends.js';
import type { Kernels } from '../backend/kernels.js';
import { checkOptions } from '../check.js';
import { ShapeError } from '../errors.js';
import { noGrad } from '../grad/index.js';
import { record } from '../graph/node.js';
import { gatherAlong, positionsOn } from '../graph/positions.js';
import { type DType, toCount } from '../memory/dtype.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { conjugate, floatOrComplex, withInPlace } from './define.js';
import { add, div, exp, log, mul, neg, sub } from './elementwise.js';
import type { ValuesAndIndices } from './extrema.js';
import { cat, narrow } from './joining.js';
import { flip } from './rearrange.js';
import { gt } from './relational.js';
import type * as self from './scan.js';
import { where } from './where.js';

type Scan = Parameters<Kernels['scan']>[0];

function scanned(op: string, which: Scan, x: Tensor, d: number, dtype: DType): Tensor {
  const out = Tensor.uninitialized(dtype, x.shape, x.storage.backend);
  kernelsOf(op, x).scan(which, x, d, out);
  return out;
}

/**
 * The running sums along `dim`, in the shape of `x`. Integers and bool give int64.
 *
 * ```ts
 * cumsum(tensor([1, 2, 3]), 0); // [1, 3, 6]
 * ```
 */
export function cumsum(x: Tensor, dim: number): Tensor {
  checkTensors('cumsum', x);
  const d = normalizeDim('cumsum', dim, x.ndim);
  const out = scanned('cumsum', 'sum', x, d, toCount(x.dtype));
  return record('cumsum', [x], out, (g) => [reversed(cumsum, g, d)]);
}

/** A scan from the end to the start. */
const reversed = (scan: (x: Tensor, d: number) => Tensor, x: Tensor, d: number): Tensor =>
  x.ndim === 0 ? x : flip(scan(flip(x, d), d), d);

/**
 * The running products along `dim`, in the shape of `x`. Integers and bool give int64.
 *
 * ```ts
 * cumprod(tensor([1, 2, 3]), 0); // [1, 2, 6]
 * ```
 */
export function cumprod(x: Tensor, dim: number): Tensor {
  checkTensors('cumprod', x);
  const d = normalizeDim('cumprod', dim, x.ndim);
  const out = scanned('cumprod', 'prod', x, d, toCount(x.dtype));
  return record(
    'cumprod',
    [x],
    out,
    (g, ctx) => {
      const x = conjugate(ctx.saved[0]!);
      return [
        x.ndim === 0
          ? g
          : !x.storage.backend.isAsync && x.all().item()
            ? div(reversed(cumsum, mul(g, cumprod(x, d)), d), x)
            : cumprodGradient(g, x, d),
      ];
    },
    [x],
  );
}

/** Where elements are 0, division is impossible: computes the products of the others for each element, in n² steps. */
function cumprodGradient(g: Tensor, x: Tensor, d: number): Tensor {
  const n = x.shape[d]!;
  const rows = x.transpose(d, -1).unsqueeze(-2);
  const k = positionsOn(
    x,
    Int32Array.from({ length: n }, (_, i) => i),
    [n],
  );
  const i = k.unsqueeze(1);
  const others = cumprod(where(i.eq(k), 1, rows), -1);
  const reached = where(i.le(k), others, 0);
  return mul(reached, g.transpose(d, -1).unsqueeze(-2)).sum(-1).transpose(d, -1);
}

/**
 * `log(cumsum(exp(x)))` along `dim`, without overflow, in the shape of `x`.
 *
 * ```ts
 * logcumsumexp(tensor([0, 0]), 0); // [0, 0.6931]
 * ```
 */
export function logcumsumexp(x: Tensor, dim: number): Tensor {
  checkTensors('logcumsumexp', x);
  const d = normalizeDim('logcumsumexp', dim, x.ndim);
  floatOrComplex('logcumsumexp', x);
  const out = scanned('logcumsumexp', 'logsumexp', x, d, x.dtype);
  return record('logcumsumexp', [x], out, (g, { saved: [x, y] }) => [weightedExp(x!, y!, g, d)], [x, out]);
}

/**
 * The sum over the places i from j on of `g_i exp(x_j - y_i)`, for each j. It is linear in `g`, also where that is 0, which
 * forward derivatives need.
 */
function weightedExp(x: Tensor, y: Tensor, g: Tensor, d: number): Tensor {
  if (x.ndim === 0) return g;
  // By logarithms, as the exponentials alone could overflow; separately for gradients above and below 0.
  const part = (g: Tensor): Tensor =>
    exp(add(x, reversed(logcumsumexp, where(gt(g, 0), sub(log(g), y), Number.NEGATIVE_INFINITY), d)));
  const out = noGrad.run(() => sub(part(g), part(neg(g))));
  return record(
    'logcumsumexp',
    [x, y, g],
    out,
    (h, ctx) => {
      const [x, y, g, out] = ctx.saved as [Tensor, Tensor, Tensor, Tensor];
      const back = reversed((h) => weightedExp(neg(flip(y, d)), neg(flip(x, d)), h, d), h, d);
      return [mul(h, out), neg(mul(g, back)), back];
    },
    [x, y, g, out],
  );
}

const extremum = (op: 'cummax' | 'cummin', which: Scan) =>
  madeOf(op, (x: Tensor, dim: number): ValuesAndIndices => {
    const d = normalizeDim(op, dim, x.ndim);
    const indices = scanned(op, which, x, d, 'int32');
    return { values: x.ndim === 0 ? x.clone() : gatherAlong('gather', x, d, indices), indices };
  });

/**
 * The largest element so far along `dim`, and its index; of equal ones the last.
 *
 * ```ts
 * cummax(tensor([1, 3, 2]), 0); // { values: [1, 3, 3], indices: [0, 1, 1] }
 * ```
 */
export const cummax = /* @__PURE__ */ extremum('cummax', 'argmax');

/**
 * The smallest element so far along `dim`, and its index; of equal ones the last.
 *
 * ```ts
 * cummin(tensor([2, 3, 1]), 0); // { values: [2, 2, 1], indices: [0, 0, 2] }
 * ```
 */
export const cummin = /* @__PURE__ */ extremum('cummin', 'argmin');

const diffOptions = { n: is.size, dim: is.integer, prepend: is.tensor, append: is.tensor };

/**
 * The differences of neighbors along `dim`, by default the last, taken `n` times, by default once; each time the size
 * shrinks by 1. `prepend` and `append` are joined to `x` first.
 *
 * ```ts
 * diff(tensor([1, 4, 9])); // [3, 5]
 * ```
 */
export const diff = /* @__PURE__ */ madeOf('diff', (x: Tensor, options?: DiffOptions): Tensor => {
  const { n = 1, dim = -1, prepend, append } = checkOptions('diff', options, diffOptions);
  if (x.ndim === 0) throw new ShapeError('diff', `takes at least one dimension, got ${formatShape(x.shape)}`);
  const d = normalizeDim('diff', dim, x.ndim);
  const ends = [prepend, x, append].filter((t) => t !== undefined);
  let out = ends.length > 1 ? cat(ends, d) : x;
  // Of none there are no differences, however often they are taken.
  for (let i = 0, size = out.shape[d]!; i < n && size > 0; i++) {
    const [later, earlier] = [narrow(out, d, 1, --size), narrow(out, d, 0, size)];
    out = out.dtype === 'bool' ? later.ne(earlier) : sub(later, earlier);
  }
  return out === x ? x.clone() : out;
});

/** Options of `diff`. */
export interface DiffOptions {
  /** How often differences are taken; 1 by default. */
  n?: number;
  /** The dimension; the last by default. */
  dim?: number;
  /** Joined to the tensor before the differences are taken. */
  prepend?: Tensor;
  /** Values behind those of the tensor. */
  append?: Tensor;
}

const plain = { logcumsumexp, cummax, cummin, diff };
methods(plain);

const withForms = { cumsum, cumprod };
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
