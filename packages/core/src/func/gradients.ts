import { grad as gradientsOf } from '../autograd/backward.js';
import { check, show } from '../check.js';
import { ShapeError } from '../errors.js';
import { enableGrad, isGradEnabled } from '../grad/index.js';
import { formatShape } from '../memory/shape.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { type ArgNums, alike, argnumsKind, type Chosen, checkTransform, type Recorded, recorded } from './inputs.js';
import { type Tree, tensorsOf } from './trees.js';

/** Options of `grad` and `gradAndValue`. */
export interface GradTransformOptions<N extends ArgNums = ArgNums> {
  /**
   * The positions of the arguments to differentiate with respect to: a number gives one gradient, an array gives an
   * array of gradients. Default 0; negative positions count from the end.
   */
  argnums?: N;
}

/** The function returns `[output, aux]`, and `aux` is returned beside the gradients. */
export interface WithAux {
  /** The function returns `[output, aux]`, and `aux` is given back as it is. */
  hasAux: true;
}

const gradOptions = { argnums: argnumsKind, hasAux: is.boolean };

/** Zeros for inputs that the outputs do not depend on. */
export function gradients(
  { inputs }: Pick<Recorded, 'inputs'>,
  outputs: readonly Tensor[],
  weights: readonly Tensor[] | null,
  createGraph: boolean,
): Tensor[] {
  const tracked = [...outputs.keys()].filter((i) => outputs[i]!.requiresGrad);
  if (tracked.length === 0) return inputs.map(zerosAs);
  return gradientsOf(
    tracked.map((i) => outputs[i]!),
    inputs,
    {
      gradOutputs: weights && tracked.map((i) => weights[i]!),
      allowUnused: true,
      materializeGrads: true,
      retainGraph: true,
      createGraph,
    },
  );
}

export const zerosAs = ({ dtype, shape, storage }: Tensor): Tensor => Tensor.zeros(dtype, shape, storage.backend);

/** The gradients and the value of a function whose result has one element. */
function differentiated(
  op: string,
  fn: (...args: any[]) => unknown,
  options: GradTransformOptions & { hasAux?: boolean } = {},
  args: readonly unknown[],
): { grads: unknown; value: Tensor; aux: unknown } {
  const run = recorded(op, fn, args, options.argnums ?? 0, options.hasAux ?? false);
  const value = run.outputs.leaves[0];
  if (run.outputs.leaves.length !== 1 || value!.numel !== 1)
    throw new ShapeError(
      op,
      `the function must return a tensor of one element, got ${run.outputs.leaves.map((t) => formatShape(t.shape)).join(', ') || 'no tensor'}; reduce it with sum() or mean(), or use jacrev()`,
    );
  const grads = gradients(run, [value!], null, run.isOpen);
  return { grads: run.rebuild(grads), value: run.isOpen ? value! : value!.detach(), aux: run.aux };
}

/**
 * Returns a function that computes the gradient of `fn`. The result of `fn` is a tensor of one element; the gradient is
 * taken with respect to the first argument, or those that `argnums` selects. An argument is a tensor, or tensors in
 * arrays and plain objects, such as parameters by name; the gradient has the same structure. It is zero where the
 * result does not depend on an input.
 *
 * Calls can be nested, and the gradients are themselves differentiable in the surrounding code. A `noGrad` around the
 * call only stops that; a `noGrad` inside `fn` is respected. Throws a `ShapeError` if the result of `fn` is not one
 * tensor of one element, and an `AutogradError` if all of it was computed under `noGrad`: PyTorch gives zeros.
 *
 * ```ts
 * const cube = (x: Tensor) => x.pow(3);
 * func.grad(cube)(tensor(2)); // 12
 * func.grad(func.grad(cube))(tensor(2)); // 12
 * ```
 */
export function grad<A extends any[], const N extends ArgNums = 0>(
  fn: (...args: A) => Tensor,
  options?: GradTransformOptions<N>,
): (...args: A) => Chosen<A, N>;
/** The same of a function that returns `[value, aux]`, with `hasAux: true`: what else it returns is returned too. */
export function grad<A extends any[], Aux, const N extends ArgNums = 0>(
  fn: (...args: A) => readonly [output: Tensor, aux: Aux],
  options: GradTransformOptions<N> & WithAux,
): (...args: A) => [grads: Chosen<A, N>, aux: Aux];
export function grad(fn: (...args: any[]) => unknown, options?: GradTransformOptions & { hasAux?: boolean }): unknown {
  const known = checkTransform('grad', fn, options, gradOptions);
  return (...args: unknown[]) => {
    const { grads, aux } = differentiated('grad', fn, known, args);
    return known.hasAux ? [grads, aux] : grads;
  };
}

/**
 * Like `grad`, but also returns the value: `[gradients, value]`, or with `hasAux` `[gradients, [value, aux]]`.
 *
 * ```ts
 * gradAndValue((x: Tensor) => x.square().sum())(tensor([1, 2])); // [[2, 4], 5]
 * ```
 */
export function gradAndValue<A extends any[], const N extends ArgNums = 0>(
  fn: (...args: A) => Tensor,
  options?: GradTransformOptions<N>,
): (...args: A) => [grads: Chosen<A, N>, value: Tensor];
/** The same of a function that returns `[value, aux]`, with `hasAux: true`: what else it returns is returned too. */
export function gradAndValue<A extends any[], Aux, const N extends ArgNums = 0>(
  fn: (...args: A) => readonly [output: Tensor, aux: Aux],
  options: GradTransformOptions<N> & WithAux,
): (...args: A) => [grads: Chosen<A, N>, result: [value: Tensor, aux: Aux]];
export function gradAndValue(
  fn: (...args: any[]) => unknown,
  options?: GradTransformOptions & { hasAux?: boolean },
): unknown {
  const known = checkTransform('gradAndValue', fn, options, gradOptions);
  return (...args: unknown[]) => {
    const { grads, value, aux } = differentiated('gradAndValue', fn, known, args);
    return [grads, known.hasAux ? [value, aux] : value];
  };
}

