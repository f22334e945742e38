import type { TypedArray } from '../../tensor/dtype.js';
import type { View } from '../backend.js';

/** The array that a view of host memory looks at. */
export const dataOf = ({ storage }: View): TypedArray => storage.data;
