import { show } from '../check.js';
import { DTypeError, entered, named, ShapeError } from '../errors.js';
import { isInteger } from '../memory/dtype.js';
import { formatShape } from '../memory/shape.js';
import { Tensor } from './tensor.js';

/** Refuses what is no tensor: JavaScript callers get no help from the compiler. */
export function checkTensors(op: string, ...values: readonly unknown[]): void {
  entered.op = op;
  for (let i = 0; i < values.length; i++) if (!Tensor.is(values[i])) refuse(op, values[i]);
}

function refuse(op: string, value: unknown): never {
  throw new TypeError(`${op}: expected a Tensor, got ${showOther(value)}`);
}

/** What is no tensor, as errors show it. */
export function showOther(value: unknown): string {
  let inherits = false;
  try {
    inherits = value instanceof Tensor;
  } catch {
    // A proxy that was revoked.
  }
  return inherits
    ? 'a proxy of a Tensor, or an object that only inherits from it; pass the tensor itself'
    : show(value);
}

/** The operator `op` of a tensor and more, which is made of others. */
export function madeOf<A extends readonly any[], R>(
  op: string,
  compute: (x: Tensor, ...rest: A) => R,
): (x: Tensor, ...rest: A) => R {
  return named(op, compute, checkTensors);
}

/** Refuses the `count` of 0 of the elements of `x` that are reduced to one of them. */
export function checkNotEmpty(op: string, count: number, { shape }: Tensor): void {
  if (count === 0) throw new ShapeError(op, `takes at least one element, got shape ${formatShape(shape)}`);
}

/** Refuses indices and classes that are no integers; int64, int32 and the small ones will all do. */
export function checkIntegers(op: string, what: string, index: Tensor): void {
  if (!isInteger(index.dtype))
    throw new DTypeError(op, `${what} must be integers such as int32 or int64, got ${index.dtype}; use .int()`);
}

/** A copy of an array of at least one tensor; all else is refused. What was given may change when it is read again. */
export function checkList(op: string, given: readonly Tensor[]): Tensor[] {
  const tensors = Array.isArray(given) ? [...given] : [];
  if (!tensors[0] || !tensors.every(Tensor.is))
    throw new TypeError(`${op}: expected an array of at least one Tensor, got ${show(given)}`);
  return tensors;
}
