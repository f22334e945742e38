import { show } from '../check.js';
import { Tensor } from './tensor.js';

/** Refuses what is no tensor: JavaScript callers get no help from the compiler. */
export function checkTensors(op: string, ...values: readonly unknown[]): void {
  for (const value of values)
    if (!(value instanceof Tensor)) throw new TypeError(`${op}: expected a Tensor, got ${show(value)}`);
}
