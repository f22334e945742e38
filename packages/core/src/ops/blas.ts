import { check, checkOptions } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { formatShape, normalizeDim, normalizeDims } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import type { Tensor } from '../tensor/tensor.js';
import type * as self from './blas.js';
import { casting } from './casting.js';
import { withInPlace } from './define.js';
import { outer } from './einsum.js';
import { add, mul, sub } from './elementwise.js';
import { cat, narrow } from './joining.js';
import { bmm, matmul, mm } from './matmul.js';
import { broadcastTensors, reshape } from './shape.js';

/** The weights of a sum: `beta` for the given tensor, `alpha` for the product that is added. */
export interface AddOptions {
  /** The factor of what is added to; 1 by default. */
  beta?: number;
  /** The factor of the product; 1 by default. */
  alpha?: number;
}

const addOptions = { beta: is.number, alpha: is.number };

/** `beta x + alpha product`. With a `beta` of 0, the values of `x` (also NaN) are ignored, as in PyTorch. */
function scaled(op: string, x: Tensor, product: Tensor, options?: AddOptions): Tensor {
  const { beta = 1, alpha = 1 } = checkOptions(op, options, addOptions);
  if (casting.current !== null) [x] = casting.current.lower([x]);
  const p = alpha === 1 ? product : mul(product, alpha);
  if (beta === 0) return add(mul(x.nanToNum(), 0), p);
  return add(beta === 1 ? x : mul(x, beta), p);
}

/**
 * `beta x + alpha a @ b` for matrices: `a` `[m, k]` and `b` `[k, n]`, and `x` broadcasts to `[m, n]`. `beta` and
 * `alpha` are 1 by default.
 *
 * ```ts
 * addmm(ones([2, 2]), tensor([[1, 2], [3, 4]]), eye(2), { beta: 10 }); // [[11, 12], [13, 14]]
 * ```
 */
export const addmm = /* @__PURE__ */ named('addmm', (x: Tensor, a: Tensor, b: Tensor, options?: AddOptions): Tensor => {
  checkTensors('addmm', x, a, b);
  return scaled('addmm', x, mm(a, b), options);
});

/**
 * `beta x + alpha a @ v` for a matrix and a vector: `a` `[m, k]` and `v` `[k]`, and `x` broadcasts to `[m]`. `beta` and
 * `alpha` are 1 by default.
 *
 * ```ts
 * addmv(ones([2]), tensor([[1, 2], [3, 4]]), ones([2])); // [4, 8]
 * ```
 */
export const addmv = /* @__PURE__ */ named('addmv', (x: Tensor, a: Tensor, v: Tensor, options?: AddOptions): Tensor => {
  checkTensors('addmv', x, a, v);
  return scaled('addmv', x, mv(a, v), options);
});

/**
 * `beta x + alpha outer(a, b)` for vectors: `a` `[m]` and `b` `[n]`, and `x` broadcasts to `[m, n]`. `beta` and `alpha`
 * are 1 by default.
 *
 * ```ts
 * addr(zeros([2, 2]), tensor([1, 2]), tensor([3, 4])); // [[3, 4], [6, 8]]
 * ```
 */
export const addr = /* @__PURE__ */ named('addr', (x: Tensor, a: Tensor, b: Tensor, options?: AddOptions): Tensor => {
  checkTensors('addr', x, a, b);
  return scaled('addr', x, outer(a, b), options);
});

/**
 * `beta x + alpha a @ b` for batches of matrices: `a` `[N, m, k]` and `b` `[N, k, n]`, and `x` broadcasts to
 * `[N, m, n]`. `beta` and `alpha` are 1 by default.
 *
 * ```ts
 * baddbmm(ones([1, 1, 1]), ones([1, 1, 3]), ones([1, 3, 1])); // [[[4]]]
 * ```
 */
export const baddbmm = /* @__PURE__ */ named(
  'baddbmm',
  (x: Tensor, a: Tensor, b: Tensor, options?: AddOptions): Tensor => {
    checkTensors('baddbmm', x, a, b);
    return scaled('baddbmm', x, bmm(a, b), options);
  },
);

/**
 * `beta x + alpha` times the sum of the products of two batches of matrices.
 *
 * ```ts
 * addbmm(ones([1, 1]), ones([2, 1, 3]), ones([2, 3, 1])); // [[7]]
 * ```
 */
export const addbmm = /* @__PURE__ */ named(
  'addbmm',
  (x: Tensor, a: Tensor, b: Tensor, options?: AddOptions): Tensor => {
    checkTensors('addbmm', x, a, b);
    return scaled('addbmm', x, bmm(a, b).sum(0), options);
  },
);

/**
 * A matrix times a vector: `[m, k] @ [k]` to `[m]`.
 *
 * ```ts
 * mv(tensor([[1, 2], [3, 4]]), tensor([1, 0])); // [1, 3]
 * ```
 */
