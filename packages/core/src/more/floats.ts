import { DTypeError, named } from '../errors.js';
import { record } from '../graph/node.js';
import { isFloat } from '../memory/dtype.js';
import { broadcastShapes } from '../memory/shape.js';
import { to } from '../ops/copy.js';
import { floatOnly, type TensorLike, toTensor } from '../ops/define.js';
import { mul } from '../ops/elementwise.js';
import { pow } from '../ops/exponential.js';
import { expand } from '../ops/shape.js';
import { checkTensors, madeOf } from '../tensor/check.js';
import { elementsOf } from '../tensor/elements.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Splits `x` into `mantissa * 2 ** exponent`, with mantissas from 0.5 up to below 1 (with the sign of `x`) and int32
 * exponents. 0 and numbers that are not finite are their own mantissa, with exponent 0.
 *
 * ```ts
 * frexp(tensor([6, -1])).mantissa; // [0.75, -0.5]
 * frexp(tensor([6, -1])).exponent; // [3, 1]
 * ```
 */
export const frexp = /* @__PURE__ */ madeOf('frexp', (x: Tensor): { mantissa: Tensor; exponent: Tensor } => {
  floatOnly('frexp', x);
  const from = elementsOf(x, 'frexp');
  const mantissas = new Float64Array(from.length);
  const exponents = new Int32Array(from.length);
  for (let i = 0; i < from.length; i++) [mantissas[i], exponents[i]] = parts(from[i]!);
  const { backend } = x.storage;
  const exponent = Tensor.of(exponents, 'int32', x.shape, backend);
  const mantissa = Tensor.of(mantissas, 'float64', x.shape, backend).to(x.dtype);
  record('frexp', [x], mantissa, (g, ctx) => [mul(g, pow(2, ctx.saved[0]!.neg().to(g.dtype)))], [exponent]);
  return { mantissa, exponent };
});

function parts(v: number): [mantissa: number, exponent: number] {
  if (v === 0 || !Number.isFinite(v)) return [v, 0];
  // Subnormal numbers are scaled to normal ones first.
  if (Math.abs(v) < 2 ** -1022) {
    const [mantissa, exponent] = parts(v * 2 ** 54);
    return [mantissa, exponent - 54];
  }
  const exponent = Math.floor(Math.log2(Math.abs(v))) + 1;
  // In two steps, because one power of 2 might overflow. The logarithm may be off by one next to powers of 2.
  const half = Math.trunc(exponent / 2);
  const mantissa = v / 2 ** half / 2 ** (exponent - half);
  if (Math.abs(mantissa) >= 1) return [mantissa / 2, exponent + 1];
  return Math.abs(mantissa) < 0.5 ? [mantissa * 2, exponent - 1] : [mantissa, exponent];
}

/**
 * `x * 2 ** exponent`, with broadcasting; the result is floating point.
 *
 * ```ts
 * ldexp(tensor([0.75, -0.5]), tensor([3, 1])); // [6, -1]
 * ```
 */
export const ldexp = /* @__PURE__ */ madeOf('ldexp', (x: Tensor, exponent: TensorLike): Tensor => {
  const e = Tensor.is(exponent) ? exponent : to(toTensor('ldexp', exponent, x), 'float32');
  return mul(isFloat(x.dtype) ? x : to(x, 'float32'), pow(2, e));
});

/**
 * The next float32 or float64 number from each element of `x` towards `other`, with broadcasting. It has no gradient.
 *
 * ```ts
 * nextafter(tensor([1], { dtype: 'float64' }), tensor([2], { dtype: 'float64' })).sub(1); // [2.22e-16]
 * ```
 */
export const nextafter = /* @__PURE__ */ named('nextafter', (x: Tensor, other: Tensor): Tensor => {
  checkTensors('nextafter', x, other);
  const { dtype } = x;
  if ((dtype !== 'float32' && dtype !== 'float64') || other.dtype !== dtype)
    throw new DTypeError('nextafter', `takes two float32 or two float64 tensors, got ${dtype} and ${other.dtype}`);
  const shape = broadcastShapes('nextafter', x.shape, other.shape);
  const numbers = (t: Tensor) => elementsOf(expand(t.detach(), shape), 'nextafter');
  const [a, b] = [numbers(x), numbers(other)];
  const step = dtype === 'float32' ? nextOfFloat32 : nextOfFloat64;
  const out = dtype === 'float32' ? new Float32Array(a.length) : new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = step(a[i]!, b[i]!);
  return Tensor.of(out, dtype, shape, x.storage.backend);
});

const bits = new DataView(new ArrayBuffer(8));

// Numbers of one sign are ordered as their bits are.
function nextOfFloat32(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  if (a === b) return b;
  if (a === 0) return Math.sign(b) * 2 ** -149;
  bits.setFloat32(0, a);
  bits.setInt32(0, bits.getInt32(0) + (b > a === a > 0 ? 1 : -1));
  return bits.getFloat32(0);
}

function nextOfFloat64(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  if (a === b) return b;
  if (a === 0) return Math.sign(b) * Number.MIN_VALUE;
  bits.setFloat64(0, a);
  bits.setBigInt64(0, bits.getBigInt64(0) + (b > a === a > 0 ? 1n : -1n));
  return bits.getFloat64(0);
}
