import { named } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

type Operands = (Tensor | null | undefined)[];

/** What `autocast` does with the operands of operators, in an array that it may change. */
export interface Casting {
  /** In the lower dtype, for products and convolutions. */
  lower<T extends Operands>(operands: T): T;
  /** In float32 where they are tensors of a half type, for losses. */
  raise<T extends unknown[]>(operands: T): T;
}

/** Null while no program has loaded the entry point autocast: then operators only look here. */
export const casting: { current: Casting | null } = { current: null };

/** A loss, by its name: under `autocast` it takes its tensors in float32. */
export const lossNamed = <F extends (...args: any[]) => Tensor>(op: string, compute: F): F =>
  named(op, ((...args: any[]) =>
    casting.current === null ? compute(...args) : compute(...casting.current.raise(args))) as F);
