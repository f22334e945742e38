import { DTypeError, ShapeError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import type { Tensor } from '../tensor/tensor.js';
import { floatOrComplex } from './define.js';

/**
 * Refuses tensors that are not floating-point matrices `[..., m, n]`, or `square` ones; returns their sizes. Complex ones are
 * refused by their kernels until `@gradgate/core/complex/linalg` brings some.
 */
export function checkMatrix(op: string, a: Tensor, square = ''): [m: number, n: number] {
  checkTensors(op, a);
  floatOrComplex(op, a);
  const [m, n] = a.shape.slice(-2) as [number, number?];
  if (n === undefined || (square && m !== n))
    throw new ShapeError(op, `takes ${square}matrices, got ${formatShape(a.shape)}`);
  return [m, n];
}

/** The same for square matrices; returns their size. */
export const checkSquare = (op: string, a: Tensor): number => checkMatrix(op, a, 'square ')[1];

/** Refuses two tensors of different dtypes. */
export function checkOneDType(op: string, a: Tensor, b: Tensor): void {
  checkTensors(op, a, b);
  if (b.dtype !== a.dtype) throw new DTypeError(op, `both sides must have one dtype, got ${a.dtype} and ${b.dtype}`);
}
