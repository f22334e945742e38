import { backendFor } from '../backend/backends.js';
import { checkOptions } from '../check.js';
import { named } from '../errors.js';
import { checkShape, type Shape } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import { empty, full, ones, zeros } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import type { TensorOptions } from '../tensor/make.js';
import { type Method, type MethodsOf, methods } from '../tensor/methods.js';
import { readOnly, Tensor } from '../tensor/tensor.js';
import { tensor } from '../tensor/values.js';
import { to } from './copy.js';
import { permute, reshape, transpose, view } from './shape.js';
import { sumTo } from './sum.js';

// Methods that make a tensor like this one: with its dtype and device, or with its shape.

/** The options, with the dtype and device of `x` as defaults. */
const as = ({ dtype, device }: Tensor, options: TensorOptions | undefined): TensorOptions => ({
  dtype,
  device,
  ...options,
});

const asTensorOptions = { dtype: is.string, device: is.string };

/**
 * A tensor in the dtype and on the device of the options, with its graph; other values as `tensor` takes them.
 *
 * ```ts
 * asTensor([1, 2], { dtype: 'int32' }).dtype; // 'int32'
 * ```
 */
export const asTensor = /* @__PURE__ */ named(
  'asTensor',
  (values: Parameters<typeof tensor>[0], options?: Pick<TensorOptions, 'dtype' | 'device'>): Tensor => {
    const { dtype, device } = checkOptions('asTensor', options, asTensorOptions);
    if (!Tensor.is(values)) return tensor(values, options);
    const there = device === undefined ? values : to(values, backendFor('asTensor', device).name);
    return dtype === undefined ? there : to(there, dtype);
  },
);

const own = {
  /** Zeros of this shape, of the dtype and on the device of this tensor. */
  newZeros: (x: Tensor, shape: Shape, options?: TensorOptions): Tensor => zeros(shape, as(x, options)),
  /** Ones of this shape, of the dtype and on the device of this tensor. */
  newOnes: (x: Tensor, shape: Shape, options?: TensorOptions): Tensor => ones(shape, as(x, options)),
  /** Elements of any value of this shape, of the dtype and on the device of this tensor. */
  newEmpty: (x: Tensor, shape: Shape, options?: TensorOptions): Tensor => empty(shape, as(x, options)),
  /** A tensor of this shape filled with `value`, with the dtype and device of this tensor. */
  newFull: (x: Tensor, shape: Shape, value: number | boolean, options?: TensorOptions): Tensor =>
    full(shape, value, as(x, options)),
  /** These values as a tensor of the dtype and on the device of this one. */
  newTensor: (x: Tensor, values: Parameters<typeof tensor>[0], options?: TensorOptions): Tensor =>
    tensor(values, as(x, options)),
  /** A view in the shape of `other`. */
  viewAs: (x: Tensor, other: Tensor): Tensor => {
    checkTensors('viewAs', other);
    return view(x, other.shape);
  },
  /** In the shape of `other`; a view if possible. */
  reshapeAs: (x: Tensor, other: Tensor): Tensor => {
    checkTensors('reshapeAs', other);
    return reshape(x, other.shape);
  },
  /** In the dtype of `other`, and on its device. */
  typeAs: (x: Tensor, other: Tensor): Tensor => {
    checkTensors('typeAs', other);
    return to(to(x, other.device), other.dtype);
  },
  /** Summed to the shape of `other`, from which it could be broadcast. */
  sumToSize: (x: Tensor, ...shape: readonly (number | Shape)[]): Tensor =>
    sumTo(x, checkShape('sumToSize', shape.flat() as Shape)),
};
methods(Object.fromEntries(Object.entries(own).map(([name, fn]) => [name, named<Method>(name, fn)])));

const views: Record<string, (x: Tensor) => Tensor> = {
  T: (x: Tensor): Tensor => permute(x, [...x.shape.keys()].reverse()),
  mT: (x: Tensor): Tensor => transpose(x, -2, -1),
};
for (const [name, get] of Object.entries(views))
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    get(this: Tensor) {
      return named(name, get)(this);
    },
    set: readOnly(name),
  });

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsOf<typeof own> {
    /** The dimensions in reverse order; a view. */
    readonly T: Tensor;
    /** With the last two dimensions exchanged; a view. */
    readonly mT: Tensor;
  }
}
