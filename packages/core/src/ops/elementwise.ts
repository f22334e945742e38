import * as loops from '../backend/host/loops.js';
import { record } from '../graph/node.js';
import { isComplex, recordOf, toFloat } from '../memory/dtype.js';
import { type InPlaceOf, type MethodsFrom, methods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { binary, fusedGradient, type Gradient, unary, withInPlace, zerosFor } from './define.js';
import type * as self from './elementwise.js';

/**
 * `a + b`, elementwise with broadcasting; dtypes promote as in PyTorch.
 *
 * ```ts
 * add(tensor([1, 2]), 10); // [11, 12]
 * ```
 */
export const add = binary('add', {
  loop: loops.add,
  forward: (a, b) => a + b,
  exact: (a, b) => a + b,
  backward: [(g) => g, (g) => g],
});

/**
 * `a - b`, elementwise with broadcasting; dtypes promote as in PyTorch.
 *
 * ```ts
 * sub(tensor([1, 2]), tensor([3, 5])); // [-2, -3]
 * ```
 */
export const sub = binary('sub', {
  loop: loops.sub,
  forward: (a, b) => a - b,
  exact: (a, b) => a - b,
  backward: [(g) => g, (g) => neg(g)],
  noBool: 'logicalXor(), logicalNot(), or .int()',
});

/**
 * `a * b`, elementwise with broadcasting; dtypes promote as in PyTorch.
 *
 * ```ts
 * mul(tensor([[1], [2]]), tensor([3, 4])); // [[3, 4], [6, 8]]
 * ```
 */
export const mul = binary('mul', {
  loop: loops.mul,
  forward: (a, b) => a * b,
  integer: Math.imul,
  exact: (a, b) => a * b,
  backward: [(g, _, b) => mul(g, b), (g, a) => mul(g, a)],
  saves: 'other',
});

/**
 * `a / b`, elementwise with broadcasting. The result is floating point, also for integers.
 *
 * ```ts
 * div(tensor([1, 2], { dtype: 'int32' }), 2); // [0.5, 1]
 * ```
 */
export const div = binary('div', {
  loop: loops.div,
  forward: (a, b) => a / b,
  backward: [(g, _, b) => div(g, b), (g, a, b) => neg(mul(g, div(div(a, b), b)))],
  saves: 'b',
  dtype: toFloat,
});

/**
 * `-x` of each element. The result has the shape of `x`.
 *
 * ```ts
 * neg(tensor([1, -2])); // [-1, 2]
 * ```
 */
export const neg = unary('neg', {
  loop: loops.neg,
  forward: (x) => -x,
  exact: (x) => -x,
  ofBool: null,
  backward: (g) => neg(g),
  keepsIntegers: true,
});

/**
 * `e ** x` of each element. The result has the shape of `x` and is floating point.
 *
 * ```ts
 * exp(tensor([0, 1])); // [1, 2.718]
 * ```
 */
export const exp = unary('exp', {
  loop: loops.exp,
  forward: Math.exp,
  backward: (g, _, y) => mul(g, y),
  saves: 'result',
});

/**
 * The natural logarithm of each element: -Infinity at 0, NaN below. The result has the shape of `x` and is floating
 * point.
 *
 * ```ts
 * log(tensor([1, Math.E])); // [0, 1]
 * ```
 */
export const log = unary('log', {
  forward: Math.log,
  backward: (g, x) => div(g, x),
  saves: 'input',
});

/**
 * The square root of each element, NaN below 0. The result has the shape of `x` and is floating point.
 *
 * ```ts
 * sqrt(tensor([4, 9])); // [2, 3]
 * ```
 */
export const sqrt = unary('sqrt', {
  loop: loops.sqrt,
  forward: Math.sqrt,
  backward: (g, _, y) => sqrtGradient(g, y),
  saves: 'result',
});

const sqrtGradient = fusedGradient('sqrtGradient', {
  forward: (g, y) => g / (2 * y),
  loop: loops.sqrtGradient,
  recorded: (g, y) => div(g, mul(y, 2)),
});

/**
 * The absolute value of each element; its gradient is 0 at 0. The result has the shape of `x`.
 *
 * ```ts
 * abs(tensor([2, -3])); // [2, 3]
 * ```
 */
export const abs = (x: Tensor): Tensor =>
  Tensor.is(x) && isComplex(x.dtype) ? recordOf(x.dtype).complex!.abs(x) : absOfReal(x);

const absOfReal = unary('abs', {
  forward: Math.abs,
  exact: (x) => (x < 0n ? -x : x),
  ofBool: 'bool',
  backward: (g, x) => absGradient(g, x),
  saves: 'input',
  keepsIntegers: true,
});

const absGradient = fusedGradient('absGradient', {
  forward: (g, x) => g * (x > 0 ? 1 : x < 0 ? -1 : 0),
  loop: loops.absGradient,
  recorded: (g, x) => mul(g, sign(x)),
});

/**
 * -1, 0 or 1 for each element, 0 for NaN, as in PyTorch; the gradient is 0. The result has the shape of `x`.
 *
 * ```ts
 * sign(tensor([2, -3, 0])); // [1, -1, 0]
 * ```
 */
export const sign = unary('sign', {
  forward: (x) => Number(x > 0) - Number(x < 0),
  exact: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  ofBool: 'bool',
  backward: zerosFor,
  keepsIntegers: true,
});

/**
 * The hyperbolic tangent of each element. The result has the shape of `x` and is floating point.
 *
 * ```ts
 * tanh(tensor([0, 1])); // [0, 0.7616]
 * ```
 */
export const tanh = unary('tanh', {
  forward: Math.tanh,
  backward: (g, _, y) => tanhGradient(g, y),
  saves: 'result',
});

const tanhGradient = fusedGradient('tanhGradient', {
  forward: (g, y) => g * (1 - y * y),
  loop: loops.tanhGradient,
  recorded: (g, y) => mul(g, sub(1, mul(y, y))),
});

/**
 * `1 / (1 + exp(-x))` of each element. The result has the shape of `x` and is floating point.
 *
 * ```ts
 * sigmoid(tensor([0, 2])); // [0.5, 0.8808]
 * ```
 */
export const sigmoid = unary('sigmoid', {
  forward: (x) => 1 / (1 + Math.exp(-x)),
  backward: (g, _, y) => sigmoidGradient(g, y),
  saves: 'result',
});

const sigmoidGradient = fusedGradient('sigmoidGradient', {
  forward: (g, y) => g * y * (1 - y),
  loop: loops.sigmoidGradient,
  recorded: (g, y) => mul(g, mul(y, sub(1, y))),
});

/**
 * `max(x, 0)` of each element; its gradient is 0 at 0, and passes where `x` is NaN. The result has the shape of `x`.
 *
 * ```ts
 * relu(tensor([-1, 2])); // [0, 2]
 * ```
 */
export const relu = unary('relu', {
  loop: loops.relu,
  forward: (x) => (x > 0 || Number.isNaN(x) ? x : 0),
  exact: (x) => (x > 0n ? x : 0n),
  ofBool: null,
  backward: (g, _, y) => reluGradient(g, y),
  saves: 'result',
  keepsIntegers: true,
});

/** `g` where `y` is not 0. It is linear in `g`, which is all that a second derivative needs. */
const reluGradient: Gradient = fusedGradient('reluGradient', {
  forward: (g, y) => (y <= 0 ? 0 : g),
  loop: loops.reluGradient,
  recorded: (g, y, _, fused) =>
    record('reluGradient', [g], fused(g, y), (gg, ctx) => [reluGradient(gg, ctx.saved[0]!)], [y]),
});

const withForms = { neg, exp, log, sqrt, abs, sign, tanh, sigmoid, relu, mul };
methods(withInPlace(withForms));

declare module '../tensor/tensor.js' {
  interface Tensor extends MethodsFrom<typeof self, typeof withForms>, InPlaceOf<typeof withForms> {}
}
