import { checkDType, type DType, dtypes, isComplex, isFloat } from './dtype.js';

const above: Readonly<Record<number, DType>> = { 1: 'int16', 5: 'float32' };

/**
 * The dtype that operands of two dtypes are converted to, as `torch.promote_types`: int64 and float32 give float32.
 *
 * ```ts
 * promoteTypes('int32', 'float32'); // 'float32'
 * ```
 */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) return checkDType('promoteTypes', a);
  const [x, y] = [a, b].map((dtype) => dtypes[checkDType('promoteTypes', dtype)].rank) as [number, number];
  // A complex dtype has the rank of its parts.
  if (isComplex(a) || isComplex(b)) return Math.max(x, y) > dtypes.float32.rank ? 'complex128' : 'complex64';
  return x === y ? above[x]! : x > y ? a : b;
}

/** What takes part in promotion: a tensor, or what stands for one. */
interface Typed {
  readonly dtype: DType;
  readonly ndim: number;
}

/** `a`, unless `b`, which counts for less, is of a higher kind of number. */
export const lift = (a: DType, b: DType): DType =>
  isFloat(a) ? a : dtypes[a].kind === 'bool' || isFloat(b) ? promoteTypes(a, b) : a;

/** The dtype that two tensors promote to. One without dimensions lifts the other's kind only. */
export function promote(a: Typed, b: Typed): DType {
  if (a.dtype === b.dtype) return a.dtype;
  if ((a.ndim === 0) === (b.ndim === 0)) return promoteTypes(a.dtype, b.dtype);
  return a.ndim === 0 ? lift(b.dtype, a.dtype) : lift(a.dtype, b.dtype);
}

/**
 * The dtype that a tensor and a plain value promote to: the value lifts the kind only, and is no wider than it must be.
 */
export function promoteValue(tensor: DType, value: number | boolean): DType {
  if (isFloat(tensor) || typeof value === 'boolean') return tensor;
  if (!Number.isInteger(value)) return 'float32';
  return tensor === 'bool' ? 'int64' : tensor;
}
