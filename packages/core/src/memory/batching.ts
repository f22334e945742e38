import type { Tensor } from '../tensor/tensor.js';
import type { Storage } from './storage.js';

/** What `vmap` of the entry point func has to know beside the kernels that are called. */
export interface Batching {
  /** A storage was made over an array of JavaScript. */
  made(storage: Storage): void;
  /** A tensor of random numbers, which `make` draws: one for all examples, or one for each. */
  drawn(op: string, make: () => Tensor): Tensor;
  /** Who accumulates gradients would give leaves those of single examples. */
  refuse(op: string): void;
}

/** The call of a function over a batch that is under way, if any; of nested ones the innermost. It is synchronous. */
export const batching: { current: Batching | null } = { current: null };

/** A tensor of random numbers that `make` draws without a kernel. */
export const drawn = (op: string, make: () => Tensor): Tensor =>
  batching.current === null ? make() : batching.current.drawn(op, make);
