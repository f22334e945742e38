import { check, checkOptions, show } from '../check.js';
import { AutogradError, inNameOf, ShapeError } from '../errors.js';
import { enableGrad } from '../grad/index.js';
import { allocate } from '../memory/allocate.js';
import { checkSize, sizeOf } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { grad } from './backward.js';
import { explainUntracked } from './explain.js';

type Fn = (...inputs: Tensor[]) => Tensor;

/** A leaf with the values of `t`. */
function leafOf(op: string, t: Tensor): Tensor {
  try {
    return t.detach().requiresGrad_();
  } catch (error) {
    throw inNameOf(op, error);
  }
}

/** The inputs as leaves of a graph of their own; with `createGraph` they stay part of the caller's. */
const fresh = (op: string, inputs: readonly Tensor[], createGraph: boolean): Tensor[] => {
  check(op, 'inputs', inputs, tensors);
  return inputs.map((t) => (createGraph && t.requiresGrad ? t : leafOf(op, t)));
};

const zerosAs = ({ dtype, shape, storage }: Tensor): Tensor => Tensor.zeros(dtype, shape, storage.backend);

const tensors = is.arrayOf(is.tensor);
const graphOptions = { createGraph: is.boolean };

interface GraphOptions {
  /** Record the derivative itself, so that it has a gradient. */
  createGraph?: boolean;
}

/** Runs `fn` with recording on, whatever the caller's mode; what `fn` itself switches off stays off. */
function evaluate(op: string, fn: Fn, inputs: readonly Tensor[]): Tensor {
  check(op, 'fn', fn, is.callback);
  const out = enableGrad.run(() => fn(...inputs));
  if (!Tensor.is(out)) throw new TypeError(`${op}: the function must return a Tensor, got ${show(out)}`);
  if (!out.requiresGrad)
    throw new AutogradError(op, `the result does not depend on the inputs: ${explainUntracked(out)}`);
  return out;
}

const all = { allowUnused: true, materializeGrads: true } as const;

/**
 * A function that gives the value of `fn`, a single element, and its gradients with respect to all arguments. Ignores a
 * `noGrad` around it, honours those inside `fn`.
 *
 * ```ts
 * const [value, [dx]] = valueAndGrad((x: Tensor) => x.square().sum())(tensor([1, 2]));
 * value; // 5
 * dx; // [2, 4]
 * ```
 */
export function valueAndGrad(fn: Fn): (...inputs: Tensor[]) => [value: Tensor, grads: Tensor[]] {
  check('valueAndGrad', 'fn', fn, is.callback);
  return (...inputs) => {
    const leaves = fresh('valueAndGrad', inputs, false);
    const out = evaluate('valueAndGrad', fn, leaves);
    return [out.detach(), grad(out, leaves, all)];
  };
}

/**
 * The value of `fn`, and `v` times its Jacobian: one gradient for each input.
 *
 * ```ts
 * vjp((x: Tensor) => x.square(), [tensor([1, 2])], tensor([1, 1])); // [[1, 4], [[2, 4]]]
 * ```
 */
export function vjp(fn: Fn, inputs: readonly Tensor[], v?: Tensor | null, options?: GraphOptions): [Tensor, Tensor[]] {
  const { createGraph = false } = checkOptions('vjp', options, graphOptions);
  const leaves = fresh('vjp', inputs, createGraph);
  const out = evaluate('vjp', fn, leaves);
  return [createGraph ? out : out.detach(), grad(out, leaves, { ...all, gradOutputs: v ?? null, createGraph })];
}

/**
 * The value of `fn`, and its Jacobian times the directions `v`, one for each input; by two backward passes.
 *
 * ```ts
 * jvp((x: Tensor) => x.square(), [tensor([1, 2])], [tensor([1, 0])]); // [[1, 4], [2, 0]]
 * ```
 */
