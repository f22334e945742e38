import type { Tensor } from '../tensor/tensor.js';

/** What is kept in place of a tensor that an operation saves, and how the tensor comes back from it. */
export interface SavedTensorHooks {
  pack(tensor: Tensor): unknown;
  unpack(packed: any): Tensor;
}

let current: SavedTensorHooks | null = null;

export const currentSavedTensorHooks = (): SavedTensorHooks | null => current;

/**
 * Runs `fn`, and sends every tensor that an operation in it saves for backward through `pack`; backward gets it back
 * through `unpack`. For synchronous code: the hooks are off again when `fn` returns.
 */
export function savedTensorsHooks<R>(hooks: SavedTensorHooks, fn: () => R): R {
  const before = current;
  current = hooks;
  try {
    return fn();
  } finally {
    current = before;
  }
}
