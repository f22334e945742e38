import type { TypedArray } from '../memory/dtype.js';
import { Tensor } from './tensor.js';

// What the other packages see of a tensor beside its public members, which are all that its types have.

/** `grad`, for code that does not keep it: it stays in the memory that it is in. */
export const heldGrad = (t: Tensor): Tensor | null => t.heldGrad;

/** `requiresGrad` outside of all `freezing` gates. */
export const ownRequiresGrad = (t: Tensor): boolean => t.ownRequiresGrad;

/** The elements in row-major order, to be read only: no copy where they lie so already. */
export const elementsOf = (t: Tensor, op?: string): TypedArray => t.elements(op);

/** The same, but int64 as bigints: each is exact. */
export const exactElements = (t: Tensor, op?: string): TypedArray => t.exact(op);

/** The elements of a contiguous tensor of the host, to be read and written. */
export const writableElements = (t: Tensor): TypedArray => t.writableElements();

/** A tensor that shares the storage of another, and starts without a graph: what parameters and buffers are. */
export abstract class Alias extends Tensor {
  constructor(data: Tensor) {
    super(data.storage, data.dtype, data.shape, data.strides, data.offset);
    this.inference = data.inference;
  }
}
