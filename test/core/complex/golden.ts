import { arange, type DType, type Tensor, tensor } from '@gradgate/core';
import { isComplex, viewAsComplex, viewAsReal } from '@gradgate/core/complex';
import { expect } from 'vitest';

/**
 * A tensor as the scripts of complex.json, complex_linalg.json and fft.json write it: for complex numbers, real and imaginary parts
 * alternate.
 */
export interface Stored {
  readonly dtype: DType;
  readonly shape: number[];
  readonly values: number[];
}

export const stored = ({ dtype, shape, values }: Stored): Tensor => {
  const parts = Float64Array.from(values);
  if (!dtype.startsWith('complex')) return tensor(parts, { shape, dtype });
  return viewAsComplex(tensor(parts, { shape: [...shape, 2] })).to(dtype);
};

const asReal = (t: Tensor): Tensor => (isComplex(t) ? viewAsReal(t) : t).double();

/** All numbers in a tensor, in float64. */
export const numbers = (t: Tensor): number[] => [...asReal(t).toTypedArray()];

/** The scripts' loss, in which each part of each element has another weight. */
export const lossOf = (t: Tensor): Tensor => {
  const parts = asReal(t).flatten();
  return parts.mul(arange(parts.numel, { dtype: 'float64' }).mul(1.7).add(0.4).sin().add(1.3)).sum();
};

export function expectClose(t: Tensor, want: Stored, digits: number): void {
  expect([t.dtype, t.shape]).toEqual([want.dtype, want.shape]);
  const got = numbers(t);
  for (const [i, v] of want.values.entries())
    expect(Math.abs(got[i]! - v) / Math.max(1, Math.abs(v))).toBeLessThan(digits);
}
