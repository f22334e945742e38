import { check } from '../check.js';
import { defineMode, type Gate } from '../grad/index.js';
import * as is from '../kinds.js';
import type { DType } from '../memory/dtype.js';
import { formatShape, type Shape } from '../memory/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** What is kept in place of a tensor that an operation saves, and how the tensor comes back from it. */
export interface SavedTensorHooks {
  /** Called for each tensor that is saved; returns what is kept in its place. */
  pack(tensor: Tensor): unknown;
  /** Called when a backward pass needs it; returns the tensor that `pack` was given. */
  unpack(packed: any): Tensor;
}

/** What hooks made of a saved tensor, and what the tensor was that has to come back. */
export type Packed = readonly [packed: unknown, dtype: DType, shape: Shape];

export const packedBy = (hooks: SavedTensorHooks, t: Tensor): Packed => [hooks.pack(t), t.dtype, t.shape];

/** The tensor again. Another one would give wrong gradients, or lead rules beyond its elements. */
export function unpackedBy(hooks: SavedTensorHooks, [packed, dtype, shape]: Packed): Tensor {
  const t = hooks.unpack(packed);
  check('savedTensorsHooks', 'what unpack() gives', t, {
    text: `a ${dtype} tensor of shape ${formatShape(shape)}, as was packed`,
    is: () => t?.dtype === dtype && String(t.shape) === String(shape),
  });
  return t;
}

const mode = defineMode<SavedTensorHooks | null>('gradgate.savedTensorsHooks', null);

export const currentSavedTensorHooks = mode.get;

const saving = mode.gateWith('savedTensorsHooks', (_, hooks: SavedTensorHooks) => hooks);

/**
 * Sends every tensor that an operation saves for backward through `pack`; backward gets it back through `unpack`. With
 * `fn` it runs that, and covers what it awaits; without it gives a gate, to decorate methods with for example. Of hooks
 * inside of hooks the inner ones are in force.
 *
 * ```ts
 * const offload = savedTensorsHooks({ pack: (t) => t.toArray(), unpack: (values) => tensor(values) });
 * const x = tensor([1, 2], { requiresGrad: true });
 * offload.run(() => x.square().sum()).backward();
 * x.grad; // [2, 4]
 * ```
 */
export function savedTensorsHooks(hooks: SavedTensorHooks): Gate;
/** Calls `fn` with the hooks, and returns what it returns. */
export function savedTensorsHooks<R>(hooks: SavedTensorHooks, fn: () => R): R;
export function savedTensorsHooks<R>(hooks: SavedTensorHooks, fn?: () => R): R | Gate {
  check('savedTensorsHooks', 'hooks', hooks, is.object);
  check('savedTensorsHooks', 'pack', hooks.pack, is.callback);
  check('savedTensorsHooks', 'unpack', hooks.unpack, is.callback);
  if (fn !== undefined) check('savedTensorsHooks', 'fn', fn, is.callback);
  const gate = saving(hooks);
  return fn === undefined ? gate : gate.run(fn);
}
