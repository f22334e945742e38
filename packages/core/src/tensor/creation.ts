import { check, checkOptions, show } from '../check.js';
import { named, ShapeError } from '../errors.js';
import { checkDType, checkFits, numberIn } from '../memory/dtype.js';
import type { Shape } from '../memory/shape.js';
import * as is from './kinds.js';
import { asLike, like, make, type TensorOptions, tensorOptions } from './make.js';
import type { Tensor } from './tensor.js';

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
 * A tensor of this shape filled with `value`; a boolean gives a bool tensor, a number float32 unless `dtype` says
 * otherwise.
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
 * A tensor of this shape to be written to. Its elements are 0, unlike PyTorch's, which are undefined. Options as for
 * `zeros`.
 *
 * ```ts
 * empty([2, 3]).shape; // [2, 3]
 * ```
 */
export const empty = (shape: Shape, options: TensorOptions = {}): Tensor => make('empty', shape, options, 0);

/**
 * A tensor of zeros with the shape, dtype and device of `t`. It does not require gradients; options change dtype,
 * device and that.
 *
 * ```ts
 * zerosLike(tensor([1, 2])); // [0, 0]
 * ```
 */
export const zerosLike = /* @__PURE__ */ asLike('zerosLike', zeros);

/**
 * A tensor of ones with the shape, dtype and device of `t`. It does not require gradients; options change dtype, device
 * and that.
 *
 * ```ts
 * onesLike(tensor([5, 6])); // [1, 1]
 * ```
 */
export const onesLike = /* @__PURE__ */ asLike('onesLike', ones);

/**
 * A tensor filled with `value`, with the shape, dtype and device of `t`. It does not require gradients; options change
 * dtype, device and that.
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
 * `start`, `start + step`, ... up to but without `end`. One argument is the end. int32 unless one is a fraction.
 *
 * ```ts
 * arange(3); // [0, 1, 2]
 * arange(1, 2, 0.5); // [1, 1.5]
 * ```
 */
export function arange(end: number, options?: TensorOptions): Tensor;
/** The numbers from `start` up to, but not including, `end`, 1 apart. */
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
/** The numbers from `start` up to, but not including, `end`, `step` apart. */
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
