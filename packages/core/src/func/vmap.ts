import { check, checkOptions, show } from '../check.js';
import { ShapeError } from '../errors.js';
import { formatShape, normalizeDim } from '../memory/shape.js';
import { cat, movedim } from '../ops/index.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { computed, leaveAll } from './around.js';
import type { Randomness } from './batch.js';
import { Level } from './level.js';
import { flatten, spread, tensorsOf } from './trees.js';

/** A dimension, null for none, or a structure of these that matches an argument or a result. */
export type Dims = number | null | readonly Dims[] | { readonly [name: string]: Dims };

/** Options of `vmap`. */
export interface VmapOptions {
  /**
   * The batch dimension of each argument, by default 0. A number applies to all tensors of all arguments; an array has
   * one entry for each argument, which may have the structure of the argument. null marks what all examples share.
   */
  inDims?: Dims;
  /**
   * Where the batch dimension goes in the result, by default 0: a number, or numbers in the structure of the result.
   */
  outDims?: Dims;
  /** Random numbers inside: refused ('error', the default), 'different' for each example, or the 'same' for all. */
  randomness?: Randomness;
  /** The number of examples computed at a time; fewer need less memory. All at once by default. */
  chunkSize?: number | null;
}

const vmapOptions = {
  inDims: is.anything,
  outDims: is.anything,
  randomness: is.oneOf('error', 'different', 'same'),
  chunkSize: is.nullable(is.count),
};

/**
 * Turns a function of one example into a function of a batch: it takes tensors with one more dimension, and returns
 * what `fn` returns for each example, stacked. Inside, tensors have the shapes of one example, and each operator
 * computes for all examples at once. Arguments and results are tensors, or tensors in arrays and plain objects; other
 * arguments are passed to `fn` as they are.
 *
 * Calls can be nested, combine with `grad` and the other functions of this entry point in either order, and have
 * gradients. What is impossible for a batch is refused by the name of the operator: reading values (`item()`,
 * `toArray()`), results whose shape depends on values (`nonzero`, `maskedSelect`), writing different values into a
 * tensor from outside, `backward()`, and asynchronous functions.
 *
 * ```ts
 * const dots = vmap((a: Tensor, b: Tensor) => a.dot(b));
 * dots(tensor([[1, 2], [3, 4]]), ones([2, 2])); // [3, 7]
 * const weighted = vmap((x: Tensor, w: Tensor) => x.dot(w), { inDims: [0, null] });
 * weighted(tensor([[1, 2], [3, 4]]), tensor([1, 10])); // [21, 43]
 * ```
 */
export function vmap<A extends any[], R>(fn: (...args: A) => R, options?: VmapOptions): (...args: A) => R {
  check('vmap', 'fn', fn, is.callback);
  const { inDims = 0, outDims = 0, randomness = 'error', chunkSize } = checkOptions('vmap', options, vmapOptions);
  return (...args) => {
    const { leaves, rebuild } = flatten('vmap', args);
    const dims = spread('vmap', 'inDims', inDims, args).map((dim, i) => dimOf(dim, leaves[i]));
    const size = sizeOf(leaves, dims);
    const batch = leaves.map((leaf, i) => (dims[i] == null ? leaf : movedim(leaf as Tensor, dims[i], 0)));
    const apply = (from: number, count: number) => {
      const part = (t: unknown, i: number) => (dims[i] == null ? t : (t as Tensor).narrow(0, from, count));
      return call(fn, rebuild, count === size ? batch : batch.map(part), dims, count, randomness);
    };
    const step = chunkSize ?? size;
    const chunks: ReturnType<typeof call>[] = [];
    for (let from = 0; from === 0 || from < size; from += step) chunks.push(apply(from, Math.min(step, size - from)));
    const [first] = chunks;
    const places = spread('vmap', 'outDims', outDims, first!.result);
    const outs = first!.outs.map((t, i) => {
      const whole = chunks.length === 1 ? t : cat(chunks.map(({ outs }) => outs[i]!));
      return placed(whole, places[i]);
    });
    return first!.rebuild(outs) as R;
  };
}

/** Calls the function once, for all examples of tensors that have the batch first. */
function call(
  fn: (...args: any[]) => unknown,
  rebuild: (leaves: readonly unknown[]) => unknown,
  batch: readonly unknown[],
  dims: readonly (number | null)[],
  size: number,
  randomness: Randomness,
): { result: unknown; outs: Tensor[]; rebuild(leaves: readonly unknown[]): unknown } {
  const level = new Level(size, randomness);
  const { result, flat, all } = level.run(() => {
    const examples = batch.map((t, i) => (dims[i] === null ? t : level.enter(t as Tensor)));
    const result = fn(...(rebuild(examples) as unknown[]));
    const flat = tensorsOf('vmap', 'the result of the function', result);
    return { result, flat, all: computed(flat.leaves) };
  });
  return { result, outs: leaveAll(level, all), rebuild: flat.rebuild };
}

/** The batch dimension of an argument; null if it has none. */
function dimOf(dim: unknown, leaf: unknown): number | null {
  if (dim === null) return null;
  if (typeof dim !== 'number')
    throw new TypeError(
      `vmap: inDims must be numbers and null, in an array with one for each argument or in the structure of the arguments; got ${show(dim)}`,
    );
  if (!Tensor.is(leaf)) {
    if (typeof leaf === 'object' && leaf !== null)
      throw new TypeError(
        `vmap: an argument with a batch must be a Tensor, or Tensors in arrays and plain objects, got ${show(leaf)}; pass null for it in inDims`,
      );
    return null;
  }
  if (leaf.ndim === 0)
    throw new ShapeError(
      'vmap',
      'a tensor without dimensions has no batch; add a dimension, or pass null for it in inDims',
    );
  return normalizeDim('vmap', dim, leaf.ndim);
}

/** The number of examples, which must be the same for all arguments. */
function sizeOf(leaves: readonly unknown[], dims: readonly (number | null)[]): number {
  const batched = leaves.filter((_, i) => dims[i] !== null) as Tensor[];
  if (batched.length === 0)
    throw new ShapeError('vmap', 'no argument has a batch; at least one tensor must have a number in inDims');
  const at = dims.filter((dim) => dim !== null);
  const sizes = batched.map((t, i) => t.shape[at[i]!]!);
  if (sizes.some((size) => size !== sizes[0]))
    throw new ShapeError(
      'vmap',
      `the batches differ in size: ${batched.map((t, i) => `${formatShape(t.shape)} has ${sizes[i]} along dimension ${at[i]}`).join(', ')}`,
    );
  if (sizes[0] === 0) throw new ShapeError('vmap', 'the batch is empty, so there is nothing to call the function with');
  return sizes[0]!;
}

/** The result, with the batch dimension where it is wanted. */
function placed(whole: Tensor, dim: unknown): Tensor {
  if (typeof dim !== 'number')
    throw new TypeError(`vmap: outDims must be numbers, in the structure of the result; got ${show(dim)}`);
  return dim === 0 ? whole : movedim(whole, 0, normalizeDim('vmap', dim, whole.ndim));
}
