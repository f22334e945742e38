import type { View } from '../kernels.js';
import { elementsOf } from './data.js';

/** `Kernels.checkRange` for any dtype. */
export function checkRange(
  x: View,
  least: number,
  most: number,
  refuse: (value: number) => Error,
  except?: number,
): void {
  const data = elementsOf(x);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (!(value >= least && value <= most) && value !== except) throw refuse(value);
  }
}
