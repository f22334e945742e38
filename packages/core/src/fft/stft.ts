import { check, checkOptions } from '../check.js';
import { checkComplex } from '../complex/parts.js';
import { DTypeError, named, ShapeError } from '../errors.js';
import { isComplex, isFloat } from '../memory/dtype.js';
import { formatShape, type Shape } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { to } from '../ops/copy.js';
import { realOnly } from '../ops/define.js';
import { div, mul } from '../ops/elementwise.js';
import { square } from '../ops/exponential.js';
import { indexAdd } from '../ops/indexing.js';
import { narrow } from '../ops/joining.js';
import { pad } from '../ops/pad.js';
import { unfoldDim } from '../ops/rearrange.js';
import { expand, reshape, squeeze, transpose, unsqueeze } from '../ops/shape.js';
import { ones, zeros } from '../tensor/creation.js';
import * as is from '../tensor/kinds.js';
import { type MethodsFrom, methods } from '../tensor/methods.js';
import type { Tensor } from '../tensor/tensor.js';
import { tensor } from '../tensor/values.js';
import { fft, ifft, irfft, rfft } from './fft.js';
import type * as self from './stft.js';

/** Options of `stft` and `istft`. */
interface FrameOptions {
  /** The distance between frames; a quarter of `nFft` by default. */
  hopLength?: number | null;
  /** The length of the window, which is centered in the frame; `nFft` by default. */
  winLength?: number | null;
  /** The window that frames are multiplied by, `[winLength]`; ones by default. */
  window?: Tensor | null;
  /** Whether frame t is centered at `t * hopLength` rather than starts there; true by default. */
  center?: boolean;
  /** Whether transforms are divided by the square root of `nFft`; false by default. */
  normalized?: boolean;
  /** Whether only frequencies from 0 up are computed; by default if the signal is real. */
  onesided?: boolean;
}

/** Options of `stft`. */
export interface StftOptions extends FrameOptions {
  /** How the ends of the signal are padded if frames are centered; 'reflect' by default. */
  padMode?: 'reflect' | 'constant' | 'replicate' | 'circular';
}

/** Options of `istft`. */
export interface IstftOptions extends FrameOptions {
  /** The length of the signal; by default that covered by the frames. */
  length?: number | null;
  /** Whether the signal is complex; false by default. */
  returnComplex?: boolean;
}

const frameOptions = {
  hopLength: is.nullable(is.count),
  winLength: is.nullable(is.count),
  window: is.nullable(is.tensor),
  center: is.boolean,
  normalized: is.boolean,
  onesided: is.boolean,
};
const stftOptions = { ...frameOptions, padMode: is.oneOf('reflect', 'constant', 'replicate', 'circular') };
const istftOptions = { ...frameOptions, length: is.nullable(is.count), returnComplex: is.boolean };

/** The window, padded with zeros to the length of a frame, in the real dtype of `x`. */
function windowFor(op: string, x: Tensor, nFft: number, { winLength, window }: FrameOptions): Tensor {
  const length = winLength ?? nFft;
  if (length > nFft) throw new ShapeError(op, `a winLength of ${length} is longer than nFft, ${nFft}`);
  if (window != null && (window.ndim !== 1 || window.numel !== length))
    throw new ShapeError(op, `the window has shape ${formatShape(window.shape)}; expected [${length}]`);
  if (window != null && (!isFloat(window.dtype) || isComplex(window.dtype)))
    throw new DTypeError(op, `the window must be real floating point, got ${window.dtype}; use .float()`);
  const dtype = x.dtype === 'float64' || x.dtype === 'complex128' ? 'float64' : 'float32';
  const whole = window == null ? ones([length], { dtype, device: 'cpu' }) : to(window, dtype);
  const before = Math.floor((nFft - length) / 2);
  return length === nFft ? whole : pad(whole, [before, nFft - length - before]);
}

/** Signals, or their frames, as a batch: adds the batch dimension if there is none. */
function batched(op: string, x: Tensor, ndim: number, names: string): Tensor {
  if (x.ndim !== ndim && x.ndim !== ndim + 1) throw new ShapeError(op, `takes ${names}, got ${formatShape(x.shape)}`);
  return x.ndim === ndim ? unsqueeze(x, 0) : x;
}

/**
 * The short-time Fourier transform of a signal `[n]` or `[batch, n]`: complex `[..., frequencies, frames]`, with `nFft
 * / 2 + 1` frequencies for a real signal and `nFft` for a complex one. Throws if the signal is shorter than a frame.
 *
 * ```ts
 * stft(ones([32]), 8).shape; // [5, 17]
 * ```
 */
