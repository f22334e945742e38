import type { Backend } from '../backend/backend.js';
import { backendFor, getDefaultDevice } from '../backend/backends.js';
import { pinResult } from '../backend/cpu.js';
import { check, checkOptions, type Schema, show } from '../check.js';
import { DTypeError, named, ShapeError } from '../errors.js';
import { allocate } from '../memory/allocate.js';
import { drawn } from '../memory/batching.js';
import {
  type AnyTypedArray,
  checkDType,
  checkFits,
  type DType,
  dtypeOf,
  isComplex,
  isInteger,
  isTypedArray,
  numberIn,
  recordOf,
  type TypedArray,
} from '../memory/dtype.js';
import { recording, refuseRecording } from '../memory/recording.js';
import { checkShape, formatShape, mostDims, type Shape, sizeOf } from '../memory/shape.js';
import { checkTensors } from './check.js';
import { exactOf } from './elements.js';
import * as is from './kinds.js';
import { currentGenerator, type Generator } from './random.js';
import { Tensor } from './tensor.js';

/** Options of functions that make tensors. */
export interface TensorOptions {
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

const tensorOptions = { dtype: is.anything, device: is.string, requiresGrad: is.boolean };
const randomOptions = { ...tensorOptions, generator: is.generator };
const valuesOptions = { ...tensorOptions, shape: is.anything };

/** `options` of `op`, with others in place of those that are not given. */
function withDefaults<O extends TensorOptions>(op: string, options: O | undefined, defaults: TensorOptions): O {
  const given = checkOptions(op, options as RandomOptions | undefined, randomOptions);
  return { ...defaults, ...given, dtype: given.dtype ?? defaults.dtype } as O;
}

/** What was made on the host, on its device. */
function finish(op: string, t: Tensor, options: TensorOptions): Tensor {
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

function make(
  op: string,
  shape: Shape,
  options: TensorOptions | undefined,
  fill: number | ((data: TypedArray) => void),
  known: Schema<RandomOptions> | Schema<TensorOptions> = tensorOptions,
): Tensor {
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

/**
 * A tensor over the memory of a typed array, without a copy: what is written to one is seen in the other, as with PyTorch's
 * `from_numpy`. For memory that is shared with other threads or libraries. Nobody counts writes to the array, so writing to
 * it between a forward and a backward pass gives wrong gradients.
 * `shape` is one dimension with all elements by default.
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
  const { shape = [array.length] } = checkOptions('fromTypedArray', options, { shape: is.anything });
  checkShape('fromTypedArray', shape);
  if (sizeOf(shape) !== array.length)
    throw new ShapeError('fromTypedArray', `${array.length} elements do not fill shape ${formatShape(shape)}`);
  return Tensor.of(array, dtypeOf(array), [...shape]);
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
  const { shape: given, ...others } = checkOptions('tensor', options, valuesOptions);
  if (given !== undefined) checkShape('tensor', given);
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
    if (shape.length === mostDims)
      throw new ShapeError('tensor', `arrays are nested deeper than ${mostDims} times; does one hold itself?`);
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

/**
 * A tensor of this shape filled with 0. Options: `dtype` 'float32', `device`, `requiresGrad` false.
 *
 * ```ts
 * zeros([2]); // [0, 0]
 * ```
 */
export const zeros = (shape: Shape, options: TensorOptions = {}): Tensor => make('zeros', shape, options, 0);

/**
 * A tensor of this shape filled with 1. Options: `dtype` 'float32', `device`, `requiresGrad` false.
 *
 * ```ts
 * ones([2], { dtype: 'int64' }).dtype; // 'int64'
 * ```
 */
export const ones = (shape: Shape, options: TensorOptions = {}): Tensor => make('ones', shape, options, 1);

const numberOrBoolean = is.either(is.number, is.boolean);

/**
 * A tensor of this shape filled with `value`; a boolean gives a bool tensor, a number float32 unless `dtype` says otherwise.
 *
 * ```ts
 * full([2], 7); // [7, 7]
 * ```
 */
export function full(shape: Shape, value: number | boolean, options: TensorOptions = {}): Tensor {
  check('full', 'value', value, numberOrBoolean);
  checkOptions('full', options, tensorOptions);
  const dtype = checkDType('full', options.dtype ?? (typeof value === 'boolean' ? 'bool' : 'float32'));
  checkFits('full', Number(value), dtype);
  return make('full', shape, { ...options, dtype }, numberIn(dtype, value));
}

/**
 * A tensor of this shape to be written to. Its elements are 0, unlike PyTorch's, which are undefined. Options as for `zeros`.
 *
 * ```ts
 * empty([2, 3]).shape; // [2, 3]
 * ```
 */
export const empty = (shape: Shape, options: TensorOptions = {}): Tensor => make('empty', shape, options, 0);

/** Shape and options for a tensor as `t` is. */
function like<O extends TensorOptions>(op: string, t: Tensor, options: O, known: object = tensorOptions): [Shape, O] {
  checkTensors(op, t);
  checkOptions(op, options, known as Schema<O>);
  return [t.shape, withDefaults(op, options, { dtype: t.dtype, device: t.device })];
}

/** The function `op` that makes a tensor as another one is. */
const asLike = <O extends TensorOptions>(op: string, make: (shape: Shape, options: O) => Tensor, known?: object) =>
  named(op, (t: Tensor, options: O = {} as O): Tensor => make(...like(op, t, options, known)));

/**
 * A tensor of zeros with the shape, dtype and device of `t`. It does not require gradients; options change dtype, device and
 * that.
 *
 * ```ts
 * zerosLike(tensor([1, 2])); // [0, 0]
 * ```
 */
export const zerosLike = /* @__PURE__ */ asLike('zerosLike', zeros);
/**
 * A tensor of ones with the shape, dtype and device of `t`. It does not require gradients; options change dtype, device and
 * that.
 *
 * ```ts
 * onesLike(tensor([5, 6])); // [1, 1]
 * ```
 */
export const onesLike = /* @__PURE__ */ asLike('onesLike', ones);
/**
 * A tensor filled with `value`, with the shape, dtype and device of `t`. It does not require gradients; options change dtype,
 * device and that.
 *
 * ```ts
 * fullLike(tensor([5, 6]), 3); // [3, 3]
 * ```
 */
export const fullLike = /* @__PURE__ */ named(
  'fullLike',
  (t: Tensor, value: number, options: TensorOptions = {}): Tensor => {
    check('fullLike', 'value', value, numberOrBoolean);
    const [shape, chosen] = like('fullLike', t, options);
    return full(shape, value, chosen);
  },
);
/**
 * A tensor to be written to, with the shape, dtype and device of `t`. Its elements are 0.
 *
 * ```ts
 * emptyLike(tensor([5, 6])).shape; // [2]
 * ```
 */
export const emptyLike = /* @__PURE__ */ asLike('emptyLike', empty);
/**
 * Random numbers, uniform in [0, 1), with the shape, dtype and device of `t`. Options also take a `generator`.
 *
 * ```ts
 * randLike(tensor([5, 6])).lt(1).all(); // true
 * ```
 */
export const randLike = /* @__PURE__ */ asLike<RandomOptions>('randLike', (...args) => rand(...args), randomOptions);
/**
 * Random numbers of the standard normal distribution, with the shape, dtype and device of `t`. Options also take a
 * `generator`.
 *
 * ```ts
 * randnLike(tensor([5, 6])).shape; // [2]
 * ```
 */
export const randnLike = /* @__PURE__ */ asLike<RandomOptions>('randnLike', (...args) => randn(...args), randomOptions);

/**
 * `start`, `start + step`, ... up to but without `end`. One argument is the end. int32 unless one is a fraction.
 *
 * ```ts
 * arange(3); // [0, 1, 2]
 * arange(1, 2, 0.5); // [1, 1.5]
 * ```
 */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(...args: (number | TensorOptions | undefined)[]): Tensor {
  const given = typeof args.at(-1) === 'object' ? (args.at(-1) as TensorOptions) : undefined;
  const options = checkOptions('arange', given, tensorOptions);
  const numbers = args.slice(0, given === undefined ? 3 : -1).filter((v) => v !== undefined) as number[];
  for (const n of numbers) check('arange', 'an argument', n, is.number);
  const [start, end, step = 1] = numbers.length === 1 ? [0, numbers[0]!] : (numbers as [number, number, number?]);
  if (!(Number.isFinite(start) && Number.isFinite(end) && Number.isFinite(step) && step !== 0))
    throw new ShapeError(
      'arange',
      `start, end and step must be finite, and step not 0, got ${show(start)}, ${show(end)}, ${step}`,
    );
  if ((end - start) / step < 0)
    throw new ShapeError('arange', `a step of ${step} does not lead from ${start} to ${end}`);
  const dtype = checkDType('arange', options.dtype ?? (numbers.every(Number.isInteger) ? 'int32' : 'float32'));
  const n = Math.ceil((end - start) / step);
  if (n > 0) for (const v of [start, start + (n - 1) * step]) checkFits('arange', v, dtype);
  return make('arange', [n], { ...options, dtype }, (d) => {
    for (let i = 0; i < d.length; i++) d[i] = start + i * step;
  });
}

/**
 * A vector of `steps` evenly spaced values from `start` to `end`, both included: `[steps]`, float32 by default.
 *
 * ```ts
 * linspace(0, 1, 3); // [0, 0.5, 1]
 * ```
 */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}): Tensor {
  check('linspace', 'start', start, is.number);
  check('linspace', 'end', end, is.number);
  return make('linspace', [steps], options, (d) => {
    for (let i = 0; i < steps; i++)
      d[i] = steps === 1 ? start : i === steps - 1 ? end : start + ((end - start) * i) / (steps - 1);
  });
}

/**
 * A matrix `[n, m]` with ones on the diagonal and zeros elsewhere; `m` is n by default. Options as for `zeros`.
 *
 * ```ts
 * eye(2); // [[1, 0], [0, 1]]
 * ```
 */
export function eye(n: number, m: number | TensorOptions = n, options: TensorOptions = {}): Tensor {
  check('eye', 'n', n, is.size);
  if (typeof m === 'object' && m !== null) return eye(n, n, m);
  check('eye', 'm', m, is.size);
  return make('eye', [n, m], options, (d) => {
    for (let i = 0; i < Math.min(n, m); i++) d[i * m + i] = 1;
  });
}

/**
 * A tensor of this shape of random numbers, uniform in [0, 1). Options: those of `zeros`, and `generator`.
 *
 * ```ts
 * rand([2, 3]).shape; // [2, 3]
 * ```
 */
export const rand = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random('rand', shape, options, (g) => g.uniform());

/**
 * A tensor of this shape of random numbers of the standard normal distribution. Options: those of `zeros`, and `generator`.
 *
 * ```ts
 * randn([2, 3]).shape; // [2, 3]
 * ```
 */
export const randn = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random('randn', shape, options, (g) => g.normal());

/**
 * A tensor of this shape of random whole numbers from `low` up to but without `high`; int32 by default. Options also take a
 * `generator`.
 *
 * ```ts
 * randint(0, 10, [100]).lt(10).all(); // true
 * ```
 */
export function randint(low: number, high: number, shape: Shape, options: RandomOptions = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low)
    throw new ShapeError(
      'randint',
      `low and high must be whole numbers with low < high, got ${show(low)} and ${show(high)}`,
    );
  checkOptions('randint', options, randomOptions);
  const dtype = checkDType('randint', options.dtype ?? 'int32');
  for (const v of [low, high - 1]) checkFits('randint', v, dtype);
  return random('randint', shape, { ...options, dtype }, (g) => low + g.below(high - low));
}

