import { tensor } from './creation.js';
import { type DType, isFloat, isTypedArray, type TypedArray } from './dtype.js';
import { Tensor } from './tensor.js';

/** A tensor as plain data, for `postMessage`: values and `requiresGrad`, without graph and gradient. */
export interface PackedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
  readonly requiresGrad: boolean;
}

/** The tensor as plain data. `data` is a copy that nobody else holds, so its buffer may be transferred. */
export function packTensor(t: Tensor): PackedTensor {
  if (!(t instanceof Tensor)) throw new TypeError(`packTensor: expected a Tensor, got ${typeof t}`);
  const data = t.toTypedArray();
  // Small arrays share a slab, which would be copied or transferred whole.
  const own = data.byteLength === data.buffer.byteLength ? data : data.slice();
  return { dtype: t.dtype, shape: [...t.shape], data: own, requiresGrad: t.requiresGrad };
}

/** The tensor of what `packTensor` gave: a leaf. */
export function unpackTensor(packed: PackedTensor): Tensor {
  if (!packed || !isTypedArray(packed.data) || !Array.isArray(packed.shape))
    throw new TypeError('unpackTensor: expected what packTensor() gives');
  const { data, shape, dtype, requiresGrad } = packed;
  return tensor(data, { shape, dtype, requiresGrad: requiresGrad && isFloat(dtype) });
}
