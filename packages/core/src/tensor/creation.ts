import { DTypeError, ShapeError } from '../errors.js';
import { allocate, checkDType, type DType, dtypeOf, isTypedArray, type TypedArray } from './dtype.js';
import { defaultGenerator, type Generator } from './random.js';
import { checkShape, formatShape, type Shape, sizeOf } from './shape.js';
import { type NestedArray, Tensor } from './tensor.js';

export interface TensorOptions {
  dtype?: DType;
  /** Whether operations on the tensor are recorded. Floating point only. */
  requiresGrad?: boolean;
}

export interface RandomOptions extends TensorOptions {
  /** Where the numbers come from; the default generator if not given. */
  generator?: Generator;
}

const finish = (t: Tensor, { requiresGrad = false }: TensorOptions): Tensor => (requiresGrad ? t.requiresGrad_() : t);

function make(op: string, shape: Shape, options: TensorOptions, fill?: (data: TypedArray) => void): Tensor {
  const size = checkShape(op, shape);
  const dtype = checkDType(op, options.dtype ?? 'float32');
  const data = allocate(dtype, sizeOf(size));
  fill?.(data);
  return finish(Tensor.of(data, dtype, size), options);
}

/**
 * A tensor of the given values: nested arrays, a plain value, a typed array or another tensor; always a copy.
 * Numbers become float32 and booleans bool unless `dtype` says otherwise. `shape` gives a typed array its shape.
 */
export function tensor(
  values: NestedArray | TypedArray | Tensor | readonly number[] | readonly (readonly number[])[],
  options: TensorOptions & { shape?: Shape } = {},
): Tensor {
  if (values instanceof Tensor)
    return tensor(values.toTypedArray(), { dtype: values.dtype, shape: values.shape, ...options });
  if (isTypedArray(values)) {
    const shape = options.shape ?? [values.length];
    if (sizeOf(shape) !== values.length)
      throw new ShapeError('tensor', `${values.length} values do not fill shape ${formatShape(shape)}`);
    return make('tensor', shape, { dtype: dtypeOf(values), ...options }, (data) =>
      fillFrom(data, values, options.dtype),
    );
  }
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const flat: (number | boolean)[] = [];
  flatten(values as NestedArray, shape, 0, flat);
  const dtype = options.dtype ?? (flat.length > 0 && flat.every((v) => typeof v === 'boolean') ? 'bool' : 'float32');
  const result = options.shape ?? shape;
  if (sizeOf(result) !== flat.length)
    throw new ShapeError('tensor', `${flat.length} values do not fill shape ${formatShape(result)}`);
  return make('tensor', result, { ...options, dtype }, (data) => fillFrom(data, flat, dtype));
}

function fillFrom(data: TypedArray, values: ArrayLike<number | boolean>, dtype: DType | undefined): void {
  if (dtype === 'bool') for (let i = 0; i < data.length; i++) data[i] = Number(values[i]) !== 0 ? 1 : 0;
  else if (isTypedArray(values)) data.set(values as never);
  else for (let i = 0; i < data.length; i++) data[i] = Number(values[i]);
}

function flatten(value: NestedArray, shape: Shape, depth: number, into: (number | boolean)[]): void {
  if (depth === shape.length) {
    if (typeof value !== 'number' && typeof value !== 'boolean')
      throw Array.isArray(value)
        ? new ShapeError('tensor', 'the nested arrays differ in depth')
        : new DTypeError('tensor', `values are numbers or booleans, got ${value === null ? 'null' : typeof value}`);
    into.push(value);
    return;
  }
  if (!Array.isArray(value) || value.length !== shape[depth])
    throw new ShapeError(
      'tensor',
      `the nested arrays are ragged: expected ${shape[depth]} entries at depth ${depth}, got ${Array.isArray(value) ? value.length : `the value ${String(value)}`}`,
    );
  for (const v of value) flatten(v, shape, depth + 1, into);
}

/** All zeros. */
export const zeros = (shape: Shape, options: TensorOptions = {}): Tensor => make('zeros', shape, options);

/** All ones. */
export const ones = (shape: Shape, options: TensorOptions = {}): Tensor =>
  make('ones', shape, options, (d) => d.fill(1));

/** All the same value. A boolean gives a bool tensor. */
export const full = (shape: Shape, value: number | boolean, options: TensorOptions = {}): Tensor =>
  make('full', shape, typeof value === 'boolean' ? { dtype: 'bool', ...options } : options, (d) =>
    d.fill(Number(value)),
  );