const auxOptions = { hasAux: is.boolean };

/** The positions of all arguments. */
const all = (primals: readonly unknown[]): number[] => [...primals.keys()];

/**
 * The value of `fn` at `primals`, and a function that maps a gradient of the value (with its structure) to an array of
 * the gradients of the primals: a vector-Jacobian product. That function may be called several times, and under `vmap`.
 * With `hasAux`, returns `[output, vjpFn, aux]`.
 *
 * ```ts
 * const [value, pullback] = func.vjp((x: Tensor) => x.square(), [tensor([1, 2])]);
 * value; // [1, 4]
 * pullback(tensor([1, 10])); // [[2, 40]]
 * ```
 */
export function vjp<A extends any[], R extends Tree>(
  fn: (...args: A) => R,
  primals: readonly [...A],
): [output: R, vjpFn: (cotangents: R) => A];
/** The same of a function that returns `[value, aux]`, with `hasAux: true`: what else it returns is returned too. */
export function vjp<A extends any[], R extends Tree, Aux>(
  fn: (...args: A) => readonly [output: R, aux: Aux],
  primals: readonly [...A],
  options: WithAux,
): [output: R, vjpFn: (cotangents: R) => A, aux: Aux];
export function vjp(
  fn: (...args: any[]) => unknown,
  primals: readonly unknown[],
  options?: { hasAux?: boolean },
): unknown[] {
  const { hasAux = false } = checkTransform('vjp', fn, options, auxOptions);
  check('vjp', 'primals', primals, someInputs);
  const run = recorded('vjp', fn, primals, all(primals), hasAux);
  const { leaves, rebuild } = run.outputs;
  const pullback = (cotangents: unknown): unknown => {
    const weights = alike('vjp', 'the gradient of the value', cotangents, run.outputs);
    const createGraph = isGradEnabled() && (run.isOpen || weights.some((t) => t.requiresGrad));
    return run.rebuild(gradients(run, leaves, weights, createGraph));
  };
  const output = rebuild(run.isOpen ? leaves : leaves.map((t) => t.detach()));
  return hasAux ? [output, pullback, run.aux] : [output, pullback];
}

const someInputs = {
  text: 'an array of at least one argument',
  is: (value: unknown) => Array.isArray(value) && value.length > 0,
};

/** The derivative of a function along directions, computed by two backward passes. */
export interface Forward {
  readonly run: Recorded;
  /** The derivatives of the outputs along one direction for each input; null stands for a direction of zeros. */
  along(directions: readonly (Tensor | null)[]): Tensor[];
}

/**
 * The gradient of the inputs is linear in the weights of the outputs; its derivative with respect to the weights is the
 * Jacobian.
 */
export function forward(run: Recorded, createGraph: boolean): Forward {
  const outputs = run.outputs.leaves;
  const weights = outputs.map((t) => zerosAs(t).requiresGrad_());
  const linear = enableGrad.run(() => gradients(run, outputs, weights, true));
  return {
    run,
    along(directions) {
      const sums = enableGrad.run(() =>
        linear.flatMap((g, i) => (directions[i] && g.requiresGrad ? g.mul(directions[i]).sum() : [])),
      );
      return gradients({ inputs: weights }, sums, null, createGraph);
    },
  };
}

/**
 * The value of `fn` at `primals`, and its derivative along `tangents`, which have the structure and shapes of the
 * primals: a Jacobian-vector product. It is computed by two backward passes. With `hasAux`, returns
 * `[output, tangent, aux]`.
 *
 * ```ts
 * func.jvp((x: Tensor) => x.square(), [tensor([1, 2])], [tensor([1, 0])]); // [[1, 4], [2, 0]]
 * ```
 */
export function jvp<A extends any[], R extends Tree>(
  fn: (...args: A) => R,
  primals: readonly [...A],
  tangents: readonly [...A],
): [output: R, tangent: R];
/** The same of a function that returns `[value, aux]`, with `hasAux: true`: what else it returns is returned too. */
export function jvp<A extends any[], R extends Tree, Aux>(
  fn: (...args: A) => readonly [output: R, aux: Aux],
  primals: readonly [...A],
  tangents: readonly [...A],
  options: WithAux,
): [output: R, tangent: R, aux: Aux];
export function jvp(
  fn: (...args: any[]) => unknown,
  primals: readonly unknown[],
  tangents: readonly unknown[],
  options?: { hasAux?: boolean },
): unknown[] {
  const { hasAux = false } = checkTransform('jvp', fn, options, auxOptions);
  check('jvp', 'primals', primals, someInputs);
  if (!Array.isArray(tangents) || tangents.length !== primals.length)
    throw new TypeError(
      `jvp: tangents must be an array of one for each of the ${primals.length} primals, got ${show(tangents)}`,
    );
  const directions = alike('jvp', 'a tangent', tangents, tensorsOf('jvp', 'the primals', primals));
  const run = recorded('jvp', fn, primals, all(primals), hasAux);
  const createGraph = isGradEnabled() && (run.isOpen || directions.some((t) => t.requiresGrad));
  const tangent = run.outputs.rebuild(forward(run, createGraph).along(directions));
  const { leaves, rebuild } = run.outputs;
  const output = rebuild(run.isOpen ? leaves : leaves.map((t) => t.detach()));
  return hasAux ? [output, tangent, run.aux] : [output, tangent];
}
