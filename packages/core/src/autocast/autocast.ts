import { show } from '../check.js';
import { DTypeError } from '../errors.js';
import { defineMode, type Gate } from '../grad/index.js';
import { casting } from '../ops/casting.js';
import { to } from '../ops/copy.js';
import { Tensor } from '../tensor/tensor.js';

/** A dtype of two bytes. */
export type LowerDType = 'bfloat16' | 'float16';

const mode = defineMode<LowerDType | null>('gradgate.autocast', null);
const gate = mode.gateWith('autocast', (_, dtype: LowerDType | null) => dtype);

/**
 * A gate for mixed precision. Inside, products and convolutions (`matmul`, `mm`, `bmm`, `linear`, `conv1d`, `conv2d`,
 * `conv3d`, their transposes, attention, and functions made of these) convert float32 operands to a dtype of two bytes,
 * and losses convert theirs to float32. All other operators compute in the dtype of their operands, as on PyTorch's
 * CPU. Parameters and their gradients stay float32; float64 and integers are not converted.
 *
 * Like every gate it is a decorator and has `run`, `wrap` and `enter`; it covers what an async function awaits. Nothing
 * is cached: a parameter is converted at each use, with a gradient if one is recorded. Call `backward()` outside or
 * inside.
 *
 * @param dtype The lower dtype, or false for a part that is computed as without the gate around it.
 *
 * ```ts
 * const [x, w] = [ones([2, 3]), ones([3, 2])];
 * autocast('bfloat16').run(() => x.matmul(w).dtype); // 'bfloat16'
 * autocast('bfloat16').run(() => autocast(false).run(() => x.matmul(w).dtype)); // 'float32'
 * ```
 */
export function autocast(dtype: LowerDType | false): Gate {
  if (dtype !== false && dtype !== 'bfloat16' && dtype !== 'float16')
    throw new DTypeError('autocast', `takes 'bfloat16', 'float16' or false, got ${show(dtype)}`);
  return gate(dtype || null);
}

/**
 * Whether autocast is on here.
 *
 * ```ts
 * autocast('bfloat16').run(() => isAutocastEnabled()); // true
 * ```
 */
export const isAutocastEnabled = (): boolean => mode.get() !== null;

/**
 * The dtype of the innermost `autocast`; null if none is on.
 *
 * ```ts
 * getAutocastDtype(); // null
 * ```
 */
export const getAutocastDtype = (): LowerDType | null => mode.get();

const isHalf = ({ dtype }: Tensor): boolean => dtype === 'float16' || dtype === 'bfloat16';

/** Replaces the operands in their array. */
const cast = (operands: unknown[], fits: (t: Tensor) => boolean, dtype: LowerDType | 'float32') =>
  operands.forEach((t, i) => {
    if (Tensor.is(t) && fits(t) && t.dtype !== dtype) operands[i] = to(t, dtype);
  });

casting.current = {
  lower(operands) {
    const dtype = mode.get();
    if (dtype !== null) cast(operands, (t) => t.dtype === 'float32' || isHalf(t), dtype);
    return operands;
  },
  raised(compute, operands) {
    if (mode.get() !== null) cast(operands, isHalf, 'float32');
    casting.current = null;
    try {
      return compute(...operands);
    } finally {
      casting.current = this;
    }
  },
};
