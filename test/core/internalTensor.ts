import { type Backend, type DType, type Shape, Tensor, type TypedArray } from '@gradgate/core';

interface Internals {
  new (...args: unknown[]): Tensor;
  of(data: TypedArray | BigInt64Array, dtype: DType, shape: Shape): Tensor;
  uninitialized(dtype: DType, shape: Shape, backend?: Backend): Tensor;
}

/** The class with its internal members, which its types leave out. */
export const InternalTensor = Tensor as unknown as Internals;
