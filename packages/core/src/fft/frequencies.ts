import { check, checkOptions } from '../check.js';
import { DTypeError, named } from '../errors.js';
import { type DType, isFloat } from '../memory/dtype.js';
import { normalizeDims } from '../memory/shape.js';
import { roll } from '../ops/rearrange.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { TensorOptions } from '../tensor/make.js';
import type { Tensor } from '../tensor/tensor.js';
import { tensor } from '../tensor/values.js';

/** Options of the frequencies. */
export interface FrequencyOptions extends TensorOptions {
  /** The time between samples; 1 by default. */
  d?: number;
}

const options = { d: is.finite, dtype: is.anything, device: is.string, requiresGrad: is.boolean };

function frequencies(
  op: string,
  n: number,
  count: number,
  given: FrequencyOptions | undefined,
  at: (k: number) => number,
): Tensor {
  const { d = 1, dtype = 'float32' as DType, ...others } = checkOptions(op, given, options);
  const values = Float64Array.from({ length: count }, (_, k) => at(k) / (n * d));
  if (!isFloat(dtype)) throw new DTypeError(op, `frequencies need a floating point dtype, got ${dtype}`);
  return tensor(values, { ...others, dtype });
}

/**
 * The frequencies of the results of `fft` for n samples, in cycles per unit of time: ascending from 0, then the
 * negative ones.
 *
 * ```ts
 * fftfreq(4); // [0, 0.25, -0.5, -0.25]
 * ```
 */
export const fftfreq = /* @__PURE__ */ named('fftfreq', (n: number, given?: FrequencyOptions): Tensor => {
  check('fftfreq', 'n', n, is.count);
  return frequencies('fftfreq', n, n, given, (k) => (2 * k < n ? k : k - n));
});

/**
 * The frequencies of the results of `rfft` for n samples, in cycles per unit of time.
 *
 * ```ts
 * rfftfreq(4, { d: 0.5 }); // [0, 0.5, 1]
 * ```
 */
export const rfftfreq = /* @__PURE__ */ named('rfftfreq', (n: number, given?: FrequencyOptions): Tensor => {
  check('rfftfreq', 'n', n, is.count);
  return frequencies('rfftfreq', n, Math.floor(n / 2) + 1, given, (k) => k);
});

type Dims = number | readonly number[] | null;

const shifted = (op: string, by: (n: number) => number) =>
  named(op, (x: Tensor, dim?: Dims): Tensor => {
    checkTensors(op, x);
    const dims = normalizeDims(op, dim, x.ndim);
    return roll(
      x,
      dims.map((d) => by(x.shape[d]!)),
      [...dims],
    );
  });

/**
 * Moves frequency 0 from the start to the middle of dimensions `dim`, all by default.
 *
 * ```ts
 * fftshift(fftfreq(4)); // [-0.5, -0.25, 0, 0.25]
 * ```
 */
export const fftshift = /* @__PURE__ */ shifted('fftshift', (n) => Math.floor(n / 2));

/**
 * The inverse of `fftshift`: moves frequency 0 back to the front. The result has the shape of `x`.
 *
 * ```ts
 * ifftshift(fftshift(tensor([0, 1, 2]))); // [0, 1, 2]
 * ```
 */
export const ifftshift = /* @__PURE__ */ shifted('ifftshift', (n) => Math.ceil(n / 2));
