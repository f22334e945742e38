import { isGradEnabled } from '../grad/index.js';
import { checkSize, sizeOf } from '../memory/shape.js';
import { eye } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { forward, type GradTransformOptions, gradients, type WithAux } from './gradients.js';
import { type ArgNums, argnumsKind, type Chosen, checkTransform, type Recorded, recorded } from './inputs.js';
import type { Tree } from './trees.js';
import { vmap } from './vmap.js';

/** Options of `jacrev` and `jacfwd`. */
export interface JacobianTransformOptions<N extends ArgNums = ArgNums> extends GradTransformOptions<N> {
  /**
   * The number of rows (`jacrev`) or columns (`jacfwd`) computed at a time; fewer need less memory. All at once by
   * default.
   */
  chunkSize?: number | null;
}

/** The structure of the outputs, in which each output is replaced by the structure of the inputs. */
export type Jacobian<R, I> = R extends Tensor ? I : { -readonly [K in keyof R]: Jacobian<R[K], I> };

const jacobianOptions = { argnums: argnumsKind, hasAux: is.boolean, chunkSize: is.nullable(is.count) };

type Options = JacobianTransformOptions & { hasAux?: boolean };

/** All unit vectors, as tensors with the shape of `t`. */
const units = (t: Tensor): Tensor => eye(t.numel, { dtype: t.dtype, device: t.device }).view(t.numel, ...t.shape);

const empty = (out: Tensor, input: Tensor): Tensor =>
  Tensor.zeros(out.dtype, [...out.shape, ...input.shape], out.storage.backend);

/** The derivatives for each output and each input, shaped like the output followed by the input. */
type Derive = (run: Recorded, createGraph: boolean, chunkSize: number | null | undefined) => Tensor[][];

function transform(op: string, fn: (...args: any[]) => unknown, options: Options | undefined, derive: Derive) {
  const known = checkTransform(op, fn, options, jacobianOptions);
  return (...args: unknown[]) => {
    const run = recorded(op, fn, args, known.argnums ?? 0, known.hasAux ?? false);
    const rows = derive(run, isGradEnabled() && run.isOpen, known.chunkSize);
    const jacobian = run.outputs.rebuild(rows.map((row) => run.rebuild(row)));
    return known.hasAux ? [jacobian, run.aux] : jacobian;
  };
}

const byRows: Derive = (run, createGraph, chunkSize) =>
  run.outputs.leaves.map((out) => {
    for (const input of run.inputs) checkSize('jacrev', [...out.shape, ...input.shape]);
    if (out.numel === 0) return run.inputs.map((input) => empty(out, input));
    const rowsOf = vmap((weights: Tensor) => gradients(run, [out], [weights], createGraph), { chunkSize });
    return rowsOf(units(out)).map((rows, i) => rows.reshape(...out.shape, ...run.inputs[i]!.shape));
  });

const byColumns: Derive = (run, createGraph, chunkSize) => {
  const outs = run.outputs.leaves;
  const { along } = forward(run, createGraph);
  const byInput = run.inputs.map((input, i) => {
    for (const out of outs) checkSize('jacfwd', [...out.shape, ...input.shape]);
    if (input.numel === 0) return outs.map((out) => empty(out, input));
    const columnsOf = vmap((direction: Tensor) => along(run.inputs.map((_, k) => (k === i ? direction : null))), {
      chunkSize,
    });
    return columnsOf(units(input)).map((columns, o) => {
      const { shape } = outs[o]!;
      return columns
        .reshape(input.numel, sizeOf(shape))
        .t()
        .reshape(...shape, ...input.shape);
    });
  });
  return outs.map((_, o) => byInput.map((columns) => columns[o]!));
};

/**
 * Returns a function that computes the Jacobian of `fn` by one backward pass for all rows together: for each tensor of
 * the result, a tensor with its shape followed by the shape of the argument. `argnums` selects arguments other than the
 * first; arguments and results may be tensors in arrays and plain objects. Use it where the result has fewer elements
 * than the argument, else `jacfwd`.
 *
 * ```ts
 * jacrev((x: Tensor) => x.square())(tensor([1, 2])); // [[2, 0], [0, 4]]
 * ```
 */
export function jacrev<A extends any[], R extends Tree, const N extends ArgNums = 0>(
  fn: (...args: A) => R,
  options?: JacobianTransformOptions<N>,
): (...args: A) => Jacobian<R, Chosen<A, N>>;
/** The same of a function that returns `[value, aux]`, with `hasAux: true`: what else it returns is returned too. */
export function jacrev<A extends any[], R extends Tree, Aux, const N extends ArgNums = 0>(
  fn: (...args: A) => readonly [output: R, aux: Aux],
  options: JacobianTransformOptions<N> & WithAux,
): (...args: A) => [jacobian: Jacobian<R, Chosen<A, N>>, aux: Aux];
export function jacrev(fn: (...args: any[]) => unknown, options?: Options): unknown {
  return transform('jacrev', fn, options, byRows);
}

/**
 * The same as `jacrev`, computed for all columns together; use it where the argument has fewer elements than the
 * result. Each column is a derivative along one direction, computed by two backward passes as in `jvp`.
 *
 * ```ts
 * jacfwd((x: Tensor) => x.square())(tensor([1, 2])); // [[2, 0], [0, 4]]
 * ```
 */
export function jacfwd<A extends any[], R extends Tree, const N extends ArgNums = 0>(
  fn: (...args: A) => R,
  options?: JacobianTransformOptions<N>,
): (...args: A) => Jacobian<R, Chosen<A, N>>;
/** The same of a function that returns `[value, aux]`, with `hasAux: true`: what else it returns is returned too. */
export function jacfwd<A extends any[], R extends Tree, Aux, const N extends ArgNums = 0>(
  fn: (...args: A) => readonly [output: R, aux: Aux],
  options: JacobianTransformOptions<N> & WithAux,
): (...args: A) => [jacobian: Jacobian<R, Chosen<A, N>>, aux: Aux];
export function jacfwd(fn: (...args: any[]) => unknown, options?: Options): unknown {
  return transform('jacfwd', fn, options, byColumns);
}

/**
 * Returns a function that computes the second derivatives of `fn`, whose result has one element, with respect to an
 * argument of any shape: the shape of the result, followed by that of the argument twice. With several `argnums`, an
 * array of arrays of them.
 *
 * ```ts
 * func.hessian((x: Tensor) => x.pow(3).sum())(tensor([1, 2])); // [[6, 0], [0, 12]]
 * ```
 */
export function hessian<A extends any[], const N extends ArgNums = 0>(
  fn: (...args: A) => Tensor,
  options?: GradTransformOptions<N>,
): (...args: A) => Jacobian<Chosen<A, N>, Chosen<A, N>> {
  const known = checkTransform('hessian', fn, options, { argnums: argnumsKind });
  const inner = transform('hessian', fn, known, byRows);
  return transform('hessian', inner, known, byRows) as never;
}
