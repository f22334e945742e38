import { backend, deviceNames, isDevice } from '../backend/backends.js';
import { named } from '../errors.js';
import { record } from '../graph/node.js';
import { checkDType, type DType, isComplex, isFloat } from '../memory/dtype.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import { type MethodsFrom, type MethodsOf, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import type * as self from './copy.js';

/**
 * A copy of `x` with storage of its own; gradients flow through it.
 *
 * ```ts
 * const x = tensor([1, 2]);
 * clone(x).storage === x.storage; // false
 * ```
 */
export const clone = /* @__PURE__ */ madeOf('clone', (x: Tensor): Tensor => {
  return record('clone', [x], copy(x, x.dtype), (g) => [g]);
});

/** A copy of the elements in this dtype, without a graph. */
export function copy(x: Tensor, dtype: DType): Tensor {
  const { backend } = x.storage;
  const out = Tensor.uninitialized(dtype, x.shape, backend);
  (isComplex(dtype) ? out.storage.backend : backend).kernels.copy(x, out);
  return out;
}

/**
 * The tensor itself if its elements are contiguous in row-major order, else a contiguous copy.
 *
 * ```ts
 * contiguous(transpose(tensor([[1, 2], [3, 4]]), 0, 1)).isContiguous; // true
 * ```
 */
export function contiguous(x: Tensor): Tensor {
  checkTensors('contiguous', x);
  return x.isContiguous ? x : copied(x);
}

const copied = /* @__PURE__ */ named('contiguous', clone);

/**
 * The tensor itself if it has this dtype, else a converted copy. Gradients flow between floating point dtypes.
 *
 * ```ts
 * to(tensor([1.5, -1.5]), 'int32'); // [1, -1]
 * ```
 */
export function to(x: Tensor, target: DType | (string & {})): Tensor {
  checkTensors('to', x);
  if (isDevice(target)) return toDevice(x, target);
  const dtype = checkDType('to', target, deviceNames);
  if (x.dtype === dtype) return x;
  const out = copy(x, dtype);
  const from = x.dtype;
  return isFloat(dtype) ? record('to', [x], out, (g) => [to(g, from)]) : out;
}

/** The same values on another device; the tensor itself if it is there already. */
export function toDevice(x: Tensor, device: string): Tensor {
  if (x.device === device) return x;
  const from = x.device;
  return record('to', [x], x.moved(backend(device)), (g) => [toDevice(g, from)]);
}

const plain = {
  clone,
  contiguous,
  to,
};
methods(plain);

const own = {
  /** This tensor as float32; itself if it is that already. */
  float: (x: Tensor): Tensor => to(x, 'float32'),
  /** This tensor as float64; itself if it is that already. */
  double: (x: Tensor): Tensor => to(x, 'float64'),
  /** This tensor as float16; itself if it is that already. */
  half: (x: Tensor): Tensor => to(x, 'float16'),
  /** This tensor as bfloat16; itself if it is that already. */
  bfloat16: (x: Tensor): Tensor => to(x, 'bfloat16'),
  /** This tensor as int64, fractions cut off; itself if it is that already. */
  long: (x: Tensor): Tensor => to(x, 'int64'),
  /** This tensor as int32, fractions cut off; itself if it is that already. */
  int: (x: Tensor): Tensor => to(x, 'int32'),
  /** This tensor as int16, fractions cut off; itself if it is that already. */
  short: (x: Tensor): Tensor => to(x, 'int16'),
  /** This tensor as int8, fractions cut off; itself if it is that already. */
  char: (x: Tensor): Tensor => to(x, 'int8'),
  /** This tensor as uint8, fractions cut off; itself if it is that already. */
  byte: (x: Tensor): Tensor => to(x, 'uint8'),
  /** True where an element is not 0. */
  bool: (x: Tensor): Tensor => to(x, 'bool'),
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain>, MethodsOf<typeof own> {}
}
