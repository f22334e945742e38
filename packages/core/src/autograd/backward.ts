import { closeWindows } from '../backend/host/storage.js';
import { check, checkOptions } from '../check.js';
import { AutogradError, DTypeError, ShapeError } from '../errors.js';
import { runInMode } from '../grad/flow.js';
import { type Edge, gradEdge } from '../graph/node.js';
import { batching } from '../memory/batching.js';
import { isComplex, isFloat } from '../memory/dtype.js';
import { formatShape, sameShape } from '../memory/shape.js';
import { add } from '../ops/elementwise.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import type * as self from './backward.js';
import { type Capture, execute } from './engine.js';
import { explainUntracked } from './explain.js';

/** Options of `backward`. */
export interface BackwardOptions {
  /** The gradient of the tensor itself; must be given unless it has one element. */
  gradient?: Tensor | null;
  /** Keep what the graph saved, for another backward pass through it. Defaults to `createGraph`. */
  retainGraph?: boolean;
  /** Record the backward pass itself, so that gradients have gradients. */
  createGraph?: boolean;
  /** Accumulate into these tensors only; all leaves if not given. */
  inputs?: Tensor | readonly Tensor[];
}

/** Options of `grad`. */
export interface GradOptions {
  /** The gradients that arrive at the outputs, one for each; 1 for an output of one element by default. */
  gradOutputs?: Tensor | readonly (Tensor | null)[] | null;
  /** Keeps what the graph has saved, for another pass. As `createGraph` by default. */
  retainGraph?: boolean;
  /** Records the gradients themselves, so that they can be differentiated again. False by default. */
  createGraph?: boolean;
  /** Give `null` for inputs the outputs do not depend on, rather than throw. Defaults to `materializeGrads`. */
  allowUnused?: boolean;
  /** Give zeros rather than `null`. */
  materializeGrads?: boolean;
}

/** The gradient to start from: the one given, checked, or ones for a tensor of one element. */
function startGradient(op: string, t: Tensor, gradient: Tensor | null | undefined): Tensor {
  if (gradient == null) {
    if (t.numel !== 1)
      throw new ShapeError(
        op,
        `the gradient of a tensor of shape ${formatShape(t.shape)} must be given, as it is implied for one element only; ` +
          'reduce it with sum() or mean(), or pass a gradient of its shape',
      );
    if (isComplex(t.dtype))
      throw new DTypeError(
        op,
        `the gradient of a ${t.dtype} tensor must be given, as it is implied for real ones only; a loss is real, as abs() or real() are`,
      );
    const { backend } = t.storage;
    const one = Tensor.uninitialized(t.dtype, t.shape, backend);
    backend.kernels.fill(1, one);
    closeWindows();
    return one;
  }
  check(op, 'a gradient', gradient, is.tensor);
  if (!sameShape(gradient.shape, t.shape))
    throw new ShapeError(
      op,
      `the gradient has shape ${formatShape(gradient.shape)}, the tensor ${formatShape(t.shape)}; they must be equal`,
    );
  if (!isFloat(gradient.dtype))
    throw new DTypeError(op, `a gradient must be floating point, got ${gradient.dtype}; use .float()`);
  return gradient;
}

/** The edge that a pass starts from or leads to; refuses tensors without a graph. */
export function rootEdge(op: string, t: Tensor): Edge {
  checkTensors(op, t);
  return gradEdge(t) ?? refuseUntracked(op, t);
}

function refuseUntracked(op: string, t: Tensor): never {
  throw new AutogradError(op, explainUntracked(t));
}

const tensorOrList = is.either(is.tensor, is.arrayOf(is.tensor));
const backwardOptions = {
  gradient: is.nullable(is.tensor),
  retainGraph: is.boolean,
  createGraph: is.boolean,
  inputs: tensorOrList,
};
const gradOptions = {
  gradOutputs: is.nullable(is.either(is.tensor, is.arrayOf(is.nullable(is.tensor)))),
  retainGraph: is.boolean,
  createGraph: is.boolean,
  allowUnused: is.boolean,
  materializeGrads: is.boolean,
};

/**
 * Computes the gradients of `tensor` with respect to the leaves of its graph and adds them to their `.grad`.
 * Runs with recording off, or on with `createGraph`, whatever the caller's mode.
 *
 * ```ts
 * const x = tensor([1, 2], { requiresGrad: true });
 * backward(x.square().sum());
 * x.grad; // [2, 4]
 * ```
 */