/** Of a shape, to be written to; the values are zeros. */
export const empty = (shape: Shape, options: TensorOptions = {}): Tensor => make('empty', shape, options);

const like = (t: Tensor, options: TensorOptions): TensorOptions => ({ dtype: t.dtype, ...options });

/** Zeros of the shape and dtype of `t`; does not require grad. */
export const zerosLike = (t: Tensor, options: TensorOptions = {}): Tensor => zeros(t.shape, like(t, options));
export const onesLike = (t: Tensor, options: TensorOptions = {}): Tensor => ones(t.shape, like(t, options));
export const fullLike = (t: Tensor, value: number, options: TensorOptions = {}): Tensor =>
  full(t.shape, value, like(t, options));
export const emptyLike = (t: Tensor, options: TensorOptions = {}): Tensor => empty(t.shape, like(t, options));
export const randLike = (t: Tensor, options: RandomOptions = {}): Tensor => rand(t.shape, like(t, options));
export const randnLike = (t: Tensor, options: RandomOptions = {}): Tensor => randn(t.shape, like(t, options));

/** `start`, `start + step`, ... up to but without `end`. One argument is the end. int32 unless one is a fraction. */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(...args: (number | TensorOptions | undefined)[]): Tensor {
  const numbers = args.filter((v): v is number => typeof v === 'number');
  const options = (args.find((v) => typeof v === 'object') ?? {}) as TensorOptions;
  const [start, end, step = 1] = numbers.length === 1 ? [0, numbers[0]!] : (numbers as [number, number, number?]);
  if (!(Number.isFinite(start) && Number.isFinite(end) && Number.isFinite(step) && step !== 0))
    throw new ShapeError('arange', `start, end and step are finite and step is not 0, got ${start}, ${end}, ${step}`);
  if ((end - start) / step < 0)
    throw new ShapeError('arange', `a step of ${step} does not lead from ${start} to ${end}`);
  const dtype = options.dtype ?? (numbers.every(Number.isInteger) ? 'int32' : 'float32');
  return make('arange', [Math.ceil((end - start) / step)], { ...options, dtype }, (d) => {
    for (let i = 0; i < d.length; i++) d[i] = start + i * step;
  });
}

/** `steps` values evenly spaced from `start` to `end`, both included. */
export const linspace = (start: number, end: number, steps: number, options: TensorOptions = {}): Tensor =>
  make('linspace', [steps], options, (d) => {
    for (let i = 0; i < steps; i++)
      d[i] = steps === 1 ? start : i === steps - 1 ? end : start + ((end - start) * i) / (steps - 1);
  });

/** Ones on the diagonal, `[n, m]` (m = n if left out). */
export function eye(n: number, m: number | TensorOptions = n, options: TensorOptions = {}): Tensor {
  if (typeof m === 'object') return eye(n, n, m);
  return make('eye', [n, m], options, (d) => {
    for (let i = 0; i < Math.min(n, m); i++) d[i * m + i] = 1;
  });
}

/** Uniform in [0, 1). */
export const rand = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random('rand', shape, options, (g) => g.uniform());

/** From the standard normal distribution. */
export const randn = (shape: Shape, options: RandomOptions = {}): Tensor =>
  random('randn', shape, options, (g) => g.normal());

/** Whole numbers from `low` up to but without `high`; int32. */
export function randint(low: number, high: number, shape: Shape, options: RandomOptions = {}): Tensor {
  if (!Number.isInteger(low) || !Number.isInteger(high) || high <= low)
    throw new ShapeError('randint', `low and high are whole numbers with low < high, got ${low} and ${high}`);
  return random('randint', shape, { dtype: 'int32', ...options }, (g) => low + g.below(high - low));
}

/** The numbers 0 to n - 1 in random order; int32. */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  const { generator = defaultGenerator } = options;
  return make('randperm', [n], { dtype: 'int32', ...options }, (d) => {
    for (let i = 0; i < n; i++) d[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = generator.below(i + 1);
      [d[i], d[j]] = [d[j]!, d[i]!];
    }
  });
}

function random(op: string, shape: Shape, options: RandomOptions, next: (g: Generator) => number): Tensor {
  const { generator = defaultGenerator } = options;
  return make(op, shape, options, (d) => {
    for (let i = 0; i < d.length; i++) d[i] = next(generator);
  });
}
