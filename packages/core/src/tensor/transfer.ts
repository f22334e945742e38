import type { Bits } from '../memory/coding.js';
import { checkDType, type DType, isFloat, recordOf, type TypedArray } from '../memory/dtype.js';
import { checkShape, formatShape, sizeOf } from '../memory/shape.js';
import { checkTensors } from './check.js';
import { storedOf } from './elements.js';
import { Tensor } from './tensor.js';

/** A tensor as plain data, for `postMessage`: values and `requiresGrad`, without graph and gradient. */
export interface PackedTensor {
  /** What the elements are. */
  readonly dtype: DType;
  /** The size of each dimension. */
  readonly shape: readonly number[];
  /**
   * What is stored: the elements; float16 and bfloat16 as a Uint16Array of their bits, int64 as a BigInt64Array,
   * complex numbers as their real and imaginary parts in turn.
   */
  readonly data: TypedArray | Bits;
  /** Whether the tensor required gradients. */
  readonly requiresGrad: boolean;
}

/**
 * The tensor as plain data. `data` is a copy that nobody else holds, so its buffer may be transferred.
 *
 * ```ts
 * unpackTensor(packTensor(tensor([1, 2]))); // [1, 2]
 * ```
 */
export function packTensor(t: Tensor): PackedTensor {
  checkTensors('packTensor', t);
  // Small arrays share a slab, which would be copied or transferred whole: `slice` gives a buffer of its own.
  return {
    dtype: t.dtype,
    shape: [...t.shape],
    data: storedOf(recordOf(t.dtype).complex?.pairs(t) ?? t, 'packTensor').slice(),
    requiresGrad: t.ownRequiresGrad,
  };
}

/**
 * The tensor that `packTensor` packed, in this thread: a leaf.
 *
 * ```ts
 * unpackTensor(packTensor(tensor([1, 2]))); // [1, 2]
 * ```
 */
export function unpackTensor(packed: PackedTensor): Tensor {
  if (!packed || !ArrayBuffer.isView(packed.data) || !Array.isArray(packed.shape))
    throw new TypeError('unpackTensor: expected what packTensor() gives');
  const { data, requiresGrad } = packed;
  const dtype = checkDType('unpackTensor', packed.dtype);
  const shape = checkShape('unpackTensor', packed.shape);
  const { array, coding, complex } = recordOf(dtype);
  const length = sizeOf(shape) * (complex === undefined ? 1 : 2);
  const stored = coding?.bits ?? array;
  if (data[Symbol.toStringTag] !== stored.name || data.length !== length)
    throw new TypeError(
      `unpackTensor: ${dtype} of shape ${formatShape(shape)} must be packed as a ${stored.name} of ${length}, got ` +
        `a ${data[Symbol.toStringTag]} of ${data.length}`,
    );
  const own = new (stored as new (from: unknown) => TypedArray | Bits)(data);
  const t = Tensor.of(own, dtype, [...shape]);
  return requiresGrad && isFloat(dtype) ? t.requiresGrad_() : t;
}
