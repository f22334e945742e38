import { kernelsOf } from '../backend/backends.js';
import { check, checkOptions, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { gatherAlong, repeated, writeTo } from '../graph/positions.js';
import { makeStridedView } from '../graph/view.js';
import { checkShape, checkSize, formatShape, normalizeDim, normalizeDims, type Shape } from '../memory/shape.js';
import { checkIntegers, checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, type MethodsOf, methods, Tensor } from '../tensor/tensor.js';
import type * as self from './arrange.js';
import { withInPlace } from './define.js';
import { ge, le, where } from './elementwise.js';
import { indexSelect } from './indexing.js';
import type { Dim, ValuesAndIndices } from './reduce.js';
import { cat, checkList, expand, narrow, reshape, stack } from './shape.js';

/** The whole numbers from 0 to n - 1 under `f`, as int32 indices for `x`. */
const indices = (x: Tensor, n: number, f: (i: number) => number): Tensor =>
  Tensor.of(
    Int32Array.from({ length: n }, (_, i) => f(i)),
    'int32',
    [n],
    x.storage.backend,
  );

/**
 * The elements in reverse order along `dims`.
 *
 * ```ts
 * flip(tensor([1, 2, 3]), 0); // [3, 2, 1]
 * ```
 */
export const flip = /* @__PURE__ */ named('flip', (x: Tensor, dims: Dim): Tensor => {
  checkTensors('flip', x);
  let out = x;
  for (const d of normalizeDims('flip', dims, x.ndim))
    out = indexSelect(
      out,
      d,
      indices(x, x.shape[d]!, (i) => x.shape[d]! - 1 - i),
    );
  return out === x ? x.clone() : out;
});

/**
 * The elements moved on by `shifts` along `dims`, those that fall off coming in at the start; flattened without dims.
 *
 * ```ts
 * roll(tensor([1, 2, 3]), 1); // [3, 1, 2]
 * ```
 */
export const roll = /* @__PURE__ */ named(
  'roll',
  (x: Tensor, shifts: number | readonly number[], dims?: number | readonly number[]): Tensor => {
    checkTensors('roll', x);
    if (dims === undefined) {
      if (typeof shifts !== 'number') throw new ShapeError('roll', 'several shifts need as many dims');
      return reshape(roll(reshape(x, -1), shifts, 0), x.shape);
    }
    const by = [shifts].flat() as number[];
    const along = [dims].flat() as number[];
    check('roll', 'shifts', by, is.arrayOf(is.integer));
    if (by.length !== along.length) throw new ShapeError('roll', `${by.length} shifts for ${along.length} dims`);
    return along.reduce((out, dim, i) => {
      const d = normalizeDim('roll', dim, x.ndim);
      const n = x.shape[d] ?? 1;
      const s = n === 0 ? 0 : ((by[i]! % n) + n) % n;
      return s === 0 ? out : cat([narrow(out, d, n - s, s), narrow(out, d, 0, n - s)], d);
    }, x.clone());
  },
);

/**
 * The tensor laid side by side with itself, `times` for each dimension; more of them than dimensions add leading ones.
 *
 * ```ts
 * repeat(tensor([1, 2]), 2, 2); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 * ```
 */
export function repeat(x: Tensor, ...times: readonly (number | Shape)[]): Tensor {
  checkTensors('repeat', x);
  const n = times.flat() as number[];
  if (n.length < x.ndim || n.some((v) => !Number.isInteger(v) || v < 0))
    throw new ShapeError(
      'repeat',
      `${formatShape(n)} does not say how often for each dimension of ${formatShape(x.shape)}`,
    );
  const shape = [...Array<number>(n.length - x.ndim).fill(1), ...x.shape];
  const split = reshape(
    x,
    shape.flatMap((v) => [1, v]),
  );
  return reshape(
    expand(
      split,
      shape.flatMap((v, i) => [n[i]!, v]),
    ),
    shape.map((v, i) => v * n[i]!),
  );
}

/**
 * Each element (or slice along `dim`) `repeats` times in a row.
 *
 * ```ts
 * repeatInterleave(tensor([1, 2]), 2); // [1, 1, 2, 2]
 * ```
 */
export const repeatInterleave = /* @__PURE__ */ named(
  'repeatInterleave',
  (x: Tensor, repeats: number, dim?: number): Tensor => {
    checkTensors('repeatInterleave', x);
    if (!Number.isInteger(repeats) || repeats < 0)
      throw new ShapeError('repeatInterleave', `repeats is a whole number from 0 up, got ${show(repeats)}`);
    const t = dim === undefined ? reshape(x, -1) : x;
    const d = normalizeDim('repeatInterleave', dim ?? 0, t.ndim);
    return indexSelect(
      t,
      d,
      indices(x, t.shape[d]! * repeats, (i) => Math.floor(i / repeats)),
    );
  },
);

/** True at and below the diagonal: where column - row is at most `diagonal`. */
function triangle(op: string, x: Tensor, keep: (offset: Tensor) => Tensor): Tensor {
  if (x.ndim < 2) throw new ShapeError(op, `takes matrices, got ${formatShape(x.shape)}`);
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const offset = indices(x, columns, (j) => j)
    .unsqueeze(0)
    .sub(indices(x, rows, (i) => i).unsqueeze(1));
  // A boolean follows the dtype beside it, so masks stay masks.
  return where(keep(offset), x, false);
}

/**
 * The lower triangle of matrices, with zeros above diagonal number `diagonal`.
 *
 * ```ts
 * tril(ones([2, 2])); // [[1, 0], [1, 1]]
 * ```
 */
export const tril = /* @__PURE__ */ named('tril', (x: Tensor, diagonal = 0): Tensor => {
  checkTensors('tril', x);
  check('tril', 'the diagonal', diagonal, is.integer);
  return triangle('tril', x, (o) => le(o, diagonal));
});

/**
 * The upper triangle of matrices, with zeros below diagonal number `diagonal`.
 *
 * ```ts
 * triu(ones([2, 2])); // [[1, 1], [0, 1]]
 * ```
 */
export const triu = /* @__PURE__ */ named('triu', (x: Tensor, diagonal = 0): Tensor => {
  checkTensors('triu', x);
  check('triu', 'the diagonal', diagonal, is.integer);
  return triangle('triu', x, (o) => ge(o, diagonal));
});

const padOptions = { mode: is.oneOf('constant', 'reflect', 'replicate', 'circular'), value: is.number };

/**
 * Elements added at both ends of dimensions: `padding` is [before, after] of the last, then of the one before it, and so
 * on; negative numbers cut off.
 *
 * ```ts
 * pad(tensor([1, 2]), [1, 2]); // [0, 1, 2, 0, 0]
 * ```
 */
export const pad = /* @__PURE__ */ named(
  'pad',
  (
    x: Tensor,
    padding: readonly number[],
    options?: { mode?: 'constant' | 'reflect' | 'replicate' | 'circular'; value?: number },
  ): Tensor => {
    const { mode = 'constant', value = 0 } = checkOptions('pad', options, padOptions);
    checkTensors('pad', x);
    if (
      !Array.isArray(padding) ||
      padding.length % 2 !== 0 ||
      padding.length / 2 > x.ndim ||
      !padding.every(Number.isInteger)
    )
      throw new ShapeError(
        'pad',
        `padding ${formatShape(padding)} is not [before, after] for up to ${x.ndim} dimensions`,
      );
    let out = x;
    for (let i = 0; i < padding.length / 2; i++) {
      const d = x.ndim - 1 - i;
      const n = x.shape[d]!;
      const [before, after] = [padding[2 * i]!, padding[2 * i + 1]!];
      if (n + before + after < 0)
        throw new ShapeError(
          'pad',
          `padding ${before} and ${after} leave nothing of dimension ${d} of ${formatShape(x.shape)}`,
        );
      if (before === 0 && after === 0) continue;
      if (mode === 'constant') {
        const from = Math.max(0, -before);
        const kept = narrow(out, d, from, n - from - Math.max(0, -after));
        const edge = (size: number) => {
          const { backend } = out.storage;
          const shape = out.shape.map((v, j) => (j === d ? Math.max(0, size) : v));
          const t = Tensor.unwritten(out.dtype, shape, backend);
          backend.kernels.fill(value, t);
          return t;
        };
        out = cat([edge(before), kept, edge(after)], d);
        continue;
      }
      if (mode === 'reflect' && (before >= n || after >= n))
        throw new ShapeError('pad', `reflect needs padding below the size ${n} of dimension ${d}`);
      const at = {
        reflect: (p: number) => (p < 0 ? -p : p >= n ? 2 * (n - 1) - p : p),
        replicate: (p: number) => Math.min(n - 1, Math.max(0, p)),
        circular: (p: number) => ((p % n) + n) % n,
      }[mode];
      if (!at) throw new TypeError(`pad: mode is 'constant', 'reflect', 'replicate' or 'circular', got ${show(mode)}`);
      out = indexSelect(
        out,
        d,
        indices(x, n + before + after, (j) => at(j - before)),
      );
    }
    return out === x ? x.clone() : out;
  },
);

const sortOptions = { descending: is.boolean };

/**
 * The elements along `dim` in order, and where each was; equal ones keep their order; NaN counts as the largest.
 *
 * ```ts
 * sort(tensor([3, 1, 2])); // { values: [1, 2, 3], indices: [1, 2, 0] }
 * ```
 */
export const sort = /* @__PURE__ */ named(
  'sort',
  (x: Tensor, dim = -1, options?: { descending?: boolean }): ValuesAndIndices => {
    const { descending = false } = checkOptions('sort', options, sortOptions);
    checkTensors('sort', x);
    const order = argsort(x, dim, { descending });
    return {
      values: x.ndim === 0 ? x.clone() : gatherAlong('gather', x, normalizeDim('sort', dim, x.ndim), order),
      indices: order,
    };
  },
);

const argsortOptions = { descending: is.boolean };

/**
 * Where the elements along `dim` would be taken from to be in order; int32.
 *
 * ```ts
 * argsort(tensor([3, 1, 2])); // [1, 2, 0]
 * ```
 */
export const argsort = /* @__PURE__ */ named(
  'argsort',
  (x: Tensor, dim = -1, options?: { descending?: boolean }): Tensor => {
    const { descending = false } = checkOptions('argsort', options, argsortOptions);
    checkTensors('argsort', x);
    const d = normalizeDim('argsort', dim, x.ndim);
    const out = Tensor.unwritten('int32', x.shape, x.storage.backend);
    kernelsOf('argsort', x).argsort(x, d, descending, out);
    return out;
  },
);

const topkOptions = { largest: is.boolean };

/**
 * The `k` largest (or smallest) elements along `dim` in order, and where they were.
 *
 * ```ts
 * topk(tensor([3, 1, 2]), 2); // { values: [3, 2], indices: [0, 2] }
 * ```
 */
export const topk = /* @__PURE__ */ named(
  'topk',
  (x: Tensor, k: number, dim = -1, options?: { largest?: boolean }): ValuesAndIndices => {
    const { largest = true } = checkOptions('topk', options, topkOptions);
    checkTensors('topk', x);
    const d = normalizeDim('topk', dim, x.ndim);
    const n = x.shape[d] ?? 1;
    if (!Number.isInteger(k) || k < 0 || k > n)
      throw new ShapeError('topk', `k is from 0 to the size ${n} of dimension ${dim}, got ${show(k)}`);
    if (x.ndim === 0) return sort(x);
    const order = narrow(argsort(x, d, { descending: largest }), d, 0, k).contiguous();
    return { values: gatherAlong('gather', x, d, order), indices: order };
  },
);

/**
 * One-hot rows of the classes in `x` (integers), `[..., numClasses]`; int32.
 *
 * ```ts
 * oneHot(tensor([0, 2], { dtype: 'int32' })); // [[1, 0, 0], [0, 0, 1]]
 * ```
 */
export const oneHot = /* @__PURE__ */ named('oneHot', (x: Tensor, numClasses = -1): Tensor => {
  checkTensors('oneHot', x);
  checkIntegers('oneHot', 'classes', x);
  const counted = () => (x.numel === 0 ? 0 : x.amax().elements('oneHot')[0]! + 1);
  const n = numClasses === -1 ? counted() : numClasses;
  const refuse = (v: number) => new ShapeError('oneHot', `classes are from 0 to ${n - 1}, got ${show(v)}`);
  kernelsOf('oneHot', x).checkRange(x, 0, n - 1, refuse);
  checkSize('oneHot', [...x.shape, n], x.shape);
  const out = Tensor.empty('int32', [...x.shape, n], x.storage.backend);
  return writeTo(out, 'oneHot', 'set', x.ndim, x.unsqueeze(-1), repeated(1, [...x.shape, 1], out));
});

/**
 * The diagonal of dimensions `dim1` and `dim2`, number `offset`, as a last dimension. A view.
 *
 * ```ts
 * diagonal(tensor([[1, 2], [3, 4]])); // [1, 4]
 * ```
 */
export function diagonal(x: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor {
  checkTensors('diagonal', x);
  const a = normalizeDim('diagonal', dim1, x.ndim);
  const b = normalizeDim('diagonal', dim2, x.ndim);
  if (a === b || x.ndim < 2)
    throw new ShapeError(
      'diagonal',
      `needs two dimensions of ${formatShape(x.shape)}, got ${show(dim1)} and ${show(dim2)}`,
    );
  if (!Number.isInteger(offset)) throw new ShapeError('diagonal', `offset is a whole number, got ${show(offset)}`);
  const [rows, columns] = [x.shape[a]!, x.shape[b]!];
  const n = Math.max(0, Math.min(rows + Math.min(0, offset), columns - Math.max(0, offset)));
  const [stepA, stepB] = [x.strides[a]!, x.strides[b]!];
  const start = n === 0 ? 0 : offset >= 0 ? offset * stepB : -offset * stepA;
  const rest = (of: readonly number[], last: number) => [...of.filter((_, i) => i !== a && i !== b), last];
  return makeStridedView('diagonal', x, rest(x.shape, n), rest(x.strides, stepA + stepB), x.offset + start);
}

/**
 * The vectors along the last dimension as diagonals, number `offset`, of square matrices of zeros.
 *
 * ```ts
 * diagEmbed(tensor([1, 2])); // [[1, 0], [0, 2]]
 * ```
 */
export const diagEmbed = /* @__PURE__ */ named('diagEmbed', (x: Tensor, offset = 0, dim1 = -2, dim2 = -1): Tensor => {
  checkTensors('diagEmbed', x);
  if (x.ndim === 0) throw new ShapeError('diagEmbed', 'takes vectors, got a scalar tensor');
  if (!Number.isInteger(offset)) throw new ShapeError('diagEmbed', `offset is a whole number, got ${show(offset)}`);
  const a = normalizeDim('diagEmbed', dim1, x.ndim + 1);
  const b = normalizeDim('diagEmbed', dim2, x.ndim + 1);
  if (a === b) throw new ShapeError('diagEmbed', `needs two dimensions, got ${show(dim1)} and ${show(dim2)}`);
  const k = x.shape.at(-1)!;
  const n = k + Math.abs(offset);
  const { backend } = x.storage;
  const zeros = Tensor.empty(x.dtype, [...x.shape.slice(0, -1), n, n], backend);
  const strides = [...zeros.strides.slice(0, -2), n + 1];
  const start = offset >= 0 ? offset : -offset * n;
  backend.kernels.copy(x, new Tensor(zeros.storage, x.dtype, x.shape, strides, start));
  const matrices = record('diagEmbed', [x], zeros, (g) => [diagonal(g, offset, -2, -1)]);
  // The two new dimensions lie last; where they are wanted elsewhere, they are moved.
  const order = matrices.shape.map((_, i) => i).slice(0, -2);
  for (const [place, from] of [
    [a, x.ndim - 1],
    [b, x.ndim],
  ].sort((p, q) => p[0]! - q[0]!) as [number, number][])
    order.splice(place, 0, from);
  return matrices.permute(order);
});

/**
 * A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector.
 *
 * ```ts
 * diag(tensor([1, 2])); // [[1, 0], [0, 2]]
 * ```
 */
export const diag = /* @__PURE__ */ named('diag', (x: Tensor, offset = 0): Tensor => {
  checkTensors('diag', x);
  if (x.ndim === 1) return diagEmbed(x, offset);
  if (x.ndim === 2) return diagonal(x, offset).clone();
  throw new ShapeError(
    'diag',
    `takes a vector or a matrix, got ${formatShape(x.shape)}; use diagonal() or diagEmbed()`,
  );
});

/**
 * The sum of the diagonal of a matrix.
 *
 * ```ts
 * trace(tensor([[1, 2], [3, 4]])); // 5
 * ```
 */
export const trace = /* @__PURE__ */ named('trace', (x: Tensor): Tensor => {
  checkTensors('trace', x);
  return diagonal(x).sum();
});

/**
 * The coordinates of a grid: for vectors of sizes n, m, ... tensors of shape [n, m, ...] each.
 *
 * ```ts
 * const [x, y] = meshgrid(tensor([1, 2]), tensor([3, 4]));
 * x; // [[1, 1], [2, 2]]
 * y; // [[3, 4], [3, 4]]
 * ```
 */
export function meshgrid(...vectors: readonly Tensor[]): Tensor[] {
  checkList('meshgrid', vectors);
  for (const v of vectors)
    if (v.ndim > 1) throw new ShapeError('meshgrid', `takes vectors, got ${formatShape(v.shape)}`);
  const shape = vectors.map((v) => v.numel);
  return vectors.map((v, i) =>
    expand(
      reshape(
        v,
        shape.map((n, j) => (j === i ? n : 1)),
      ),
      shape,
    ),
  );
}

/**
 * Two dimensions swapped, as by `transpose`; a view.
 *
 * ```ts
 * swapaxes(zeros([2, 3]), 0, 1).shape; // [3, 2]
 * ```
 */
export const swapaxes = /* @__PURE__ */ named('swapaxes', (x: Tensor, a: number, b: number): Tensor => {
  checkTensors('swapaxes', x);
  return x.transpose(a, b);
});

/**
 * Dimension `from` moved to place `to`.
 *
 * ```ts
 * movedim(zeros([2, 3, 4]), 0, 2).shape; // [3, 4, 2]
 * ```
 */
export function movedim(x: Tensor, from: number, to: number): Tensor {
  checkTensors('movedim', x);
  const order = x.shape.map((_, i) => i);
  const moved = order.splice(normalizeDim('movedim', from, x.ndim), 1);
  order.splice(normalizeDim('movedim', to, x.ndim), 0, ...moved);
  return x.permute(order);
}

/**
 * `dims` turned by `k` quarter turns.
 *
 * ```ts
 * rot90(tensor([[1, 2], [3, 4]])); // [[2, 4], [1, 3]]
 * ```
 */
export const rot90 = /* @__PURE__ */ named(
  'rot90',
  (x: Tensor, k = 1, dims: readonly [number, number] = [0, 1]): Tensor => {
    checkTensors('rot90', x);
    check('rot90', 'the turns', k, is.integer);
    check('rot90', 'dims', dims, is.tuple(is.integer, is.integer));
    const [a, b] = dims;
    if (normalizeDims('rot90', dims, x.ndim).length < 2)
      throw new ShapeError('rot90', `takes two dimensions of ${formatShape(x.shape)}`);
    const turns = ((k % 4) + 4) % 4;
    if (turns === 0) return x.clone();
    if (turns === 2) return flip(x, dims);
    return turns === 1 ? flip(x.transpose(a, b), a) : flip(x, a).transpose(a, b);
  },
);

/**
 * Left and right exchanged: `flip` of dimension 1.
 *
 * ```ts
 * fliplr(tensor([[1, 2], [3, 4]])); // [[2, 1], [4, 3]]
 * ```
 */
export const fliplr = /* @__PURE__ */ named('fliplr', (x: Tensor): Tensor => {
  checkTensors('fliplr', x);
  return flip(x, 1);
});

/**
 * Up and down exchanged: `flip` of dimension 0.
 *
 * ```ts
 * flipud(tensor([[1, 2], [3, 4]])); // [[3, 4], [1, 2]]
 * ```
 */
export const flipud = /* @__PURE__ */ named('flipud', (x: Tensor): Tensor => {
  checkTensors('flipud', x);
  return flip(x, 0);
});

/**
 * `repeat`, with missing counts as 1.
 *
 * ```ts
 * tile(tensor([1, 2]), 2); // [1, 2, 1, 2]
 * ```
 */
export const tile = /* @__PURE__ */ named('tile', (x: Tensor, ...times: readonly (number | Shape)[]): Tensor => {
  checkTensors('tile', x);
  const n = times.flat() as number[];
  return repeat(x, [...Array<number>(Math.max(0, x.ndim - n.length)).fill(1), ...n]);
});

/**
 * Windows of `size` elements, `step` apart, along `dim`: as many as fit, the elements in a new last dimension. A view.
 *
 * ```ts
 * unfoldDim(tensor([1, 2, 3, 4]), 0, 2, 1); // [[1, 2], [2, 3], [3, 4]]
 * ```
 */
export function unfoldDim(x: Tensor, dim: number, size: number, step: number): Tensor {
  checkTensors('unfoldDim', x);
  const d = normalizeDim('unfoldDim', dim, x.ndim);
  const n = x.shape[d] ?? 1;
  if (!Number.isInteger(size) || size < 0 || size > n || !Number.isInteger(step) || step < 1)
    throw new ShapeError(
      'unfoldDim',
      `size ${size} and step ${step} do not fit dimension ${dim} of ${formatShape(x.shape)}`,
    );
  const replace = (of: readonly number[], v: number, last: number) => [...of.map((o, i) => (i === d ? v : o)), last];
  const stride = x.strides[d] ?? 1;
  const shape = x.ndim === 0 ? [size] : replace(x.shape, Math.floor((n - size) / step) + 1, size);
  return makeStridedView(
    'unfoldDim',
    x,
    shape,
    x.ndim === 0 ? [1] : replace(x.strides, stride * step, stride),
    x.offset,
  );
}

const all = (op: string, tensors: readonly Tensor[]): readonly Tensor[] => {
  checkList(op, tensors);
  return tensors;
};

const atLeast = (n: number, x: Tensor): Tensor =>
  x.ndim >= n
    ? x
    : x.reshape(
        n === 3
          ? x.ndim === 2
            ? [...x.shape, 1]
            : [1, x.numel, 1]
          : [...Array<number>(n - x.ndim).fill(1), ...x.shape],
      );

/**
 * Joined along the first dimension, vectors as rows.
 *
 * ```ts
 * vstack([tensor([1, 2]), tensor([3, 4])]); // [[1, 2], [3, 4]]
 * ```
 */
export const vstack = /* @__PURE__ */ named(
  'vstack',
  (tensors: readonly Tensor[]): Tensor =>
    cat(
      all('vstack', tensors).map((x) => atLeast(2, x)),
      0,
    ),
);

/**
 * Joined along the second dimension; vectors one after another.
 *
 * ```ts
 * hstack([tensor([1, 2]), tensor([3])]); // [1, 2, 3]
 * ```
 */
export const hstack = /* @__PURE__ */ named(
  'hstack',
  (tensors: readonly Tensor[]): Tensor =>
    cat(
      all('hstack', tensors).map((x) => atLeast(1, x)),
      tensors[0]!.ndim > 1 ? 1 : 0,
    ),
);

/**
 * Joined along the third dimension.
 *
 * ```ts
 * dstack([tensor([1, 2]), tensor([3, 4])]); // [[[1, 3], [2, 4]]]
 * ```
 */
export const dstack = /* @__PURE__ */ named(
  'dstack',
  (tensors: readonly Tensor[]): Tensor =>
    cat(
      all('dstack', tensors).map((x) => atLeast(3, x)),
      2,
    ),
);

/**
 * The matrices one after another along the diagonal, zeros elsewhere.
 *
 * ```ts
 * blockDiag(tensor([[1]]), tensor([[2, 3]])); // [[1, 0, 0], [0, 2, 3]]
 * ```
 */
export const blockDiag = /* @__PURE__ */ named('blockDiag', (...matrices: readonly Tensor[]): Tensor => {
  const parts = all('blockDiag', matrices).map((m) => {
    if (m.ndim > 2) throw new ShapeError('blockDiag', `takes matrices, got ${formatShape(m.shape)}`);
    return atLeast(2, m);
  });
  const columns = parts.reduce((n, m) => n + m.shape[1]!, 0);
  let before = 0;
  return cat(
    parts.map((m) => {
      before += m.shape[1]!;
      return pad(m, [before - m.shape[1]!, columns - before]);
    }),
    0,
  );
});

/**
 * Every choice of one element from each vector, as rows.
 *
 * ```ts
 * cartesianProd(tensor([1, 2]), tensor([3, 4])); // [[1, 3], [1, 4], [2, 3], [2, 4]]
 * ```
 */
export const cartesianProd = /* @__PURE__ */ named('cartesianProd', (...vectors: readonly Tensor[]): Tensor => {
  checkList('cartesianProd', vectors);
  if (vectors.length === 1) return vectors[0]!.clone();
  return stack(
    meshgrid(...vectors).map((g) => g.flatten()),
    1,
  );
});

const combinationsOptions = { withReplacement: is.boolean };

/**
 * Every choice of `r` elements of a vector, in order, as rows.
 *
 * ```ts
 * combinations(tensor([1, 2, 3])); // [[1, 2], [1, 3], [2, 3]]
 * ```
 */
export function combinations(x: Tensor, r = 2, options?: { withReplacement?: boolean }): Tensor {
  const { withReplacement = false } = checkOptions('combinations', options, combinationsOptions);
  checkTensors('combinations', x);
  if (x.ndim !== 1) throw new ShapeError('combinations', `takes a vector, got ${formatShape(x.shape)}`);
  if (!Number.isInteger(r) || r < 0)
    throw new ShapeError('combinations', `r is a whole number from 0 up, got ${show(r)}`);
  const count = binomial(withReplacement ? x.numel + r - 1 : x.numel, r);
  if (count * r > mostChosen)
    throw new ShapeError(
      'combinations',
      `there are ${count} combinations of ${r} out of ${x.numel} elements, more than can be held; draw some with multinomial() or randperm()`,
    );
  const chosen = new Int32Array(count * r);
  const gap = withReplacement ? 0 : 1;
  const row = Int32Array.from({ length: r }, (_, k) => k * gap);
  for (let i = 0; i < count; i++) {
    chosen.set(row, i * r);
    // The last place that can go on does, and those behind it start right after it.
    let k = r - 1;
    while (k >= 0 && row[k] === x.numel - 1 - gap * (r - 1 - k)) k--;
    if (k >= 0) for (let v = row[k]! + 1; k < r; k++, v += gap) row[k] = v;
  }
  return indexSelect(x, 0, Tensor.of(chosen, 'int32', [count * r], x.storage.backend)).reshape(count, r);
}

/** More elements than that in all combinations are refused: their places alone would take a gigabyte. */
const mostChosen = 2 ** 28;

/** How many ways there are to choose `r` of `n`; it stops counting where there are more than could be listed. */
function binomial(n: number, r: number): number {
  if (r > n) return r === 0 ? 1 : 0;
  let count = 1;
  for (let i = 1; i <= Math.min(r, n - r) && count < 2 ** 60; i++) count = Math.round((count * (n - i + 1)) / i);
  return count;
}

const triangleIndices =
  (op: string, keep: (offset: number, k: number) => boolean) =>
  (rows: number, columns: number, offset = 0): Tensor => {
    checkShape(op, [rows, columns]);
    check(op, 'offset', offset, is.integer);
    const found: [number, number][] = [];
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) if (keep(j - i, offset)) found.push([i, j]);
    return Tensor.of(Int32Array.from([...found.map(([i]) => i), ...found.map(([, j]) => j)]), 'int32', [
      2,
      found.length,
    ]);
  };

/**
 * The coordinates at and below a diagonal: int32, `[2, n]`, rows first.
 *
 * ```ts
 * trilIndices(2, 2); // [[0, 1, 1], [0, 0, 1]]
 * ```
 */
export const trilIndices = triangleIndices('trilIndices', (o, k) => o <= k);

/**
 * The coordinates at and above a diagonal: int32, `[2, n]`, rows first.
 *
 * ```ts
 * triuIndices(2, 2); // [[0, 0, 1], [0, 1, 1]]
 * ```
 */
export const triuIndices = triangleIndices('triuIndices', (o, k) => o >= k);

const plain = {
  diagEmbed,
  diag,
  rot90,
  fliplr,
  flipud,
  tile,
  flip,
  roll,
  repeat,
  repeatInterleave,
  pad,
  sort,
  argsort,
  topk,
  oneHot,
  diagonal,
  trace,
  swapaxes,
  movedim,
};
methods(plain);

const withForms = { tril, triu };
methods(withInPlace(withForms));

const own = { unfold: unfoldDim };
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor
    extends MethodsFrom<typeof self, typeof plain & typeof withForms>,
      InPlaceOf<typeof withForms>,
      MethodsOf<typeof own> {}
}