export const mv = /* @__PURE__ */ named('mv', (a: Tensor, v: Tensor): Tensor => {
  checkTensors('mv', a, v);
  if (a.ndim !== 2 || v.ndim !== 1)
    throw new ShapeError('mv', `takes a matrix and a vector, got ${formatShape(a.shape)} and ${formatShape(v.shape)}`);
  return matmul(a, v);
});

/**
 * The Kronecker product: each element of `a` times all of `b`. The sizes of the result are the products of the sizes.
 *
 * ```ts
 * kron(eye(2), tensor([[1, 2]])); // [[1, 2, 0, 0], [0, 0, 1, 2]]
 * ```
 */
export const kron = /* @__PURE__ */ named('kron', (a: Tensor, b: Tensor): Tensor => {
  checkTensors('kron', a, b);
  const n = Math.max(a.ndim, b.ndim);
  const padded = (x: Tensor) => [...Array<number>(n - x.ndim).fill(1), ...x.shape];
  const [sa, sb] = [padded(a), padded(b)];
  const product = mul(
    reshape(
      a,
      sa.flatMap((v) => [v, 1]),
    ),
    reshape(
      b,
      sb.flatMap((v) => [1, v]),
    ),
  );
  return reshape(
    product,
    sa.map((v, i) => v * sb[i]!),
  );
});

/**
 * The sum of products over `dims`: a number of last dimensions of `a` with as many first ones of `b`, or a list of
 * dimensions for each.
 *
 * ```ts
 * tensordot(zeros([2, 3, 4]), zeros([3, 4, 5])).shape; // [2, 5]
 * ```
 */
export const tensordot = /* @__PURE__ */ named(
  'tensordot',
  (a: Tensor, b: Tensor, dims: number | readonly [readonly number[], readonly number[]] = 2): Tensor => {
    checkTensors('tensordot', a, b);
    check('tensordot', 'dims', dims, is.either(is.size, is.tuple(is.arrayOf(is.integer), is.arrayOf(is.integer))));
    const count = typeof dims === 'number' ? dims : dims[0].length;
    if (!Number.isInteger(count) || count < 0 || count > Math.min(a.ndim, b.ndim))
      throw new ShapeError(
        'tensordot',
        `${count} dimensions of ${formatShape(a.shape)} and ${formatShape(b.shape)} cannot be summed over`,
      );
    const last = Array.from({ length: count }, (_, i) => a.ndim - count + i);
    const first = Array.from({ length: count }, (_, i) => i);
    const da = typeof dims === 'number' ? last : normalizeDims('tensordot', dims[0], a.ndim);
    const db = typeof dims === 'number' ? first : normalizeDims('tensordot', dims[1], b.ndim);
    if (da.length !== db.length || da.some((d, i) => a.shape[d] !== b.shape[db[i]!]))
      throw new ShapeError(
        'tensordot',
        `dimensions ${formatShape(da)} of ${formatShape(a.shape)} and ${formatShape(db)} of ${formatShape(b.shape)} have other sizes`,
      );
    const freeA = a.shape.map((_, i) => i).filter((i) => !da.includes(i));
    const freeB = b.shape.map((_, i) => i).filter((i) => !db.includes(i));
    const k = da.reduce((n, d) => n * a.shape[d]!, 1);
    const rows = freeA.reduce((n, d) => n * a.shape[d]!, 1);
    const columns = freeB.reduce((n, d) => n * b.shape[d]!, 1);
    const product = matmul(
      reshape(a.permute([...freeA, ...da]), rows, k),
      reshape(b.permute([...db, ...freeB]), k, columns),
    );
    return reshape(product, [...freeA.map((d) => a.shape[d]!), ...freeB.map((d) => b.shape[d]!)]);
  },
);

/**
 * The cross product of vectors of three elements along `dim`, by default the last; the other dimensions broadcast.
 *
 * ```ts
 * cross(tensor([1, 0, 0]), tensor([0, 1, 0])); // [0, 0, 1]
 * ```
 */
export const cross = /* @__PURE__ */ named('cross', (a: Tensor, b: Tensor, dim = -1): Tensor => {
  checkTensors('cross', a, b);
  const [x, y] = broadcastTensors([a, b]) as [Tensor, Tensor];
  const d = normalizeDim('cross', dim, x.ndim);
  if (x.shape[d] !== 3)
    throw new ShapeError('cross', `dimension ${dim} of ${formatShape(x.shape)} has size ${x.shape[d] ?? 1}, not 3`);
  const from = (t: Tensor, i: number) => narrow(t, d, i % 3, 1);
  return cat(
    [0, 1, 2].map((i) => sub(mul(from(x, i + 1), from(y, i + 2)), mul(from(x, i + 2), from(y, i + 1)))),
    d,
  );
});

const plain = { mv, kron, tensordot, cross };
methods(plain);

const withForms = { addmm, addmv, addr, baddbmm, addbmm };
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain & typeof withForms>, InPlaceOf<typeof withForms> {}
}
