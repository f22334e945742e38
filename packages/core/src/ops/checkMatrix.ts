import { DTypeError, ShapeError } from '../errors.js';
import { formatShape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import type { Tensor } from '../tensor/tensor.js';
import { floatOnly } from './define.js';

/** Refuses tensors that are not floating-point matrices `[..., m, n]`; returns their sizes. */
export function checkMatrix(op: string, a: Tensor): [m: number, n: number] {
  checkTensors(op, a);
  floatOnly(op, a);
  if (a.ndim < 2) throw new ShapeError(op, `takes matrices, got ${formatShape(a.shape)}`);
  return [a.shape.at(-2)!, a.shape.at(-1)!];
}

/** The same for square matrices; returns their size. */
export function checkSquare(op: string, a: Tensor): number {
  checkTensors(op, a);
  floatOnly(op, a);
  if (a.ndim < 2 || a.shape.at(-1) !== a.shape.at(-2))
    throw new ShapeError(op, `takes square matrices, got ${formatShape(a.shape)}`);
  return a.shape.at(-1)!;
}

/** Refuses two tensors of different dtypes. */
export function checkOneDType(op: string, a: Tensor, b: Tensor): void {
  checkTensors(op, a, b);
  if (b.dtype !== a.dtype) throw new DTypeError(op, `both sides must have one dtype, got ${a.dtype} and ${b.dtype}`);
}
