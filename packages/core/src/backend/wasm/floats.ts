import type { View } from '../backend.js';
import { dataOf, elementsOf } from '../host/data.js';

// What the kernels over float32 share.

/** Fewer elements are done faster in JavaScript. */
export const kernelFrom = 512;

/** A block of more elements is not copied into kernel memory for its columns. */
export const largestBlock = 2 ** 22;

export const isFloat32 = ({ dtype }: View): boolean => dtype === 'float32';

/** The elements of a float32 view in row-major order, read-only. */
export const floatsOf = (view: View): Float32Array => elementsOf(view) as Float32Array;

/** The array under a float32 view: of a result that is written whole. */
export const arrayOf = (view: View): Float32Array => dataOf(view) as Float32Array;
