import { check } from '../check.js';
import * as is from '../kinds.js';
import type { Tensor } from '../tensor/tensor.js';
import { synchronous } from './synchronous.js';

/** What is kept in place of a tensor that an operation saves, and how the tensor comes back from it. */
export interface SavedTensorHooks {
  pack(tensor: Tensor): unknown;
  unpack(packed: any): Tensor;
}

let current: SavedTensorHooks | null = null;

export const currentSavedTensorHooks = (): SavedTensorHooks | null => current;

/**
 * Runs `fn`, and sends every tensor that an operation in it saves for backward through `pack`; backward gets it back
 * through `unpack`. For synchronous code: the hooks are off again when `fn` returns, and one that gives a promise is refused.
 */
export function savedTensorsHooks<R>(hooks: SavedTensorHooks, fn: () => R): R {
  check('savedTensorsHooks', 'hooks', hooks, is.object);
  check('savedTensorsHooks', 'pack', hooks.pack, is.callback);
  check('savedTensorsHooks', 'unpack', hooks.unpack, is.callback);
  check('savedTensorsHooks', 'the function', fn, is.callback);
  const before = current;
  current = hooks;
  try {
    return synchronous('savedTensorsHooks', fn);
  } finally {
    current = before;
  }
}
