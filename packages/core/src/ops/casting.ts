import { named } from '../errors.js';
import { checkTensors } from '../tensor/check.js';
import type { Tensor } from '../tensor/tensor.js';

type Operands = (Tensor | null | undefined)[];

/** What `autocast` does with the operands of operators, in an array that it may change. */
interface Casting {
  /** In the lower dtype, for products and convolutions. */
  lower<T extends Operands>(operands: T): T;
  /**
   * What `compute` gives of operands in float32 where they are tensors of a half type, with nothing in the lower dtype
   * within.
   */
  raised<R>(compute: (...operands: any[]) => R, operands: any[]): R;
}

/** Null while no program has loaded the entry point autocast: then operators only look here. */
export const casting: { current: Casting | null } = { current: null };

/**
 * An operator that under `autocast` takes its tensors in float32 and computes in it all through: losses,
 * decompositions. By its name.
 */
export const inFloat32 = <F extends (...args: any[]) => unknown>(op: string, compute: F): F => {
  const raised = (...args: any[]) => casting.current!.raised(compute, args);
  // Only passed on: arguments that are looked at are put into an array at each call.
  return named(op, ((...args) => (casting.current ? raised : compute)(...args)) as F, checkTensors);
};