export function backward(tensor: Tensor, options?: BackwardOptions | Tensor, more?: undefined): void {
  if (more !== undefined)
    throw new TypeError(
      'backward: takes a gradient or options, and got more; pass both as { gradient, retainGraph: true }',
    );
  const {
    gradient,
    createGraph = false,
    retainGraph = createGraph,
    inputs,
  } = checkOptions('backward', Tensor.is(options) ? { gradient: options } : options, backwardOptions);
  const root = rootEdge('backward', tensor);
  batching.current?.refuse('backward');
  runInMode('backward', createGraph, () => {
    const start = startGradient('backward', tensor, gradient);
    let captures: Capture[] | null = null;
    const into = inputs === undefined ? null : Tensor.is(inputs) ? [inputs] : inputs;
    if (into !== null) {
      if (into.length === 0)
        throw new AutogradError('backward', 'inputs is empty; name a tensor, or leave it out for all leaves');
      captures = into.map((t) => ({ edge: rootEdge('backward', t), grad: null }));
    }
    execute([root], [start], captures, { retainGraph, createGraph });
    into?.forEach((t, i) => {
      const { grad } = captures![i]!;
      if (!grad) return;
      const own = grad.dtype !== t.dtype ? grad.to(t.dtype) : createGraph ? grad : grad.clone();
      t.grad = t.grad === null ? own : add(t.grad, own);
    });
  });
}

/**
 * The gradients of the sum of `outputs` with respect to `inputs`; `.grad` of no tensor changes.
 *
 * ```ts
 * const x = tensor([3], { requiresGrad: true });
 * grad(x.square(), x); // [6]
 * ```
 */
export function grad(outputs: Tensor | readonly Tensor[], inputs: Tensor, options?: GradOptions): Tensor;
/** The same for several inputs; null for those that have no part in the outputs. */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradOptions & { allowUnused: true; materializeGrads?: false },
): (Tensor | null)[];
/** The same for several inputs, in their order; throws for one that has no part in the outputs. */
export function grad(outputs: Tensor | readonly Tensor[], inputs: readonly Tensor[], options?: GradOptions): Tensor[];
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradOptions = {},
): Tensor | null | (Tensor | null)[] {
  const known = checkOptions('grad', options, gradOptions);
  const { createGraph = false, retainGraph = createGraph, materializeGrads = false } = known;
  const { allowUnused = materializeGrads } = known;
  check('grad', 'outputs', outputs, tensorOrList);
  check('grad', 'inputs', inputs, tensorOrList);
  const outs = Tensor.is(outputs) ? [outputs] : outputs;
  const ins = Tensor.is(inputs) ? [inputs] : inputs;
  const given = Tensor.is(options.gradOutputs) ? [options.gradOutputs] : (options.gradOutputs ?? []);
  if (options.gradOutputs != null && given.length !== outs.length)
    throw new ShapeError(
      'grad',
      `${given.length} gradOutputs for ${outs.length} outputs; give one each (null for ones)`,
    );
  const roots = outs.map((t) => rootEdge('grad', t));
  const starts = runInMode('backward', false, () => outs.map((t, i) => startGradient('grad', t, given[i])));
  const captures = ins.map((t) => ({ edge: rootEdge('grad', t), grad: null as Tensor | null }));
  runInMode('backward', createGraph, () => {
    execute(roots, starts, captures, { retainGraph, createGraph });
  });
  const result = captures.map(({ grad }, i) => {
    if (grad !== null || (allowUnused && !materializeGrads)) return grad;
    if (materializeGrads) return Tensor.zeros(ins[i]!.dtype, ins[i]!.shape, ins[i]!.storage.backend);
    throw new AutogradError(
      'grad',
      `input ${i} of shape ${formatShape(ins[i]!.shape)} was not used to compute the outputs; pass allowUnused: true to get null for it`,
    );
  });
  return Tensor.is(inputs) ? result[0]! : result;
}

/**
 * The gradients at `ends` of a graph that begins there, given those at `roots`, which may be among them; null where
 * there is none. For functions that record a graph of their own, which is kept: to the graph around it they are one
 * node.
 */
export function gradientsWithin(
  roots: readonly Edge[],
  starts: readonly Tensor[],
  ends: readonly Edge[],
  createGraph: boolean,
): (Tensor | null)[] {
  const captures = ends.map((edge) => ({ edge, grad: null as Tensor | null }));
  runInMode('backward', createGraph, () => execute(roots, starts, captures, { retainGraph: true, createGraph }, true));
  return captures.map(({ grad }) => grad);
}

const plain = { backward };
methods(plain, { runOthers: true });

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
