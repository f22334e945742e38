import { checkOptions } from '../check.js';
import { DTypeError, named } from '../errors.js';
import { isFloat } from '../memory/dtype.js';
import { promote } from '../memory/promote.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsOf, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { floorDivide, fmod } from './arithmetic.js';
import { type TensorLike, withInPlace } from './define.js';
import { add, div, mul, sub } from './elementwise.js';
import { trunc } from './rounding.js';

// Methods with more parameters than their functions, such as `x.add(y, { alpha: 2 })`. The functions keep two
// parameters, so that they can be passed to `reduce` and the like.

/** The factor of the other operand. */
export interface Scaled {
  /** 1 by default; whole for integers. */
  alpha?: number;
}

const scaledOptions = { alpha: is.number };

/** `alpha` times the other operand, in the dtype of the sum, which may hold more than that of the operand. */
function times(op: string, x: Tensor, other: TensorLike, options: Scaled): TensorLike {
  const { alpha = 1 } = checkOptions(op, options, scaledOptions);
  const dtype = Tensor.is(other) ? promote(x, other) : x.dtype;
  if (alpha === 1) return other;
  if (!isFloat(dtype) && !Number.isInteger(alpha))
    throw new DTypeError(op, `alpha must be a whole number for ${dtype}, got ${alpha}; use .float()`);
  // A bool times a number is int64.
  if (Tensor.is(other)) return mul(other.to(dtype), alpha).to(dtype);
  // The operator itself refuses anything else.
  return typeof other === 'number' || typeof other === 'boolean' ? Number(other) * alpha : other;
}

const scaledAdd = named('add', (x: Tensor, other: TensorLike, options: Scaled) =>
  add(x, times('add', x, other, options)),
);
const scaledSub = named('sub', (x: Tensor, other: TensorLike, options: Scaled) =>
  sub(x, times('sub', x, other, options)),
);

/** How a quotient is rounded. */
export interface Rounded {
  /** Towards 0 or down. By default (or null) it is not rounded, and is floating point. */
  roundingMode?: 'trunc' | 'floor' | null;
}

const roundedOptions = { roundingMode: is.nullable(is.oneOf('trunc', 'floor')) };

const rounded = named('div', (x: Tensor, other: TensorLike, options: Rounded): Tensor => {
  const { roundingMode } = checkOptions('div', options, roundedOptions);
  if (roundingMode == null) return div(x, other);
  if (roundingMode === 'floor') return floorDivide(x, other);
  const isWhole = !isFloat(x.dtype) && (Tensor.is(other) ? !isFloat(other.dtype) : Number.isInteger(Number(other)));
  return isWhole ? floorDivide(sub(x, fmod(x, other)), other) : trunc(div(x, other));
});

const withForms = {
  /** `x + alpha * other`, with broadcasting. */
  add: (x: Tensor, other: TensorLike, options?: Scaled): Tensor =>
    options === undefined ? add(x, other) : scaledAdd(x, other, options),
  /** `x - alpha * other`, with broadcasting. */
  sub: (x: Tensor, other: TensorLike, options?: Scaled): Tensor =>
    options === undefined ? sub(x, other) : scaledSub(x, other, options),
  /** `x / other`, with broadcasting; with a `roundingMode` rounded, and integers stay integers. */
  div: (x: Tensor, other: TensorLike, options?: Rounded): Tensor =>
    options === undefined ? div(x, other) : rounded(x, other, options),
};
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsOf<typeof withForms>, InPlaceOf<typeof withForms> {}
}