export function jvp(fn: Fn, inputs: readonly Tensor[], v: readonly Tensor[], options?: GraphOptions): [Tensor, Tensor] {
  const { createGraph = false } = checkOptions('jvp', options, graphOptions);
  check('jvp', 'v', v, tensors);
  const leaves = fresh('jvp', inputs, createGraph);
  if (leaves.length === 0 || v.length !== leaves.length)
    throw new ShapeError(
      'jvp',
      `takes one direction for each input, and at least one; got ${v.length} for ${leaves.length}`,
    );
  const out = evaluate('jvp', fn, leaves);
  return enableGrad.run(() => {
    // The gradient is linear in the weights u, and its derivative along them is the Jacobian times v.
    const u = zerosAs(out).requiresGrad_();
    const gradients = grad(out, leaves, { ...all, gradOutputs: u, createGraph: true });
    const along = gradients.map((g, i) => g.mul(v[i]!).sum()).reduce((a, b) => a.add(b));
    const result = along.requiresGrad ? grad(along, u, { ...all, createGraph }) : zerosAs(out);
    return [createGraph ? out : out.detach(), result];
  });
}

/**
 * All derivatives of `fn`: for each input a tensor of the output's shape followed by the input's.
 *
 * ```ts
 * jacobian((x: Tensor) => x.square(), [tensor([1, 2])]); // [[[2, 0], [0, 4]]]
 * ```
 */
export function jacobian(fn: Fn, inputs: readonly Tensor[], options?: GraphOptions): Tensor[] {
  const { createGraph = false } = checkOptions('jacobian', options, graphOptions);
  const leaves = fresh('jacobian', inputs, createGraph);
  const out = evaluate('jacobian', fn, leaves);
  // Before there is a backward pass for each element of the result.
  for (const t of leaves) checkSize('jacobian', [...out.shape, ...t.shape]);
  const rows = Array.from({ length: out.numel }, (_, i) => {
    const pick = Tensor.of(allocate(out.dtype, out.numel).fill(1, i, i + 1), out.dtype, out.shape, out.storage.backend);
    return grad(out, leaves, { ...all, gradOutputs: pick, retainGraph: true, createGraph });
  });
  return enableGrad(createGraph).run(() =>
    leaves.map((t, which) => {
      const shape = [...out.shape, ...t.shape];
      if (sizeOf(shape) === 0) return Tensor.zeros(out.dtype, shape, out.storage.backend);
      const [first, ...rest] = rows.map((gradients) => gradients[which]!.reshape(1, -1));
      return first!.cat(rest).reshape(shape);
    }),
  );
}

/**
 * The second derivatives of `fn`, a single element, with respect to one input: its shape twice.
 *
 * ```ts
 * hessian((x: Tensor) => x.square().sum(), tensor([1, 2])); // [[2, 0], [0, 2]]
 * ```
 */
export function hessian(fn: (x: Tensor) => Tensor, x: Tensor): Tensor {
  checkTensors('hessian', x);
  check('hessian', 'fn', fn, is.callback);
  const derive = (y: Tensor): Tensor => {
    const g = jacobian((z) => fn(z!), [y], { createGraph: true })[0]!.reshape(y.shape);
    // That of a linear function is a constant, whose derivative is 0.
    return g.requiresGrad ? g : y.mul(0);
  };
  return jacobian((y) => derive(y!), [x])[0]!;
}

/**
 * The value of `fn`, which returns a single element, and the product of its Hessian with `v`, which has the shape of
 * the input.
 *
 * ```ts
 * hvp((x: Tensor) => x.square().sum(), tensor([1, 2]), tensor([1, 0])); // [5, [2, 0]]
 * ```
 */
export function hvp(fn: (x: Tensor) => Tensor, x: Tensor, v: Tensor): [Tensor, Tensor] {
  checkTensors('hvp', x, v);
  check('hvp', 'fn', fn, is.callback);
  const leaf = leafOf('hvp', x);
  const out = evaluate('hvp', (t) => fn(t!), [leaf]);
  const g = grad(out, leaf, { createGraph: true });
  return [out.detach(), g.requiresGrad ? grad(g, leaf, { ...all, gradOutputs: v }) : zerosAs(x)];
}
