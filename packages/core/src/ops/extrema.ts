import { checkOptions } from '../check.js';
import { named } from '../errors.js';
import { record } from '../graph/node.js';
import { normalizeDim } from '../memory/shape.js';
import { checkNotEmpty, checkTensors } from '../tensor/check.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { div, mul } from './elementwise.js';
import type * as self from './extrema.js';
import { evenly } from './gradients.js';
import { keepDim } from './options.js';
import { eq, maximum, minimum } from './relational.js';
import { type Dim, type KeepDim, plan, reduced, sum } from './sum.js';

function extremum(name: 'amax' | 'amin') {
  return (x: Tensor, dim?: Dim, options?: KeepDim): Tensor => {
    const p = plan(name, x, dim, options);
    checkNotEmpty(name, p.count, x);
    const out = reduced(name, x, p, x.dtype);
    return record(
      name,
      [x],
      out,
      (g, ctx) => {
        const [x, y] = ctx.saved as [Tensor, Tensor];
        // Equal extremes share the gradient.
        const hit = eq(x, y.reshape(p.keepShape));
        return [div(mul(g.reshape(p.keepShape), hit), sum(hit, p.dims, { keepdim: true }))];
      },
      [x, out],
    );
  };
}

/**
 * The largest element over `dim`, by default over all; equal ones share the gradient. With `keepdim` the dimension
 * stays, with size 1. Throws for a tensor without elements.
 *
 * ```ts
 * amax(tensor([[1, 2], [3, 4]]), 1); // [2, 4]
 * ```
 */
export const amax = extremum('amax');

/**
 * The smallest element over `dim`, by default over all; equal ones share the gradient. With `keepdim` the dimension
 * stays, with size 1. Throws for a tensor without elements.
 *
 * ```ts
 * amin(tensor([[1, 2], [3, 4]]), 1); // [1, 3]
 * ```
 */
export const amin = extremum('amin');

function argExtremum(name: 'argmax' | 'argmin') {
  return (x: Tensor, dim?: number | null, options?: KeepDim): Tensor => {
    checkTensors(name, x);
    const dims = dim == null ? null : normalizeDim(name, dim, x.ndim);
    const p = plan(name, x, dims, options);
    checkNotEmpty(name, p.count, x);
    return reduced(name, x, p, 'int32');
  };
}

/**
 * The index of the largest element along `dim` (in the flattened tensor if left out); the first of equal ones. int32.
 *
 * ```ts
 * argmax(tensor([[1, 2], [3, 4]]), 1); // [1, 1]
 * ```
 */
export const argmax = argExtremum('argmax');

/**
 * The index of the smallest element along `dim` (in the flattened tensor if left out); the first of equal ones. int32.
 *
 * ```ts
 * argmin(tensor([[1, 2], [3, 4]])); // 0
 * ```
 */
export const argmin = argExtremum('argmin');

/** Values and their indices. */
export interface ValuesAndIndices {
  /** The values. */
  values: Tensor;
  /** The index of each along the dimension. */
  indices: Tensor;
}

/** `max` and `min`. */
interface Extremum {
  /** That of all elements; with a tensor, that of both by element. */
  (x: Tensor, other?: Tensor): Tensor;
  /** Those along `dim`, and their indices. */
  (x: Tensor, dim: number, options?: KeepDim): ValuesAndIndices;
}

function alongDim(name: 'max' | 'min', arg: typeof argmax, whole: typeof amax, pairwise: typeof maximum): Extremum {
  function reduce(x: Tensor, other?: Tensor): Tensor;
  function reduce(x: Tensor, dim: number, options?: KeepDim): ValuesAndIndices;
  function reduce(x: Tensor, dim?: number | Tensor, options?: KeepDim): Tensor | ValuesAndIndices {
    checkTensors(name, x);
    if (Tensor.is(dim)) return pairwise(x, dim);
    const { keepdim = false } = checkOptions(name, options, keepDim);
    if (dim === undefined) return evenly(name, x, whole(x.detach()));
    const d = normalizeDim(name, dim, x.ndim);
    const indices = arg(x, d, { keepdim: true });
    const values = x.ndim === 0 ? x.clone() : x.gather(d, indices);
    const squeeze = (t: Tensor) => (keepdim || x.ndim === 0 ? t : t.squeeze(d));
    return { values: squeeze(values), indices: squeeze(indices) };
  }
  return named(name, reduce);
}

/**
 * The largest element. With `dim`: the largest ones along it, and their indices. With a tensor: the larger of both, by
 * element.
 *
 * ```ts
 * max(tensor([[1, 2], [3, 4]])); // 4
 * max(tensor([[1, 2], [3, 4]]), 1); // { values: [2, 4], indices: [1, 1] }
 * ```
 */
export const max = alongDim('max', argmax, amax, maximum);

/**
 * The smallest element. With `dim`: the smallest ones along it, and their indices. With a tensor: the smaller of both,
 * by element.
 *
 * ```ts
 * min(tensor([[1, 2], [3, 4]]), 0); // { values: [1, 2], indices: [0, 0] }
 * ```
 */
export const min = alongDim('min', argmin, amin, minimum);

const plain = { amax, amin, argmax, argmin, max, min };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
