import type { TypedArray } from '../../memory/dtype.js';
import type { BinaryLoop, UnaryLoop } from '../functions.js';

// Loops for the functions that take most of the time of most programs. All others go through one loop that calls the
// function for each element.

/** Hot loops have a float32-only copy: V8 specializes a loop on the array types that it has seen. */
const areFloat32 = (out: TypedArray, a: TypedArray, b: TypedArray = a): boolean =>
  out instanceof Float32Array && a instanceof Float32Array && b instanceof Float32Array;

export const add: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  const end = i + count;
  if (areFloat32(out, a, b)) for (; i < end; i++, p += s, q += t) out[i] = a[p]! + b[q]!;
  else for (; i < end; i++, p += s, q += t) out[i] = a[p]! + b[q]!;
};

export const sub: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  const end = i + count;
  if (areFloat32(out, a, b)) for (; i < end; i++, p += s, q += t) out[i] = a[p]! - b[q]!;
  else for (; i < end; i++, p += s, q += t) out[i] = a[p]! - b[q]!;
};

export const mul: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  const end = i + count;
  if (areFloat32(out, a, b)) for (; i < end; i++, p += s, q += t) out[i] = a[p]! * b[q]!;
  else for (; i < end; i++, p += s, q += t) out[i] = a[p]! * b[q]!;
};

export const div: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  const end = i + count;
  if (areFloat32(out, a, b)) for (; i < end; i++, p += s, q += t) out[i] = a[p]! / b[q]!;
  else for (; i < end; i++, p += s, q += t) out[i] = a[p]! / b[q]!;
};

export const reluGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  const end = i + count;
  if (areFloat32(out, a, b)) for (; i < end; i++, p += s, q += t) out[i] = b[q]! <= 0 ? 0 : a[p]!;
  else for (; i < end; i++, p += s, q += t) out[i] = b[q]! <= 0 ? 0 : a[p]!;
};

export const relu: UnaryLoop = (out, count, x, p) => {
  if (areFloat32(out, x)) for (let i = 0; i < count; i++, p++) out[i] = Math.max(x[p]!, 0);
  else for (let i = 0; i < count; i++, p++) out[i] = Math.max(x[p]!, 0);
};

// Branch-free comparisons: the branch would be unpredictable.

export const gt: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = Number(a[p]! > b[q]!);
};

export const eq: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = Number(a[p]! === b[q]!);
};

export const ge: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = Number(a[p]! >= b[q]!);
};

export const lt: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = Number(a[p]! < b[q]!);
};

export const le: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = Number(a[p]! <= b[q]!);
};

export const ne: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = Number(a[p]! !== b[q]!);
};

/** NaN counts as equal to NaN. */
export const same: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) {
    const x = a[p]!;
    const y = b[q]!;
    out[i] = Number(x === y) | (Number(Number.isNaN(x)) & Number(Number.isNaN(y)));
  }
};

export const neg: UnaryLoop = (out, count, x, p) => {
  for (let i = 0; i < count; i++, p++) out[i] = -x[p]!;
};

export const square: UnaryLoop = (out, count, x, p) => {
  for (let i = 0; i < count; i++, p++) out[i] = x[p]! * x[p]!;
};

export const sqrt: UnaryLoop = (out, count, x, p) => {
  for (let i = 0; i < count; i++, p++) out[i] = Math.sqrt(x[p]!);
};

export const exp: UnaryLoop = (out, count, x, p) => {
  for (let i = 0; i < count; i++, p++) out[i] = Math.exp(x[p]!);
};

// Gradients: `a` is the gradient of the result, `b` the operand or the result.

export const tanhGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = a[p]! * (1 - b[q]! * b[q]!);
};

export const sigmoidGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = a[p]! * b[q]! * (1 - b[q]!);
};

export const siluGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) {
    const sigmoid = 1 / (1 + Math.exp(-b[q]!));
    out[i] = a[p]! * sigmoid * (1 + b[q]! * (1 - sigmoid));
  }
};

export const squareGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = 2 * a[p]! * b[q]!;
};

export const absGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = a[p]! * (b[q]! > 0 ? 1 : b[q]! < 0 ? -1 : 0);
};

export const sqrtGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = a[p]! / (2 * b[q]!);
};

export const rsqrtGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = -0.5 * a[p]! * b[q]! * b[q]! * b[q]!;
};

export const reciprocalGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = -a[p]! * b[q]! * b[q]!;
};

// Functions with parameters.

export const clamp: UnaryLoop = (out, count, x, p, low, high) => {
  for (let i = 0; i < count; i++, p++) {
    const v = x[p]!;
    out[i] = v < low ? Math.min(low, high) : v > high ? high : v;
  }
};

export const clampGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t, low, high) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = b[q]! >= low && b[q]! <= high ? a[p]! : 0;
};

export const hardtanhGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t, low, high) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = b[q]! <= low || b[q]! >= high ? 0 : a[p]!;
};

export const elu: UnaryLoop = (out, count, x, p, alpha) => {
  for (let i = 0; i < count; i++, p++) out[i] = x[p]! > 0 ? x[p]! : alpha * Math.expm1(x[p]!);
};

export const eluGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t, alpha) => {
  for (const end = i + count; i < end; i++, p += s, q += t)
    out[i] = b[q]! > 0 ? a[p]! : a[p]! * alpha * Math.exp(b[q]!);
};

export const leakyRelu: UnaryLoop = (out, count, x, p, slope) => {
  for (let i = 0; i < count; i++, p++) out[i] = x[p]! > 0 ? x[p]! : x[p]! * slope;
};

export const leakyReluGradient: BinaryLoop = (out, i, count, a, p, s, b, q, t, slope) => {
  for (const end = i + count; i < end; i++, p += s, q += t) out[i] = b[q]! > 0 ? a[p]! : a[p]! * slope;
};
