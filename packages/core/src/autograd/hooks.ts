import { check } from '../check.js';
import { AutogradError } from '../errors.js';
import { AccumulateGrad, type Edge, type GradHook, leafEdge, removable } from '../graph/node.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { rootEdge } from './backward.js';
import type * as self from './hooks.js';

/** Where a hook goes: it stays, so also on a leaf that this flow has frozen. */
function hookEdge(op: string, t: Tensor): Edge {
  return Tensor.is(t) && t.isFrozenHere ? leafEdge(t) : rootEdge(op, t);
}

/**
 * Calls `hook` with the gradient of `tensor` whenever one is computed; what it returns replaces the gradient.
 *
 * ```ts
 * const x = tensor([3], { requiresGrad: true });
 * registerHook(x, (g) => g.mul(10));
 * x.square().sum().backward();
 * x.grad; // [60]
 * ```
 */
export function registerHook(tensor: Tensor, hook: GradHook): { remove(): void } {
  const { node, index } = hookEdge('registerHook', tensor);
  check('registerHook', 'the hook', hook, is.callback);
  node.gradHooks ??= new Map();
  let hooks = node.gradHooks.get(index);
  if (!hooks) {
    hooks = new Set();
    node.gradHooks.set(index, hooks);
  }
  return removable(hooks, hook);
}

/**
 * Keeps the gradient of a tensor that is not a leaf in its `.grad` as well.
 *
 * ```ts
 * const x = tensor([3], { requiresGrad: true });
 * const y = x.mul(2);
 * retainGrad(y);
 * y.square().sum().backward();
 * y.grad; // [12]
 * ```
 */
export function retainGrad(tensor: Tensor): void {
  const { node, index } = rootEdge('retainGrad', tensor);
  if (tensor.isLeaf) return;
  node.retained ??= new Map();
  node.retained.set(index, tensor);
}

/**
 * Calls `hook` with the leaf after a gradient has been added to its `.grad`.
 *
 * ```ts
 * const x = tensor([3], { requiresGrad: true });
 * registerPostAccumulateGradHook(x, (leaf) => noGrad.run(() => void leaf.sub_(leaf.grad!)));
 * x.square().sum().backward();
 * x; // [-3]
 * ```
 */
export function registerPostAccumulateGradHook(leaf: Tensor, hook: (leaf: Tensor) => void): { remove(): void } {
  const { node } = hookEdge('registerPostAccumulateGradHook', leaf);
  check('registerPostAccumulateGradHook', 'the hook', hook, is.callback);
  if (!(node instanceof AccumulateGrad))
    throw new AutogradError(
      'registerPostAccumulateGradHook',
      `gradients accumulate in leaves only, this tensor was computed by ${node.name}`,
    );
  node.postHooks ??= new Set();
  return removable(node.postHooks, hook);
}

const plain = { registerHook, retainGrad, registerPostAccumulateGradHook };
methods(plain, { runOthers: true });

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
