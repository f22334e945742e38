import { check, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { indices } from '../graph/positions.js';
import { makeStridedView } from '../graph/view.js';
import { checkSize, formatShape, normalizeDim, normalizeDims, type Shape } from '../memory/shape.js';
import { checkIntegers, checkList, checkTensors, madeOf } from '../tensor/check.js';
import { elementsOf } from '../tensor/elements.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, type MethodsOf, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { clone } from './copy.js';
import { indexSelect } from './indexing.js';
import { cat, narrow } from './joining.js';
import { pad } from './pad.js';
import type * as self from './rearrange.js';
import type { Dim } from './reduce.js';
import { expand, reshape } from './shape.js';

/**
 * The elements in reverse order along `dims`, an array or arguments, as a copy. The result has the shape of `x`.
 *
 * ```ts
 * flip(tensor([1, 2, 3]), 0); // [3, 2, 1]
 * ```
 */
export const flip = /* @__PURE__ */ madeOf(
  'flip',
  (x: Tensor, ...dims: readonly [dims?: Dim] | readonly number[]): Tensor => {
    let out = x;
    for (const d of normalizeDims('flip', dims.length < 2 ? dims[0] : (dims as number[]), x.ndim))
      out = indexSelect(
        out,
        d,
        indices(x, x.shape[d]!, (i) => x.shape[d]! - 1 - i),
      );
    return out === x ? x.clone() : out;
  },
);

/**
 * Moves the elements by `shifts` along `dims`; those that fall off at the end come in at the start. Flattened without
 * dims.
 *
 * ```ts
 * roll(tensor([1, 2, 3]), 1); // [3, 1, 2]
 * ```
 */
export const roll = /* @__PURE__ */ madeOf(
  'roll',
  (x: Tensor, shifts: number | readonly number[], dims?: number | readonly number[]): Tensor => {
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
 * Repeats the whole tensor, `times` for each dimension; more numbers than dimensions add leading dimensions.
 *
 * ```ts
 * repeat(tensor([1, 2]), 2, 2); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 * ```
 */
export const repeat = /* @__PURE__ */ madeOf('repeat', (x: Tensor, ...times: readonly (number | Shape)[]): Tensor => {
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
  // A copy, also where a view would do: who writes to it does not mean `x`.
  return reshape(
    clone(
      expand(
        split,
        shape.flatMap((v, i) => [n[i]!, v]),
      ),
    ),
    shape.map((v, i) => v * n[i]!),
  );
});

/**
 * Repeats each element (or slice along `dim`) `repeats` times in a row: one number, or integers with one for each.
 *
 * ```ts
 * repeatInterleave(tensor([1, 2]), 2); // [1, 1, 2, 2]
 * repeatInterleave(tensor([1, 2]), tensor([3, 1], { dtype: 'int32' })); // [1, 1, 1, 2]
 * ```
 */
export const repeatInterleave = /* @__PURE__ */ madeOf(
  'repeatInterleave',
  (x: Tensor, repeats: number | Tensor, dim?: number): Tensor => {
    if (Tensor.is(repeats)) return repeatEach(x, repeats, dim);
    check('repeatInterleave', 'repeats', repeats, is.size);
    const t = dim === undefined ? reshape(x, -1) : x;
    const d = normalizeDim('repeatInterleave', dim ?? 0, t.ndim);
    return indexSelect(
      t,
      d,
      indices(x, t.shape[d]! * repeats, (i) => Math.floor(i / repeats)),
    );
  },
);

/** Each slice, as often as its number says. */
function repeatEach(x: Tensor, repeats: Tensor, dim?: number): Tensor {
  checkIntegers('repeatInterleave', 'repeats', repeats);
  const t = dim === undefined ? reshape(x, -1) : x;
  const d = normalizeDim('repeatInterleave', dim ?? 0, t.ndim);
  const n = t.shape[d]!;
  if (repeats.ndim > 1 || (repeats.numel !== 1 && repeats.numel !== n))
    throw new ShapeError(
      'repeatInterleave',
      `repeats must have one number for each of ${n} slices, got ${formatShape(repeats.shape)}`,
    );
  const counts = elementsOf(repeats, 'repeatInterleave');
  const countOf = (i: number) => counts[counts.length === 1 ? 0 : i]!;
  let total = 0;
  for (let i = 0; i < n; i++) {
    const count = countOf(i);
    if (count < 0) throw new ShapeError('repeatInterleave', `repeats must be whole numbers from 0 up, got ${count}`);
    total += count;
  }
  // Slice by slice, as the places of the result are asked for in order.
  let slice = -1;
  let left = 0;
  const next = () => {
    while (left === 0) left = countOf(++slice);
    left--;
    return slice;
  };
  return indexSelect(t, d, indices(x, total, next));
}

/**
 * A view with two dimensions swapped: `transpose` under NumPy's name.
 *
 * ```ts
 * swapaxes(zeros([2, 3]), 0, 1).shape; // [3, 2]
 * ```
 */
export const swapaxes = /* @__PURE__ */ madeOf('swapaxes', (x: Tensor, a: number, b: number): Tensor => {
  return x.transpose(a, b);
});

/**
 * A view with dimension `from` moved to position `to`; the others keep their order.
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
 * Rotates the plane of `dims`, by default the first two, by `k` quarter turns, by default 1, from the first of the two
 * towards the second.
 *
 * ```ts
 * rot90(tensor([[1, 2], [3, 4]])); // [[2, 4], [1, 3]]
 * ```
 */
export const rot90 = /* @__PURE__ */ madeOf(
  'rot90',
  (x: Tensor, k = 1, dims: readonly [number, number] = [0, 1]): Tensor => {
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
 * `flip` of dimension 1: exchanges left and right.
 *
 * ```ts
 * fliplr(tensor([[1, 2], [3, 4]])); // [[2, 1], [4, 3]]
 * ```
 */
export const fliplr = /* @__PURE__ */ madeOf('fliplr', (x: Tensor): Tensor => {
  return flip(x, 1);
});

/**
 * `flip` of dimension 0: exchanges up and down.
 *
 * ```ts
 * flipud(tensor([[1, 2], [3, 4]])); // [[3, 4], [1, 2]]
 * ```
 */
export const flipud = /* @__PURE__ */ madeOf('flipud', (x: Tensor): Tensor => {
  return flip(x, 0);
});

/**
 * `repeat`, in which missing counts are 1: `[m, n]` tiled 2 times is `[m, 2 n]`.
 *
 * ```ts
 * tile(tensor([1, 2]), 2); // [1, 2, 1, 2]
 * ```
 */
export const tile = /* @__PURE__ */ madeOf('tile', (x: Tensor, ...times: readonly (number | Shape)[]): Tensor => {
  const n = times.flat() as number[];
  return repeat(x, [...Array<number>(Math.max(0, x.ndim - n.length)).fill(1), ...n]);
});

/**
 * Windows of `size` elements, `step` apart, along `dim`: as many as fit. Their elements are a new last dimension. A
 * view.
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
      `size ${show(size)} and step ${show(step)} do not fit dimension ${dim} of ${formatShape(x.shape)}`,
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
 * Joins tensors along the first dimension; vectors `[n]` count as rows `[1, n]`.
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
 * Joins tensors along the second dimension, and vectors one after another.
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
 * Joins tensors along the third dimension; vectors and matrices count as `[1, n, 1]` and `[m, n, 1]`.
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
 * Puts the matrices one after another along the diagonal; zeros elsewhere.
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
  checkSize('blockDiag', [parts.reduce((n, m) => n + m.shape[0]!, 0), columns]);
  let before = 0;
  return cat(
    parts.map((m) => {
      before += m.shape[1]!;
      return pad(m, [before - m.shape[1]!, columns - before]);
    }),
    0,
  );
});

const plain = {
  rot90,
  fliplr,
  flipud,
  tile,
  flip,
  roll,
  repeat,
  repeatInterleave,
  swapaxes,
  movedim,
};
methods(plain);

const own = {
  /** Windows of `size` elements along `dim`, one each `step`, as a view: see `unfoldDim`. */
  unfold: unfoldDim,
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain>, MethodsOf<typeof own> {}
}
