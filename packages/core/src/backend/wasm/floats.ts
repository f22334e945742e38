import { dataOf, elementsOf } from '../host/data.js';
import type { View } from '../kernels.js';

// Shared by the kernels over float32.

/** Fewer elements are faster in JavaScript. */
export const kernelFrom = 512;

/** Larger blocks are not copied into kernel memory for reductions over columns. */
export const largestBlock = 2 ** 22;

export const isFloat32 = ({ dtype }: View): boolean => dtype === 'float32';

/** The elements of a float32 view in row-major order, read-only. */
export const floatsOf = (view: View): Float32Array => elementsOf(view) as Float32Array;

/** The array of a float32 view; for a result that is written as a whole. */
export const arrayOf = (view: View): Float32Array => dataOf(view) as Float32Array;
