import { Tensor } from './tensor.js';

// Access for the other packages to members that the public types of a tensor leave out.

/** `grad` for code that does not keep it: it stays in the memory where it is. */
export const heldGrad = (t: Tensor): Tensor | null => t.heldGrad;

/** `requiresGrad`, ignoring `freezing`. */
export const ownRequiresGrad = (t: Tensor): boolean => t.ownRequiresGrad;

export { targetOf as writableElements } from '../backend/host/data.js';
export { elementsOf, exactOf as exactElements } from './elements.js';

/** A tensor that shares the storage of another one and starts without a graph: the base of parameters and buffers. */
export abstract class Alias extends Tensor {
  constructor(data: Tensor) {
    super(data.storage, data.dtype, data.shape, data.strides, data.offset);
    this.inference = data.inference;
  }
}
