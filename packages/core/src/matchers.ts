import { check, checkOptions, type Schema, show } from './check.js';
import { arrayOf, nonNegative, size } from './kinds.js';
import type { TypedArray } from './memory/dtype.js';
import { formatShape, sameShape } from './memory/shape.js';
import type { NestedArray } from './tensor/elements.js';
import { isSameValue } from './tensor/equality.js';
import { Tensor } from './tensor/tensor.js';
import { tensor } from './tensor/values.js';

// Matchers for Vitest and Jest: `import * as matchers from '@gradgate/core/matchers'; expect.extend(matchers)`.

/** What a matcher gives to the test runner. */
export interface MatcherResult {
  /** Whether it holds. */
  readonly pass: boolean;
  /** What a failing test prints. */
  readonly message: () => string;
}

/** How far elements may be apart: by `atol + rtol * |expected|`. */
export interface Tolerance {
  /** The difference that is allowed for each unit of the expected value. */
  rtol?: number;
  /** The absolute difference that is allowed. */
  atol?: number;
}

/** For the types of `expect`: `declare module 'vitest' { interface Matchers<T> extends TensorMatchers<T> {} }`. */
export interface TensorMatchers<R = unknown> {
  /** See `toBeCloseToTensor`. */
  toBeCloseToTensor(expected: Tensor | NestedArray | TypedArray, tolerance?: Tolerance): R;
  /** See `toEqualTensor`. */
  toEqualTensor(expected: Tensor | NestedArray | TypedArray): R;
  /** See `toHaveShape`. */
  toHaveShape(shape: readonly number[]): R;
}

const toleranceOptions: Schema<Tolerance> = { rtol: nonNegative, atol: nonNegative };

/** As PyTorch's `assert_close`: what is right to the last digits of a dtype is close. */
const defaults: Record<string, Required<Tolerance>> = {
  float32: { rtol: 1.3e-6, atol: 1e-5 },
  float64: { rtol: 1e-7, atol: 1e-7 },
};

function checkReceived(op: string, received: unknown): asserts received is Tensor {
  if (!Tensor.is(received)) throw new TypeError(`${op}: expect() takes a Tensor here, got ${show(received)}`);
}

/** What is expected may be written as nested arrays: then it has the dtype of what there is. */
const expectedTensor = (expected: unknown, { dtype }: Tensor): Tensor =>
  Tensor.is(expected) ? expected : tensor(expected as NestedArray, { dtype });

/** What differs before any element does, or null. */
function differsAsAWhole(t: Tensor, expected: Tensor): string | null {
  if (!sameShape(t.shape, expected.shape))
    return `expected a tensor of shape ${formatShape(expected.shape)}, got ${formatShape(t.shape)}`;
  return t.dtype === expected.dtype ? null : `expected a ${expected.dtype} tensor, got ${t.dtype}`;
}

/** Where the element `index` of a shape is, in words. */
function placeOf(index: number, shape: readonly number[]): string {
  const at = shape.map((_, d) => Math.floor(index / shape.slice(d + 1).reduce((a, b) => a * b, 1)) % shape[d]!);
  return formatShape(at);
}

function compare(op: string, t: Tensor, expected: Tensor, isClose: (a: number, b: number) => boolean): MatcherResult {
  const whole = differsAsAWhole(t, expected);
  if (whole !== null) return { pass: false, message: () => `${op}: ${whole}` };
  const [x, y] = [t.toTypedArray(), expected.toTypedArray()];
  let different = 0;
  let worst = -1;
  let furthest = -1;
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [Number(x[i]), Number(y[i])];
    if (isClose(a, b)) continue;
    different++;
    // NaN beside a number is as far as can be.
    const far = Math.abs(a - b);
    const distance = Number.isNaN(far) ? Number.POSITIVE_INFINITY : far;
    if (distance > furthest) [worst, furthest] = [i, distance];
  }
  if (different === 0) return { pass: true, message: () => `${op}: expected another tensor than\n${expected}` };
  const message = () =>
    `${op}: ${different} of ${x.length} elements differ, most at ${placeOf(worst, t.shape)}: expected ${y[worst]}, got ` +
    `${x[worst]}\n\nexpected: ${expected}\nreceived: ${t}`;
  return { pass: false, message };
}

/**
 * Passes if shape and dtype are the same and each element is within `atol + rtol * |expected|` of the expected one; NaN
 * is close to NaN. By default as near as the dtype can tell, as PyTorch's `assert_close`; integers and booleans are
 * equal.
 */
export function toBeCloseToTensor(
  received: unknown,
  expected: Tensor | NestedArray | TypedArray,
  tolerance?: Tolerance,
): MatcherResult {
  checkReceived('toBeCloseToTensor', received);
  const want = expectedTensor(expected, received);
  const usual = defaults[received.dtype] ?? { rtol: 0, atol: 0 };
  const { rtol = usual.rtol, atol = usual.atol } = checkOptions('toBeCloseToTensor', tolerance, toleranceOptions);
  return compare('toBeCloseToTensor', received, want, (a, b) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b);
    return a === b || Math.abs(a - b) <= (Number.isFinite(b) ? atol + rtol * Math.abs(b) : -1);
  });
}

/** Passes if shape, dtype and all elements are the same, as `toEqual` has it: NaN is NaN, and 0 is not -0. */
export function toEqualTensor(received: unknown, expected: Tensor | NestedArray | TypedArray): MatcherResult {
  checkReceived('toEqualTensor', received);
  const want = expectedTensor(expected, received);
  const result = compare('toEqualTensor', received, want, Object.is);
  return { ...result, pass: isSameValue(received, want) };
}

/** Passes if the tensor has this shape. */
export function toHaveShape(received: unknown, shape: readonly number[]): MatcherResult {
  checkReceived('toHaveShape', received);
  check('toHaveShape', 'the shape', shape, arrayOf(size));
  const pass = sameShape(received.shape, shape);
  const [want, got] = [formatShape(shape), formatShape(received.shape)];
  return {
    pass,
    message: () => `toHaveShape: expected ${pass ? 'another shape than' : 'a tensor of shape'} ${want}, got ${got}`,
  };
}
