import type { Backend } from '../backend/backend.js';
import { backendFor, getDefaultDevice } from '../backend/backends.js';
import { pinResult } from '../backend/cpu.js';
import { checkOptions, type Schema } from '../check.js';
import { entered, named } from '../errors.js';
import { allocate } from '../memory/allocate.js';
import { checkDType, type DType, isComplex, recordOf, type TypedArray } from '../memory/dtype.js';
import { checkShape, type Shape, sizeOf } from '../memory/shape.js';
import { checkTensors } from './check.js';
import * as is from './kinds.js';
import type { Generator } from './random.js';
import { Tensor } from './tensor.js';

// What all functions that make tensors share: their options, and the way from values on the host to a device.

/** Options of functions that make tensors. */
export interface TensorOptions {
  /** What the elements are; float32 for most functions by default. */
  dtype?: DType;
  /** The device, `'cpu'` unless `setDefaultDevice` has named another. */
  device?: string;
  /** Whether operations on the tensor are recorded. Floating point only. */
  requiresGrad?: boolean;
}

/** Options of functions that make tensors of random numbers. */
export interface RandomOptions extends TensorOptions {
  /** Where the numbers come from; the default generator if not given. */
  generator?: Generator;
}

export const tensorOptions = { dtype: is.anything, device: is.string, requiresGrad: is.boolean };
export const randomOptions = { ...tensorOptions, generator: is.generator };

/** `options` of `op`, with others in place of those that are not given. */
export function withDefaults<O extends TensorOptions>(op: string, options: O | undefined, defaults: TensorOptions): O {
  const given = checkOptions(op, options as RandomOptions | undefined, randomOptions);
  return { ...defaults, ...given, dtype: given.dtype ?? defaults.dtype } as O;
}

/** What was made on the host, on its device. */
export function finish(op: string, t: Tensor, options: TensorOptions): Tensor {
  pinResult(t.storage);
  const { device = getDefaultDevice() } = options;
  return withRequiresGrad(op, device === 'cpu' ? t : there(op, device, (backend) => t.moved(backend)), options);
}

/** What is made on a device, whose refusals are those of `op`. */
const there = (op: string, device: string, make: (backend: Backend) => Tensor): Tensor =>
  named(op, () => make(backendFor(op, device)))();

function withRequiresGrad(op: string, made: Tensor, { requiresGrad = false }: TensorOptions): Tensor {
  if (requiresGrad) made.checkCanRequireGrad(op);
  return requiresGrad ? made.requiresGrad_() : made;
}

export function make(
  op: string,
  shape: Shape,
  options: TensorOptions | undefined,
  fill: number | ((data: TypedArray) => void),
  known: Schema<RandomOptions> | Schema<TensorOptions> = tensorOptions,
): Tensor {
  entered.op = op;
  const chosen = checkOptions(op, options, known as Schema<TensorOptions>);
  const size = checkShape(op, shape);
  const dtype = checkDType(op, chosen.dtype ?? 'float32');
  const isNumber = typeof fill === 'number';
  if (isComplex(dtype))
    return finish(op, recordOf(dtype).complex!.made(op, size, isNumber ? (data) => data.fill(fill) : fill), chosen);
  const { device = getDefaultDevice() } = chosen;
  if (isNumber && device !== 'cpu') {
    // One number needs no memory on the host, and a compiled function can replay it.
    const onDevice = there(op, device, (backend) => {
      const made = Tensor.zeros(dtype, size, backend);
      if (!Object.is(fill, 0)) backend.kernels.fill(fill, made);
      return made;
    });
    return withRequiresGrad(op, onDevice, chosen);
  }
  const data = allocate(dtype, sizeOf(size));
  if (!isNumber) fill(data);
  else if (!Object.is(fill, 0)) data.fill(fill);
  return finish(op, Tensor.of(data, dtype, size), chosen);
}

/** Shape and options for a tensor as `t` is. */
export function like<O extends TensorOptions>(
  op: string,
  t: Tensor,
  options: O,
  known: object = tensorOptions,
): [Shape, O] {
  checkTensors(op, t);
  checkOptions(op, options, known as Schema<O>);
  return [t.shape, withDefaults(op, options, { dtype: t.dtype, device: t.device })];
}

/** The function `op` that makes a tensor as another one is. */
export const asLike = <O extends TensorOptions>(
  op: string,
  make: (shape: Shape, options: O) => Tensor,
  known?: object,
) => named(op, (t: Tensor, options: O = {} as O): Tensor => make(...like(op, t, options, known)));
