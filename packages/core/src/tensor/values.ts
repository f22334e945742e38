import { share } from '../backend/cpu.js';
import { checkOptions, show } from '../check.js';
import { DTypeError, ShapeError } from '../errors.js';
import {
  type AnyTypedArray,
  checkDType,
  checkFits,
  dtypeOf,
  isInteger,
  isTypedArray,
  numberIn,
  type TypedArray,
} from '../memory/dtype.js';
import { refuseRecording } from '../memory/recording.js';
import { checkShape, formatShape, maxDims, type Shape, sizeOf } from '../memory/shape.js';
import { exactOf } from './elements.js';
import * as is from './kinds.js';
import { finish, make, type TensorOptions, tensorOptions, withDefaults } from './make.js';
import { Tensor } from './tensor.js';

const valuesOptions = { ...tensorOptions, shape: is.anything };

/**
 * A tensor over the memory of a typed array, without a copy: what is written to one is seen in the other, as with
 * PyTorch's `from_numpy`. For memory that is shared with other threads or libraries. Nobody counts writes to the array,
 * so writing to it between a forward and a backward pass gives wrong gradients. `shape` is one dimension with all
 * elements by default.
 *
 * ```ts
 * const bytes = Float32Array.of(1, 2);
 * const x = fromTypedArray(bytes);
 * bytes[0] = 5;
 * x; // [5, 2]
 * ```
 */
export function fromTypedArray(array: TypedArray, options?: { shape?: Shape }): Tensor {
  refuseRecording('fromTypedArray() takes an array of JavaScript; pass the tensor');
  if (!isTypedArray(array)) throw new TypeError(`fromTypedArray: expected a typed array, got ${show(array)}`);
  const { shape: asked = [array.length] } = checkOptions('fromTypedArray', options, { shape: is.anything });
  const shape = checkShape('fromTypedArray', asked);
  if (sizeOf(shape) !== array.length)
    throw new ShapeError('fromTypedArray', `${array.length} elements do not fill shape ${formatShape(shape)}`);
  const t = Tensor.of(array, dtypeOf(array), shape);
  share(t.storage);
  return t;
}

/**
 * A tensor of the given values: nested arrays, a plain value, a typed array or another tensor; always a copy.
 * Numbers become float32, booleans bool, bigints int64 and a typed array what holds its elements, unless `dtype` says
 * otherwise. `shape` gives a typed array its shape. A number that an integer dtype does not hold is an error; fractions
 * are cut off.
 *
 * ```ts
 * tensor([[1, 2], [3, 4]]).shape; // [2, 2]
 * tensor(Int32Array.of(1, 2, 3, 4), { shape: [2, 2] }).dtype; // 'int32'
 * ```
 */
export function tensor(
  values: NestedValues | AnyTypedArray | Tensor | readonly number[] | readonly (readonly number[])[],
  options: TensorOptions & { shape?: Shape } = {},
): Tensor {
  refuseRecording('tensor() takes values of JavaScript, which the next call may have others of; pass the tensor');
  const { shape: asked, ...others } = checkOptions('tensor', options, valuesOptions);
  const given = asked === undefined ? asked : checkShape('tensor', asked);
  if (Tensor.is(values))
    return tensor(exactOf(values, 'tensor'), { dtype: values.dtype, shape: values.shape, ...options });
  if (isTypedArray(values)) {
    const shape = given ?? [values.length];
    if (sizeOf(shape) !== values.length)
      throw new ShapeError('tensor', `${values.length} values do not fill shape ${formatShape(shape)}`);
    return ofValues(shape, values, withDefaults('tensor', others, { dtype: dtypeOf(values) }));
  }
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) {
    if (shape.length === maxDims)
      throw new ShapeError('tensor', `arrays are nested deeper than ${maxDims} times; does one hold itself?`);
    shape.push(level.length);
    if (level.length === 0) break;
  }
  // One array may stand in many places: what is short to write down may be too much to hold.
  checkShape('tensor', shape);
  const flat: PlainValue[] = [];
  flatten(values as NestedValues, shape, 0, flat);
  const all = (type: string): boolean => flat.length > 0 && flat.every((v) => typeof v === type);
  const dtype = options.dtype ?? (all('boolean') ? 'bool' : all('bigint') ? 'int64' : 'float32');
  const result = given ?? shape;
  if (sizeOf(result) !== flat.length)
    throw new ShapeError('tensor', `${flat.length} values do not fill shape ${formatShape(result)}`);
  return ofValues(result, flat, { ...others, dtype });
}

type PlainValue = number | boolean | bigint;

/** What `tensor()` takes beside arrays and tensors. */
export type NestedValues = PlainValue | readonly NestedValues[];

function ofValues(shape: Shape, values: ArrayLike<PlainValue>, options: TensorOptions): Tensor {
  const dtype = checkDType('tensor', options.dtype);
  const held = isTypedArray(values) && dtypeOf(values) === dtype && !(values instanceof BigUint64Array);
  if (isInteger(dtype) && !held)
    for (let i = 0; i < values.length; i++)
      checkFits('tensor', typeof values[i] === 'boolean' ? 0 : (values[i] as number | bigint), dtype);
  if (dtype === 'int64') {
    const exact = BigInt64Array.from(values, (v) => (typeof v === 'number' ? BigInt(Math.trunc(v)) : BigInt(v)));
    return finish('tensor', Tensor.of(exact, dtype, [...shape]), options);
  }
  return make('tensor', shape, options, (data) => {
    if (dtype !== 'bool' && isTypedArray(values) && typeof values[0] === 'number') data.set(values as never);
    else for (let i = 0; i < data.length; i++) data[i] = numberIn(dtype, values[i] as number);
  });
}

function flatten(value: NestedValues, shape: Shape, depth: number, into: PlainValue[]): void {
  if (depth === shape.length) {
    if (typeof value !== 'number' && typeof value !== 'boolean' && typeof value !== 'bigint')
      throw Array.isArray(value)
        ? new ShapeError('tensor', 'the nested arrays differ in depth')
        : new DTypeError('tensor', `values must be numbers or booleans, got ${show(value)}`);
    into.push(value);
    return;
  }
  if (!isArray(value) || value.length !== shape[depth])
    throw new ShapeError(
      'tensor',
      `the nested arrays are ragged: expected ${shape[depth]} entries at depth ${depth}, got ${isArray(value) ? value.length : show(value)}`,
    );
  for (const v of value) flatten(v, shape, depth + 1, into);
}

const isArray = (value: unknown): value is readonly NestedValues[] => Array.isArray(value);
