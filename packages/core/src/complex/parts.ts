import { elementsOf, targetOf } from '../backend/host/data.js';
import { DeviceError, DTypeError, named, ShapeError } from '../errors.js';
import { record } from '../graph/node.js';
import { type Complex, isComplex as isComplexDType, recordOf, toFloat } from '../memory/dtype.js';
import { formatShape, type Shape } from '../memory/shape.js';
import { inFloat32 } from '../ops/casting.js';
import { to } from '../ops/copy.js';
import { unary } from '../ops/define.js';
import { abs, cos, div, eq, isnan, lt, mul, sign, sin, where } from '../ops/index.js';
import { broadcastTensors } from '../ops/shape.js';
import { atan2 } from '../ops/trigonometric.js';
import { checkTensors, madeOf, showOther } from '../tensor/check.js';
import { zerosLike } from '../tensor/creation.js';
import { type MethodsFrom, type MethodsOf, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { type NestedValues, tensor } from '../tensor/values.js';
import type * as self from './parts.js';
import { pairsOf, partOf } from './storage.js';

/** Nested arrays of complex numbers, or of real ones. */
export type ComplexValues = Complex | number | readonly ComplexValues[];

export function checkComplex(op: string, z: Tensor): void {
  checkTensors(op, z);
  if (!isComplexDType(z.dtype)) throw new DTypeError(op, `takes complex tensors, got ${z.dtype}; use complex(x, 0)`);
}

/** Complex numbers are on the host only. */
function checkHost(op: string, x: Tensor): void {
  if (x.device !== 'cpu')
    throw new DeviceError(op, `complex tensors are on cpu, and this one is on ${x.device}; use await x.toAsync('cpu')`);
}

/** The complex dtype whose parts are of the dtype `part`, or of float32. */
const complexOf = (part: string) => (part === 'float64' ? 'complex128' : 'complex64');

/**
 * A real tensor on the memory of `z`. For autograd it is a result of its own, so recorded writes to it would not reach
 * `z`; they are refused, as for views that were made while recording was off.
 */
function realView(op: string, z: Tensor, view: { shape: Shape; strides: readonly number[]; offset: number }): Tensor {
  const out = new Tensor(pairsOf(z).storage, recordOf(z.dtype).complex!.part, view.shape, view.strides, view.offset);
  out.inference = z.inference;
  const base = z.viewInfo?.base ?? z;
  out.viewInfo = { base, history: base.history, untracked: true };
  return record(op, [z], out, realRules[op as keyof typeof realRules]);
}

const realRules = {
  viewAsReal: (g: Tensor) => [viewAsComplex(g)],
  real: (g: Tensor) => [to(g, complexOf(g.dtype))],
  imag: (g: Tensor) => [complex(0, g)],
};

/**
 * The real parts of `z`, as a view that shares its memory. A real tensor is its own real part.
 *
 * ```ts
 * real(complex([1, 2], [3, 4])); // [1, 2]
 * ```
 */
export function real(z: Tensor): Tensor {
  checkTensors('real', z);
  return isComplexDType(z.dtype) ? realView('real', z, partOf(z, 0)) : z;
}

/**
 * The imaginary parts of `z`, as a view that shares its memory. Throws for real tensors.
 *
 * ```ts
 * imag(complex([1, 2], [3, 4])); // [3, 4]
 * ```
 */
export function imag(z: Tensor): Tensor {
  checkComplex('imag', z);
  return realView('imag', z, partOf(z, 1));
}

/**
 * Complex `[...]` as real `[..., 2]`, with real and imaginary parts along the last dimension; a view that shares its
 * memory.
 *
 * ```ts
 * viewAsReal(complex([1, 2], [3, 4])); // [[1, 3], [2, 4]]
 * ```
 */
export function viewAsReal(z: Tensor): Tensor {
  checkComplex('viewAsReal', z);
  return realView('viewAsReal', z, pairsOf(z));
}

/**
 * Real `[..., 2]`, float32 or float64, as complex `[...]`; a copy. The inverse of `viewAsReal`.
 *
 * ```ts
 * viewAsComplex(tensor([[1, 3], [2, 4]])).toArray(); // [{ re: 1, im: 3 }, { re: 2, im: 4 }]
 * ```
 */
export function viewAsComplex(x: Tensor): Tensor {
  checkTensors('viewAsComplex', x);
  if (x.dtype !== 'float32' && x.dtype !== 'float64')
    throw new DTypeError('viewAsComplex', `takes float32 and float64 tensors, got ${x.dtype}; use .float()`);
  if (x.shape.at(-1) !== 2)
    throw new ShapeError(
      'viewAsComplex',
      `the last dimension must have size 2, for real and imaginary parts, got ${formatShape(x.shape)}`,
    );
  checkHost('viewAsComplex', x);
  const out = Tensor.uninitialized(complexOf(x.dtype), x.shape.slice(0, -1), x.storage.backend);
  x.storage.backend.kernels.copy(x, pairsOf(out));
  return record('viewAsComplex', [x], out, (g) => [viewAsReal(g)]);
}

/** Nested arrays of one part of nested arrays of complex numbers. */
const partsOf = (values: ComplexValues, part: 're' | 'im', depth = 0): NestedValues => {
  if (depth > 64) throw new TypeError('complex: arrays are nested deeper than 64 times; does one hold itself?');
  if (Array.isArray(values)) return values.map((v: ComplexValues) => partsOf(v, part, depth + 1));
  if (typeof values === 'number') return part === 're' ? values : 0;
  const number = (values as Complex | null)?.[part];
  if (typeof number !== 'number')
    throw new TypeError(`complex: values must be numbers or { re, im }, got ${showOther(values)}`);
  return number;
};

/** A part as a tensor; numbers get the precision of the `other` part. */
const partFrom = (value: Tensor | ComplexValues, other: unknown): Tensor => {
  if (!Tensor.is(value))
    return tensor(value as NestedValues, {
      dtype: Tensor.is(other) && other.dtype === 'float64' ? 'float64' : 'float32',
    });
  if (isComplexDType(value.dtype))
    throw new DTypeError('complex', `parts must be real tensors, got ${value.dtype}; use real() or imag()`);
  return to(value, value.dtype === 'float64' ? 'float64' : 'float32');
};

/**
 * Makes a complex tensor of real and imaginary parts, which broadcast: tensors, numbers or nested arrays. A single
 * argument is nested arrays of `{ re, im }`, as from `toArray()`. The dtype is complex64, or complex128 if a part is
 * float64.
 *
 * ```ts
 * complex([1, 2], 3).toArray(); // [{ re: 1, im: 3 }, { re: 2, im: 3 }]
 * complex([{ re: 1, im: 2 }]).imag(); // [2]
 * ```
 */
export const complex = /* @__PURE__ */ named(
  'complex',
  (re: Tensor | ComplexValues, im?: Tensor | NestedValues): Tensor => {
    if (im === undefined) {
      if (Tensor.is(re)) return to(re, complexOf(re.dtype));
      return complex(partsOf(re, 're') as ComplexValues, partsOf(re, 'im'));
    }
    const parts = [partFrom(re, im), partFrom(im as Tensor, re)];
    const dtype = parts.some((t) => t.dtype === 'float64') ? 'float64' : 'float32';
    const [x, y] = broadcastTensors(parts.map((t) => to(t, dtype))) as [Tensor, Tensor];
    checkHost('complex', x);
    checkHost('complex', y);
    const out = Tensor.uninitialized(complexOf(dtype), x.shape, x.storage.backend);
    x.storage.backend.kernels.copy(x, partOf(out, 0));
    y.storage.backend.kernels.copy(y, partOf(out, 1));
    return record('complex', [x, y], out, (g) => [real(g), imag(g)]);
  },
);

/**
 * Makes a complex tensor of absolute values and angles in radians, which broadcast.
 *
 * ```ts
 * polar(tensor([2]), tensor([Math.PI / 2])).imag(); // [2]
 * ```
 */
export const polar = /* @__PURE__ */ inFloat32('polar', (size: Tensor, angle: Tensor): Tensor => {
  checkTensors('polar', size, angle);
  return complex(mul(size, cos(angle)), mul(size, sin(angle)));
});

const conjugated = unary('conj', { forward: (x) => x, backward: (g) => conj(g) });

/**
 * The complex conjugate, with the imaginary part negated. A real tensor is its own conjugate.
 *
 * ```ts
 * conj(complex([1], [3])).imag(); // [-3]
 * ```
 */
export function conj(z: Tensor): Tensor {
  checkTensors('conj', z);
  return isComplexDType(z.dtype) ? conjugated(z) : z;
}

/** `abs` of complex numbers. The gradient at 0 is defined as 0. */
export function absOf(z: Tensor): Tensor {
  const out = Tensor.uninitialized(recordOf(z.dtype).complex!.part, z.shape, z.storage.backend);
  const [from, sizes] = [elementsOf(pairsOf(z)), targetOf(out)];
  for (let i = 0; i < sizes.length; i++) sizes[i] = Math.hypot(from[2 * i]!, from[2 * i + 1]!);
  return record('abs', [z], out, (g, ctx) => [mul(sgn(ctx.saved[0]!), g)], [z]);
}

/**
 * `z / |z|` of each element, and 0 at 0; for real tensors the sign. The result has the shape of `z`.
 *
 * ```ts
 * sgn(complex([0, 3], [2, 4])).imag(); // [1, 0.8]
 * ```
 */
export const sgn = /* @__PURE__ */ madeOf('sgn', (z: Tensor): Tensor => {
  if (!isComplexDType(z.dtype)) return sign(z);
  const size = abs(z);
  return div(z, where(eq(size, 0), 1, size));
});

/** `i / conj(z)`, the derivative of an angle, and 0 where it is not finite. */
const angleDerivative = (z: Tensor): Tensor => {
  const isZero = eq(z, 0);
  return div(where(isZero, 0, complex(zerosLike(real(z)), 1)), where(isZero, 1, conj(z)));
};

/**
 * The angles to the positive real axis, from -π to π; for real numbers 0 or π. The gradient at 0 is defined as 0.
 *
 * ```ts
 * angle(complex([0, -1], [2, 0])); // [1.571, 3.142]
 * ```
 */
export const angle = /* @__PURE__ */ madeOf('angle', (z: Tensor): Tensor => {
  if (isComplexDType(z.dtype)) {
    const value = z.detach();
    const out = atan2(imag(value), real(value));
    return record('angle', [z], out, (g, ctx) => [mul(angleDerivative(ctx.saved[0]!), g)], [z]);
  }
  const x = to(z.detach(), toFloat(z.dtype));
  return where(isnan(x), x, where(lt(x, 0), Math.PI, 0)).to(x.dtype);
});

/**
 * Whether a tensor's dtype is complex64 or complex128.
 *
 * ```ts
 * isComplex(complex(1, 2)); // true
 * ```
 */
export function isComplex(x: Tensor): boolean {
  checkTensors('isComplex', x);
  return isComplexDType(x.dtype);
}

const plain = { real, imag, conj, sgn, angle, isComplex };
methods(plain);

const own = {
  /** This tensor as complex64; the tensor itself if it is complex64 already. */
  cfloat: (x: Tensor): Tensor => to(x, 'complex64'),
  /** This tensor as complex128; the tensor itself if it is complex128 already. */
  cdouble: (x: Tensor): Tensor => to(x, 'complex128'),
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof plain>, MethodsOf<typeof own> {}
}
