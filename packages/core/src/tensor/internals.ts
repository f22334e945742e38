import { Tensor } from './tensor.js';

// What the other packages see of a tensor beside its public members, which are all that its types have.

/** `grad`, for code that does not keep it: it stays in the memory that it is in. */
export const heldGrad = (t: Tensor): Tensor | null => t.heldGrad;

/** `requiresGrad` outside of all `freezing` gates. */
export const ownRequiresGrad = (t: Tensor): boolean => t.ownRequiresGrad;

export { targetOf as writableElements } from '../backend/host/data.js';
export { elementsOf, exactOf as exactElements } from './elements.js';

/** A tensor that shares the storage of another, and starts without a graph: what parameters and buffers are. */
export abstract class Alias extends Tensor {
  constructor(data: Tensor) {
    super(data.storage, data.dtype, data.shape, data.strides, data.offset);
    this.inference = data.inference;
  }
}
