import type { TypedArray } from '../../tensor/dtype.js';
import type { View } from '../backend.js';
import type { Coded, HostStorage } from './storage.js';

/** The array that a view of host memory looks at. */
export const dataOf = ({ storage }: View): TypedArray => (storage as HostStorage).data;

/** What is stored for elements that are no numbers in memory: see `Coded`; null for other dtypes. */
export const codedOf = ({ storage }: View): Coded | null => (storage as HostStorage).coded;
