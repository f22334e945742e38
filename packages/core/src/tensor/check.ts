import { show } from '../check.js';
import { DTypeError } from '../errors.js';
import { isInteger } from '../memory/dtype.js';
import { Tensor } from './tensor.js';

/** Refuses values that are not tensors: the compiler does not help JavaScript callers. */
export function checkTensors(op: string, ...values: readonly unknown[]): void {
  for (const value of values)
    if (!Tensor.is(value)) throw new TypeError(`${op}: expected a Tensor, got ${showOther(value)}`);
}

/** A value that is not a tensor, for errors. */
export function showOther(value: unknown): string {
  let inherits = false;
  try {
    inherits = value instanceof Tensor;
  } catch {
    // It is a revoked proxy.
  }
  return inherits ? 'a proxy of one, or an object that only inherits from Tensor; pass the tensor itself' : show(value);
}

/** Refuses indices and classes that are not integers; every integer dtype is taken. */
export function checkIntegers(op: string, what: string, index: Tensor): void {
  if (!isInteger(index.dtype))
    throw new DTypeError(op, `${what} are integers such as int32 or int64, got ${index.dtype}; use .int()`);
}