/**
 * The numbers 0 to n - 1 in random order: `[n]`, int32 by default. Options also take a `generator`.
 *
 * ```ts
 * randperm(3).sort().values; // [0, 1, 2]
 * ```
 */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  const chosen = withDefaults('randperm', options, { dtype: 'int32' });
  check('randperm', 'n', n, is.size);
  const { generator = currentGenerator() } = chosen;
  if (n > 0) checkFits('randperm', n - 1, checkDType('randperm', chosen.dtype));
  return filled('randperm', [n], chosen, generator, (d, g) => {
    for (let i = 0; i < n; i++) d[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = g.below(i + 1);
      [d[i], d[j]] = [d[j]!, d[i]!];
    }
  });
}

function random(op: string, shape: Shape, options: RandomOptions, next: (g: Generator) => number): Tensor {
  const { generator = currentGenerator() } = checkOptions(op, options, randomOptions);
  return filled(op, shape, options, generator, (d, g) => {
    for (let i = 0; i < d.length; i++) d[i] = next(g);
  });
}

/** A tensor that `draw` fills. */
function filled(
  op: string,
  shape: Shape,
  options: RandomOptions,
  generator: Generator,
  draw: (to: TypedArray, generator: Generator) => void,
): Tensor {
  return drawn(op, () => {
    const t = make(op, shape, options, (d) => draw(d, generator), randomOptions);
    recording.current?.drawn(t.storage, draw, generator);
    return t;
  });
}
