import { check } from '../check.js';
import { DTypeError, ShapeError } from '../errors.js';
import { checkDType, type DType, isComplex, isFloat, lacksKind, recordOf } from '../memory/dtype.js';
import { promoteTypes } from '../memory/promote.js';
import { broadcastShapes as broadcast, formatShape, type Shape, sameShape } from '../memory/shape.js';
import { add } from '../ops/elementwise.js';
import { eq } from '../ops/relational.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';

/** The limits of a floating point dtype. */
export interface FloatInfo {
  /** Bits of an element. */
  readonly bits: number;
  /** The distance from 1 to the next number. */
  readonly eps: number;
  /** The largest number. */
  readonly max: number;
  /** The most negative one. */
  readonly min: number;
  /** The least positive number with all digits. */
  readonly tiny: number;
}

const digits: Partial<Record<DType, [fraction: number, exponent: number]>> = {
  float64: [52, -1022],
  float32: [23, -126],
  float16: [10, -14],
  bfloat16: [7, -126],
};

/**
 * The limits of a floating point dtype; of a complex one those of its parts.
 *
 * ```ts
 * finfo('float16').min; // -65504
 * ```
 */
export function finfo(dtype: DType): FloatInfo {
  const { bytes, complex, max } = recordOf(checkDType('finfo', dtype));
  const [fraction, exponent] =
    digits[complex?.part ?? dtype] ?? refuse('finfo', dtype, 'floating point dtypes', 'iinfo');
  const bits = (complex ? bytes / 2 : bytes) * 8;
  return { bits, eps: 2 ** -fraction, max, min: -max, tiny: 2 ** exponent };
}

/** The limits of an integer dtype. */
export interface IntegerInfo {
  /** Bits of an element. */
  readonly bits: number;
  /** The largest number. */
  readonly max: number;
  /** The least one. */
  readonly min: number;
}

/**
 * The limits of an integer dtype. Those of int64 are rounded: its largest number, 2^63 - 1, is no JavaScript number.
 *
 * ```ts
 * iinfo('uint8').max; // 255
 * ```
 */
export function iinfo(dtype: DType): IntegerInfo {
  const { kind, bytes, max, min } = recordOf(checkDType('iinfo', dtype));
  if (kind !== 'integer') refuse('iinfo', dtype, 'integer dtypes', 'finfo');
  return { bits: 8 * bytes, max, min };
}

function refuse(op: string, dtype: DType, what: string, other: string): never {
  throw new DTypeError(op, `takes ${what}, got ${dtype}; use ${other}()`);
}

/**
 * Whether values of one dtype may become those of another: no fractions, imaginary parts or numbers are lost.
 *
 * ```ts
 * canCast('float32', 'int32'); // false
 * ```
 */
export function canCast(from: DType, to: DType): boolean {
  checkDType('canCast', from);
  checkDType('canCast', to);
  return !lacksKind(to, from) && (to !== 'bool' || from === 'bool');
}

/**
 * The dtype of what an operator makes of both, such as their sum.
 *
 * ```ts
 * resultType(tensor([1], { dtype: 'int32' }), 1.5); // 'float32'
 * ```
 */
export function resultType(a: Tensor | number | boolean, b: Tensor | number | boolean): DType {
  if (typeof a === 'string' || typeof b === 'string') return promoteTypes(a as never, b as never);
  const [x, y] = [a, b].map((v) => (Tensor.is(v) && v.numel > 1 ? v.detach().flatten().narrow(0, 0, 1) : v));
  return Tensor.is(x) && Tensor.is(y) && x.dtype === 'bool' && y.dtype === 'bool' ? 'bool' : add(x!, y!).dtype;
}

/**
 * The shape that these broadcast to.
 *
 * ```ts
 * broadcastShapes([2, 1], [3]); // [2, 3]
 * ```
 */
export function broadcastShapes(...shapes: readonly Shape[]): Shape {
  check('broadcastShapes', 'the shapes', shapes, is.arrayOf(is.arrayOf(is.size)));
  return shapes.reduce<Shape>((a, b) => broadcast('broadcastShapes', a, b), []);
}

/**
 * Whether a value is a tensor.
 *
 * ```ts
 * isTensor([1, 2]); // false
 * ```
 */
export const isTensor = (value: unknown): value is Tensor => Tensor.is(value);

/**
 * Whether the elements are of floating point, real numbers; PyTorch says so of these alone.
 *
 * ```ts
 * isFloatingPoint(tensor([1])); // true
 * ```
 */
export function isFloatingPoint(x: Tensor): boolean {
  checkTensors('isFloatingPoint', x);
  return isFloat(x.dtype) && !isComplex(x.dtype);
}

/**
 * Whether elements may be below 0.
 *
 * ```ts
 * isSigned(tensor([1], { dtype: 'uint8' })); // false
 * ```
 */
export function isSigned(x: Tensor): boolean {
  checkTensors('isSigned', x);
  return isFloat(x.dtype) || recordOf(x.dtype).min < 0;
}

/**
 * Whether the only element of a tensor is other than 0.
 *
 * ```ts
 * isNonzero(tensor([2])); // true
 * ```
 */
export function isNonzero(x: Tensor): boolean {
  checkTensors('isNonzero', x);
  if (x.numel !== 1)
    throw new ShapeError('isNonzero', `takes one element, got ${formatShape(x.shape)}; use any() or all()`);
  return !eq(x, 0).item();
}

/**
 * Whether both have one shape.
 *
 * ```ts
 * isSameSize(ones([2]), ones([3])); // false
 * ```
 */
export function isSameSize(x: Tensor, other: Tensor): boolean {
  checkTensors('isSameSize', x, other);
  return sameShape(x.shape, other.shape);
}
