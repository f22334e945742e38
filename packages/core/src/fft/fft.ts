import '../complex/index.js';
import { elementsOf, targetOf } from '../backend/host/data.js';
import { checkOptions, show } from '../check.js';
import { complex, conj, real } from '../complex/parts.js';
import { pairsOf } from '../complex/storage.js';
import { DeviceError, ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { computedIn, isComplex, toFloat } from '../memory/dtype.js';
import { formatShape, normalizeDims } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { to } from '../ops/copy.js';
import { realOnly } from '../ops/define.js';
import { mul } from '../ops/elementwise.js';
import { cat, narrow } from '../ops/joining.js';
import { pad } from '../ops/pad.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { Tensor } from '../tensor/tensor.js';
import { type Around, complexLines, halfLines, realLines } from './lines.js';

/**
 * The transform that is scaled by `1 / n`, so that the two are inverses; with 'ortho' both are scaled by `1 / sqrt(n)`.
 */
export type FftNorm = 'backward' | 'ortho' | 'forward';

/** Options of transforms along one dimension. */
export interface FftOptions {
  /**
   * The length of the transform, to which the dimension is cut or padded with zeros; for `irfft` and `hfft` that of the
   * result.
   */
  n?: number | null;
  /** The dimension to transform; the last one by default. */
  dim?: number;
  /** The scaling; 'backward' by default, which divides the inverse transform by n. */
  norm?: FftNorm | null;
}

/** Options of transforms along several dimensions. */
export interface FftnOptions {
  /** The lengths, one for each dimension; -1 keeps the size of the dimension. */
  s?: readonly number[] | null;
  /** The dimensions; all by default, with `s` as many of the last ones, and for `fft2` and the like the last two. */
  dim?: number | readonly number[] | null;
  /** The scaling; 'backward' by default, which divides the inverse transform by the number of elements. */
  norm?: FftNorm | null;
}

const norm = is.nullable(is.oneOf('backward', 'ortho', 'forward'));
const fftOptions = { n: is.nullable(is.count), dim: is.integer, norm };
const length: is.Kind = { text: 'a whole number above 0, or -1', is: (v) => v === -1 || is.count.is(v) };
const fftnOptions = {
  s: is.nullable(is.arrayOf(length)),
  dim: is.nullable(is.either(is.integer, is.arrayOf(is.integer))),
  norm,
};

/** The factor of a transform of `n` elements. */
function scaleOf(by: FftNorm | null | undefined, n: number, isInverse: boolean): number {
  if (by === 'ortho') return 1 / Math.sqrt(n);
  return ((by ?? 'backward') === 'backward') === isInverse ? 1 / n : 1;
}

function around(x: Tensor, d: number): Around {
  const product = (of: readonly number[]) => of.reduce((a, b) => a * b, 1);
  return { outer: product(x.shape.slice(0, d)), inner: product(x.shape.slice(d + 1)) };
}

const resized = (x: Tensor, d: number, n: number): readonly number[] => x.shape.map((v, i) => (i === d ? n : v));

const halfOf = (n: number): number => Math.floor(n / 2) + 1;

// The three transforms of one dimension that all others are composed of, scaled only by `scale`. The gradient of each
// is its adjoint, which is composed of the others.

function complexToComplex(x: Tensor, d: number, isInverse: boolean, scale: number): Tensor {
  const out = Tensor.uninitialized(x.dtype, x.shape, x.storage.backend);
  const n = x.shape[d]!;
  complexLines(elementsOf(pairsOf(x)), targetOf(pairsOf(out)), n, around(x, d), isInverse, scale);
  return record('fft', [x], out, (g) => [complexToComplex(g, d, !isInverse, scale)]);
}

function realToHalf(x: Tensor, d: number, scale: number): Tensor {
  const n = x.shape[d]!;
  const dtype = x.dtype === 'float64' ? 'complex128' : 'complex64';
  const out = Tensor.uninitialized(dtype, resized(x, d, halfOf(n)), x.storage.backend);
  realLines(elementsOf(x), targetOf(pairsOf(out)), n, around(x, d), scale);
  return record('rfft', [x], out, (g) => [real(complexToComplex(resizeTo(g, d, n), d, true, scale))]);
}

/** Half a spectrum to real numbers. All numbers but those at the ends also count as their conjugates. */
function halfToReal(x: Tensor, d: number, n: number, scale: number): Tensor {
  const dtype = x.dtype === 'complex128' ? 'float64' : 'float32';
  const out = Tensor.uninitialized(dtype, resized(x, d, n), x.storage.backend);
  halfLines(elementsOf(pairsOf(x)), targetOf(out), n, around(x, d), scale);
  return record('irfft', [x], out, (g) => {
    const whole = realToHalf(g, d, scale);
    const twice = Math.floor((n - 1) / 2);
    const end = whole.shape[d]! - 1 - twice;
    return [cat([narrow(whole, d, 0, 1), mul(narrow(whole, d, 1, twice), 2), narrow(whole, d, 1 + twice, end)], d)];
  });
}

/** `x` with dimension `d` cut, or padded with zeros at its end, to size `n`. */
function resizeTo(x: Tensor, d: number, n: number): Tensor {
  const more = n - x.shape[d]!;
  return more === 0 ? x : pad(x, [...Array<number>(2 * (x.ndim - 1 - d)).fill(0), 0, more]);
}

/**
 * Converts to a floating point dtype for the transform: integers to float32, half types to the dtype that they compute
 * in.
 */
function asFloats(op: string, x: Tensor): Tensor {
  checkTensors(op, x);
  if (x.device !== 'cpu')
    throw new DeviceError(op, `is computed on cpu, and the tensor is on ${x.device}; use await x.toAsync('cpu')`);
  if (x.ndim === 0) throw new ShapeError(op, 'a scalar tensor has no dimension to transform');
  return to(x, computedIn(toFloat(x.dtype)));
}

const complexNumbers = (op: string, x: Tensor): Tensor => {
  const t = asFloats(op, x);
  return isComplex(t.dtype) ? t : complex(t);
};

function realNumbers(op: string, x: Tensor): Tensor {
  checkTensors(op, x);
  realOnly(op, x);
  return asFloats(op, x);
}

/** The dimensions to transform, their lengths, and the product of these. */
interface Extent {
  readonly dims: readonly number[];
  readonly sizes: readonly number[];
  readonly count: number;
}

/** `lastOf` computes the length of the last dimension if none is given. */
function extentOf(
  op: string,
  x: Tensor,
  s: readonly number[] | null | undefined,
  dim: number | readonly number[] | null | undefined,
  lastOf: (n: number) => number = (n) => n,
): Extent {
  if (s != null && dim == null && s.length > x.ndim)
    throw new ShapeError(op, `s has ${s.length} lengths, and ${formatShape(x.shape)} has ${x.ndim} dimensions`);
  const given = dim ?? x.shape.map((_, i) => i).slice(s == null ? 0 : x.ndim - s.length);
  const dims = normalizeDims(op, given, x.ndim);
  if (dims.length === 0) throw new ShapeError(op, 'dim is empty; name a dimension, or leave it out for all');
  if (s != null && s.length !== dims.length)
    throw new ShapeError(op, `s has ${s.length} lengths for ${dims.length} dimensions; give one each`);
  const sizes = dims.map((d, i) => {
    const n = s == null || s[i] === -1 ? x.shape[d]! : s[i]!;
    return i === dims.length - 1 && (s == null || s[i] === -1) ? lastOf(n) : n;
  });
  for (const n of sizes)
    if (n < 1)
      throw new ShapeError(
        op,
        `a transform must have a length of at least 1, got ${show(n)} for ${formatShape(x.shape)}`,
      );
  return { dims, sizes, count: sizes.reduce((a, b) => a * b, 1) };
}

/** Complex transforms along dimensions; the first one applies the scale. */
function along(x: Tensor, { dims, sizes }: Pick<Extent, 'dims' | 'sizes'>, isInverse: boolean, scale: number): Tensor {
  let out = dims.reduce((t, d, i) => resizeTo(t, d, sizes[i]!), x);
  dims.forEach((d, i) => {
    out = complexToComplex(out, d, isInverse, i === 0 ? scale : 1);
  });
  return out;
}

const allButLast = ({ dims, sizes }: Extent) => ({ dims: dims.slice(0, -1), sizes: sizes.slice(0, -1) });

type Of = (op: string, x: Tensor, s: FftnOptions['s'], dim: FftnOptions['dim'], norm: FftnOptions['norm']) => Tensor;

const complexOf =
  (isInverse: boolean): Of =>
  (op, x, s, dim, norm) => {
    const z = complexNumbers(op, x);
    const extent = extentOf(op, z, s, dim);
    return along(z, extent, isInverse, scaleOf(norm, extent.count, isInverse));
  };

/** Real numbers to half a spectrum: `rfftn`, or with the conjugate and the scale of an inverse `ihfftn`. */
const halfOfReal =
  (isInverse: boolean): Of =>
  (op, x, s, dim, norm) => {
    const r = realNumbers(op, x);
    const extent = extentOf(op, r, s, dim);
    const [d, n] = [extent.dims.at(-1)!, extent.sizes.at(-1)!];
    const half = realToHalf(resizeTo(r, d, n), d, scaleOf(norm, extent.count, isInverse));
    return along(isInverse ? conj(half) : half, allButLast(extent), isInverse, 1);
  };

/** Half a spectrum to real numbers: `irfftn`, or `hfftn`, which is not an inverse. */
const realOfHalf =
  (isInverse: boolean): Of =>
  (op, x, s, dim, norm) => {
    const z = complexNumbers(op, x);
    const extent = extentOf(op, z, s, dim, (n) => 2 * (n - 1));
    const [d, n] = [extent.dims.at(-1)!, extent.sizes.at(-1)!];
    const lines = along(z, allButLast(extent), isInverse, 1);
    const half = resizeTo(isInverse ? lines : conj(lines), d, halfOf(n));
    return halfToReal(half, d, n, scaleOf(norm, extent.count, isInverse));
  };

/** The public function for one dimension. */
const alongOne = (op: string, of: Of) =>
  inFloat32(op, (x: Tensor, options?: FftOptions): Tensor => {
    const { n, dim = -1, norm } = checkOptions(op, options, fftOptions);
    return of(op, x, n == null ? null : [n], dim, norm);
  });

/** The public function for several dimensions, by default `dims`. */
const alongSeveral = (op: string, of: Of, dims: FftnOptions['dim'] = null) =>
  inFloat32(op, (x: Tensor, options?: FftnOptions): Tensor => {
    const { s, dim = dims, norm } = checkOptions(op, options, fftnOptions);
    return of(op, x, s, dim, norm);
  });

/**
 * The discrete Fourier transform along a dimension: the sum over t of `x[t] * exp(-2πi k t / n)`. Takes real or complex
 * tensors of any length; the result is complex. All transforms are computed in float64 and rounded to the dtype.
 *
 * ```ts
 * real(fft(tensor([1, 2, 3, 4]))); // [10, -2, -2, -2]
 * ```
 */
export const fft = /* @__PURE__ */ alongOne('fft', complexOf(false));

/**
 * The inverse of `fft`: complex, in the shape of `x`, or of length `n` along the dimension.
 *
 * ```ts
 * real(ifft(fft(tensor([1, 2, 3])))); // [1, 2, 3]
 * ```
 */
export const ifft = /* @__PURE__ */ alongOne('ifft', complexOf(true));

/**
 * The first `n / 2 + 1` numbers of the transform of a real tensor; the others are their conjugates.
 *
 * ```ts
 * real(rfft(tensor([1, 2, 3, 4]))); // [10, -2, -2]
 * ```
 */
export const rfft = /* @__PURE__ */ alongOne('rfft', halfOfReal(false));

/**
 * The inverse of `rfft`: from m complex numbers to real ones, of length `n`, `2 * (m - 1)` by default.
 *
 * ```ts
 * irfft(rfft(tensor([1, 2, 3])), { n: 3 }); // [1, 2, 3]
 * ```
 */
export const irfft = /* @__PURE__ */ alongOne('irfft', realOfHalf(true));

/**
 * The transform, which is real, of a signal given by its first m numbers, with conjugates as the rest; of length `n`,
 * `2 * (m - 1)` by default.
 *
 * ```ts
 * hfft(complex([1, 2, 3], 0)); // [8, -2, 0, -2]
 * ```
 */
export const hfft = /* @__PURE__ */ alongOne('hfft', realOfHalf(false));

/**
 * The inverse of `hfft`: from a real tensor of length n, its first `n / 2 + 1` complex numbers.
 *
 * ```ts
 * real(ihfft(tensor([8, -2, 0, -2]))); // [1, 2, 3]
 * ```
 */
export const ihfft = /* @__PURE__ */ alongOne('ihfft', halfOfReal(true));

/**
 * `fft` along several dimensions, by default all, one after another: complex, in the shape of `x` or with sizes `s`.
 *
 * ```ts
 * fftn(ones([2, 3])).shape; // [2, 3]
 * ```
 */
export const fftn = /* @__PURE__ */ alongSeveral('fftn', complexOf(false));

/**
 * The inverse of `fftn`: complex, in the shape of `x` or with sizes `s`.
 *
 * ```ts
 * real(ifftn(fftn(tensor([[1, 2], [3, 4]])))); // [[1, 2], [3, 4]]
 * ```
 */
export const ifftn = /* @__PURE__ */ alongSeveral('ifftn', complexOf(true));

/**
 * `rfft` along the last of several dimensions, and `fft` along the others.
 *
 * ```ts
 * rfftn(ones([2, 4])).shape; // [2, 3]
 * ```
 */
export const rfftn = /* @__PURE__ */ alongSeveral('rfftn', halfOfReal(false));

/**
 * The inverse of `rfftn`: real; the last of the dimensions has size `2 (m - 1)` if `s` does not say otherwise.
 *
 * ```ts
 * irfftn(rfftn(tensor([[1, 2], [3, 4]]))); // [[1, 2], [3, 4]]
 * ```
 */
export const irfftn = /* @__PURE__ */ alongSeveral('irfftn', realOfHalf(true));

/**
 * `hfft` along the last of several dimensions, and `fft` along the others.
 *
 * ```ts
 * hfftn(complex([[1, 2, 3]], 0)); // [[8, -2, 0, -2]]
 * ```
 */
export const hfftn = /* @__PURE__ */ alongSeveral('hfftn', realOfHalf(false));

/**
 * The inverse of `hfftn`: complex, from a real tensor.
 *
 * ```ts
 * real(ihfftn(tensor([[8, -2, 0, -2]]))); // [[1, 2, 3]]
 * ```
 */
export const ihfftn = /* @__PURE__ */ alongSeveral('ihfftn', halfOfReal(true));

const lastTwo = [-2, -1];

/**
 * `fftn` of the last two dimensions: `[..., m, n]` to complex `[..., m, n]`.
 *
 * ```ts
 * real(fft2(tensor([[1, 2], [3, 4]]))); // [[10, -2], [-4, 0]]
 * ```
 */
export const fft2 = /* @__PURE__ */ alongSeveral('fft2', complexOf(false), lastTwo);

/**
 * The inverse of `fft2`: `[..., m, n]` to complex `[..., m, n]`.
 *
 * ```ts
 * real(ifft2(fft2(tensor([[1, 2], [3, 4]])))); // [[1, 2], [3, 4]]
 * ```
 */
export const ifft2 = /* @__PURE__ */ alongSeveral('ifft2', complexOf(true), lastTwo);

/**
 * `rfftn` of the last two dimensions: real `[..., m, n]` to complex `[..., m, n / 2 + 1]`.
 *
 * ```ts
 * rfft2(ones([3, 2, 4])).shape; // [3, 2, 3]
 * ```
 */
export const rfft2 = /* @__PURE__ */ alongSeveral('rfft2', halfOfReal(false), lastTwo);

/**
 * The inverse of `rfft2`: complex `[..., m, k]` to real `[..., m, 2 (k - 1)]`, or with sizes `s`.
 *
 * ```ts
 * irfft2(rfft2(tensor([[1, 2], [3, 4]]))); // [[1, 2], [3, 4]]
 * ```
 */
export const irfft2 = /* @__PURE__ */ alongSeveral('irfft2', realOfHalf(true), lastTwo);

/**
 * `hfftn` of the last two dimensions: complex to real.
 *
 * ```ts
 * hfft2(complex([[1, 2, 3]], 0)); // [[8, -2, 0, -2]]
 * ```
 */
export const hfft2 = /* @__PURE__ */ alongSeveral('hfft2', realOfHalf(false), lastTwo);

/**
 * The inverse of `hfft2`: real to complex.
 *
 * ```ts
 * real(ihfft2(tensor([[8, -2, 0, -2]]))); // [[1, 2, 3]]
 * ```
 */
export const ihfft2 = /* @__PURE__ */ alongSeveral('ihfft2', halfOfReal(true), lastTwo);
