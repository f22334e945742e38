import { check, checkOptions } from '../check.js';
import { named } from '../errors.js';
import { scaledI } from '../special/modifiedBessel.js';
import * as is from '../tensor/kinds.js';
import type { TensorOptions } from '../tensor/make.js';
import type { Tensor } from '../tensor/tensor.js';
import { tensor } from '../tensor/values.js';

/** Options of windows. */
export interface WindowOptions extends TensorOptions {
  /**
   * Whether it is a symmetric window of one more element without the last, so that repeated windows are periodic; true
   * by default.
   */
  periodic?: boolean;
}

/** Options of the Hamming window: `alpha - beta cos`. */
export interface HammingOptions extends WindowOptions {
  /** The constant term; 0.54 by default. */
  alpha?: number;
  /** The factor of the cosine; 0.46 by default. */
  beta?: number;
}

/** Options of the Kaiser window. */
export interface KaiserOptions extends WindowOptions {
  /** The shape parameter, larger for a narrower window; 12 by default. */
  beta?: number;
}

const options = { periodic: is.boolean, dtype: is.anything, device: is.string, requiresGrad: is.boolean };
const hammingOptions = { ...options, alpha: is.finite, beta: is.finite };
const kaiserOptions = { ...options, beta: is.finite };

/** A window of `n` elements, computed by `at` at positions from 0 to 1. */
function window(
  op: string,
  n: number,
  { periodic = true, ...others }: WindowOptions,
  at: (x: number) => number,
): Tensor {
  check(op, 'n', n, is.size);
  const steps = periodic ? n : n - 1;
  const values = Float64Array.from({ length: n }, (_, i) => (n === 1 ? 1 : at(i / steps)));
  return tensor(values, { dtype: 'float32', ...others });
}

const cosine = (turns: number) => Math.cos(2 * Math.PI * turns);

/**
 * The triangular (Bartlett) window `[n]`, which is 0 at the ends. Options: `periodic` true (as for spectra), and those
 * of `zeros`.
 *
 * ```ts
 * bartlettWindow(4); // [0, 0.5, 1, 0.5]
 * ```
 */
export const bartlettWindow = /* @__PURE__ */ named(
  'bartlettWindow',
  (n: number, given?: WindowOptions): Tensor =>
    window('bartlettWindow', n, checkOptions('bartlettWindow', given, options), (x) => 1 - Math.abs(2 * x - 1)),
);

/**
 * The Blackman window, a sum of two cosines: `0.42 - 0.5 cos(2πx) + 0.08 cos(4πx)`.
 *
 * ```ts
 * blackmanWindow(4); // [0, 0.34, 1, 0.34]
 * ```
 */
export const blackmanWindow = /* @__PURE__ */ named(
  'blackmanWindow',
  (n: number, given?: WindowOptions): Tensor =>
    window(
      'blackmanWindow',
      n,
      checkOptions('blackmanWindow', given, options),
      (x) =>
        // In factors, so that the ends are exactly 0.
        (1 - cosine(x)) * (0.34 - 0.16 * cosine(x)),
    ),
);

/**
 * The Hamming window `[n]`: `0.54 - 0.46 cos(2πx)` for x from 0 to 1. Options: `periodic` true, and those of `zeros`.
 *
 * ```ts
 * hammingWindow(4); // [0.08, 0.54, 1, 0.54]
 * ```
 */
export const hammingWindow = /* @__PURE__ */ named('hammingWindow', (n: number, given?: HammingOptions): Tensor => {
  const { alpha = 0.54, beta = 0.46, ...others } = checkOptions('hammingWindow', given, hammingOptions);
  return window('hammingWindow', n, others, (x) => alpha - beta * cosine(x));
});

/**
 * The Hann window `[n]`: `0.5 - 0.5 cos(2πx)` for x from 0 to 1. Options: `periodic` true, and those of `zeros`.
 *
 * ```ts
 * hannWindow(4); // [0, 0.5, 1, 0.5]
 * ```
 */
export const hannWindow = /* @__PURE__ */ named(
  'hannWindow',
  (n: number, given?: WindowOptions): Tensor =>
    window('hannWindow', n, checkOptions('hannWindow', given, options), (x) => 0.5 - 0.5 * cosine(x)),
);

/**
 * The Kaiser window `[n]`: `i0(beta sqrt(1 - (2x - 1)²)) / i0(beta)` for x from 0 to 1. Options: `beta` 12, `periodic`
 * true, and those of `zeros`.
 *
 * ```ts
 * kaiserWindow(4, { beta: 2 }); // [0.4387, 0.8348, 1, 0.8348]
 * ```
 */
export const kaiserWindow = /* @__PURE__ */ named('kaiserWindow', (n: number, given?: KaiserOptions): Tensor => {
  const { beta = 12, ...others } = checkOptions('kaiserWindow', given, kaiserOptions);
  // Scaled Bessel functions, as the unscaled ones would overflow.
  const at = (x: number) => {
    const size = Math.abs(beta) * Math.sqrt(Math.max(0, 1 - (2 * x - 1) ** 2));
    return (scaledI(0, size) / scaledI(0, Math.abs(beta))) * Math.exp(size - Math.abs(beta));
  };
  return window('kaiserWindow', n, others, at);
});