export const stft = /* @__PURE__ */ inFloat32('stft', (x: Tensor, nFft: number, options?: StftOptions): Tensor => {
  const given = checkOptions('stft', options, stftOptions);
  check('stft', 'nFft', nFft, is.count);
  if (!isFloat(x.dtype)) throw new DTypeError('stft', `takes floating point signals, got ${x.dtype}; use .float()`);
  const { center = true, padMode = 'reflect', normalized = false } = given;
  const { onesided = !isComplex(x.dtype) } = given;
  if (onesided) realOnly('stft', x);
  const hop = given.hopLength ?? Math.max(1, Math.floor(nFft / 4));
  let signal = batched('stft', x, 1, 'signals [n] or [batch, n]');
  if (center) signal = pad(signal, [Math.floor(nFft / 2), Math.floor(nFft / 2)], { mode: padMode });
  if (signal.shape[1]! < nFft)
    throw new ShapeError('stft', `a signal of shape ${formatShape(x.shape)} is shorter than a frame of ${nFft}`);
  const frames = mul(unfoldDim(signal, 1, nFft, hop), windowFor('stft', x, nFft, given));
  const norm = normalized ? 'ortho' : 'backward';
  const out = transpose(onesided ? rfft(frames, { norm }) : fft(frames, { norm }), 1, 2);
  return x.ndim === 1 ? squeeze(out, 0) : out;
});

/** Adds up overlapping frames `[batch, count, n]`, `hop` apart. */
function overlapAdd(frames: Tensor, hop: number): Tensor {
  const [batch, count, n] = frames.shape as Shape & [number, number, number];
  const places = Int32Array.from({ length: count * n }, (_, i) => Math.floor(i / n) * hop + (i % n));
  const silence = zeros([batch, n + hop * (count - 1)], { dtype: frames.dtype, device: 'cpu' });
  return indexAdd(silence, 1, tensor(places), reshape(frames, [batch, count * n]));
}

/**
 * The inverse of `stft`: the signal whose `stft` is closest to `z` `[..., frequencies, frames]`. Frames are transformed
 * back, added where they overlap, and divided by the sum of their squared windows. Throws if that is 0 anywhere.
 *
 * ```ts
 * const window = hannWindow(8);
 * const x = arange(32, { dtype: 'float32' });
 * allclose(istft(stft(x, 8, { window }), 8, { window }), x, { atol: 1e-4 }); // true
 * ```
 */
export const istft = /* @__PURE__ */ named('istft', (z: Tensor, nFft: number, options?: IstftOptions): Tensor => {
  const given = checkOptions('istft', options, istftOptions);
  check('istft', 'nFft', nFft, is.count);
  checkComplex('istft', z);
  const { center = true, normalized = false, length, returnComplex = false } = given;
  const { onesided = !returnComplex } = given;
  if (returnComplex && onesided)
    throw new TypeError('istft: a complex signal has frequencies on both sides; use onesided: false');
  const hop = given.hopLength ?? Math.max(1, Math.floor(nFft / 4));
  const window = windowFor('istft', z, nFft, given);
  if (hop > (given.winLength ?? nFft))
    throw new ShapeError('istft', `a hopLength of ${hop} leaves gaps between windows of ${given.winLength ?? nFft}`);
  const spectra = batched('istft', z, 2, 'frames [frequencies, frames] or [batch, frequencies, frames]');
  const rows = onesided ? Math.floor(nFft / 2) + 1 : nFft;
  if (spectra.shape[1] !== rows || spectra.shape[2] === 0)
    throw new ShapeError('istft', `expected ${rows} frequencies of one frame or more, got ${formatShape(z.shape)}`);
  const norm = normalized ? 'ortho' : 'backward';
  const framesFirst = transpose(spectra, 1, 2);
  const lines = returnComplex
    ? ifft(framesFirst, { norm })
    : irfft(onesided ? framesFirst : narrow(framesFirst, 2, 0, halfOf(nFft)), { n: nFft, norm });
  const count = framesFirst.shape[1]!;
  const sum = overlapAdd(mul(lines, window), hop);
  const weights = overlapAdd(expand(square(window), [1, count, nFft]), hop);
  const start = center ? Math.floor(nFft / 2) : 0;
  const whole = sum.shape[1]!;
  const end = length != null ? start + length : whole - (center ? Math.floor(nFft / 2) : 0);
  const inside = (x: Tensor) => narrow(x, 1, start, Math.min(end, whole) - start);
  const divisor = inside(weights);
  if (divisor.numel === 0 || divisor.abs().min().item() < 1e-11)
    throw new ShapeError(
      'istft',
      'the windows do not cover the whole signal; use another window, a smaller hopLength, or center: true',
    );
  const out = pad(div(inside(sum), divisor), [0, Math.max(0, end - whole)]);
  return z.ndim === 2 ? squeeze(out, 0) : out;
});

const halfOf = (n: number): number => Math.floor(n / 2) + 1;

const plain = { stft, istft };
methods(plain);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain> {}
}
