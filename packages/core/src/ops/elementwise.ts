import { kernelsOf } from '../backend/backends.js';
import type { BinaryLoop } from '../backend/functions.js';
import * as loops from '../backend/host/loops.js';
import { check } from '../check.js';
import { DTypeError, named } from '../errors.js';
import { record } from '../graph/node.js';
import { checkFits, isComplex, recordOf, toFloat } from '../memory/dtype.js';
import { broadcastShapes } from '../memory/shape.js';
import { checkTensors } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import { type InPlaceOf, type MethodsFrom, type MethodsOf, methods, Tensor } from '../tensor/tensor.js';
import {
  beside,
  binary,
  fusedGradient,
  type Gradient,
  promoted,
  scalarOf,
  type TensorLike,
  toTensor,
  unary,
  withInPlace,
  zerosFor,
} from './define.js';
import type * as self from './elementwise.js';
import { nonzeroCoordinates } from './nonzero.js';
import { sumTo } from './sum.js';

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
  saves: true,
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
  saves: true,
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
 * The natural logarithm of each element: -Infinity at 0, NaN below. The result has the shape of `x` and is floating point.
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

const larger = (a: number, b: number): number => (a > b || Number.isNaN(a) ? a : b);
const smaller = (a: number, b: number): number => (a < b || Number.isNaN(a) ? a : b);

/** The share of the gradient that `a` gets: none where `lost` is true, half where both are equal; at NaN both get all of it. */
const share = (g: Tensor, a: Tensor, b: Tensor, lost: (a: Tensor, b: Tensor) => Tensor): Tensor =>
  where(lost(a, b), 0, where(eq(a, b), mul(g, 0.5), g));

/**
 * The larger of `a` and `b`, NaN if either is; elementwise with broadcasting.
 *
 * ```ts
 * maximum(tensor([1, 5]), tensor([3, 2])); // [3, 5]
 * ```
 */
export const maximum = binary('maximum', {
  forward: larger,
  exact: (a, b) => (a > b ? a : b),
  backward: [(g, a, b) => share(g, a, b, lt), (g, a, b) => share(g, b, a, lt)],
  saves: true,
});

/**
 * The smaller of `a` and `b`, NaN if either is; elementwise with broadcasting.
 *
 * ```ts
 * minimum(tensor([1, 5]), 3); // [1, 3]
 * ```
 */
export const minimum = binary('minimum', {
  forward: smaller,
  exact: (a, b) => (a < b ? a : b),
  backward: [(g, a, b) => share(g, a, b, gt), (g, a, b) => share(g, b, a, gt)],
  saves: true,
});

/** Comparisons give bool tensors, which carry no gradient. */
const comparison = (name: string, forward: <T extends number | bigint>(a: T, b: T) => boolean, loop?: BinaryLoop) =>
  binary(name, { forward: forward as never, exact: forward, dtype: () => 'bool', loop });

/**
 * Whether `a` equals `b`, elementwise with broadcasting: bool. NaN equals nothing.
 *
 * ```ts
 * eq(tensor([1, 2]), 2); // [false, true]
 * ```
 */
export const eq = comparison('eq', (a, b) => a === b, loops.eq);
/**
 * Whether `a` differs from `b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * ne(tensor([1, 2]), 2); // [true, false]
 * ```
 */
export const ne = comparison('ne', (a, b) => a !== b, loops.ne);
/**
 * Whether `a < b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * lt(tensor([1, 2]), 2); // [true, false]
 * ```
 */
export const lt = comparison('lt', (a, b) => a < b, loops.lt);
/**
 * Whether `a <= b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * le(tensor([1, 2]), 2); // [true, true]
 * ```
 */
export const le = comparison('le', (a, b) => a <= b, loops.le);
/**
 * Whether `a > b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * gt(tensor([1, 2]), 1); // [false, true]
 * ```
 */
export const gt = comparison('gt', (a, b) => a > b, loops.gt);
/**
 * Whether `a >= b`, elementwise with broadcasting: bool.
 *
 * ```ts
 * ge(tensor([1, 2]), 2); // [false, true]
 * ```
 */
export const ge = comparison('ge', (a, b) => a >= b, loops.ge);

/**
 * The elements of `a` where `condition` is true, those of `b` elsewhere. All three broadcast. With `condition` alone, of any dtype, the
 * coordinates of what is not 0: an index for each dimension, to be used as `x.at(...where(condition))`.
 *
 * ```ts
 * where(tensor([true, false]), tensor([1, 2]), 0); // [1, 0]
 * where(tensor([[0, 5], [7, 0]])); // [[0, 1], [1, 0]]
 * ```
 */
export function where(condition: Tensor): Tensor[];
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor;
export function where(condition: Tensor, a?: any, b?: any): any {
  checkTensors('where', condition);
  // biome-ignore lint/complexity/noArguments: `a` may be undefined by mistake.
  if (arguments.length === 1) return nonzeroCoordinates('where', condition);
  if (condition.dtype !== 'bool')
    throw new DTypeError(
      'where',
      `the condition must be a bool tensor, got ${condition.dtype}; compare first, e.g. with ne(0)`,
    );
  let x = beside('where', toTensor('where', a, b), condition);
  let y = beside('where', toTensor('where', b, a), condition);
  if (x.storage.backend !== y.storage.backend) [x, y] = [beside('where', x, y), beside('where', y, x)];
  const dtype = promoted(a, b, x, y);
  const shape = broadcastShapes('where', condition.shape, broadcastShapes('where', x.shape, y.shape));
  const out = Tensor.uninitialized(dtype, shape, condition.storage.backend);
  kernelsOf('where', condition, x, y).where(condition, x, y, out);
  const shapeX = x.shape;
  const shapeY = y.shape;
  return record(
    'where',
    [x, y],
    out,
    (g, ctx) => [
      ctx.needs(0) ? sumTo(where(ctx.saved[0]!, g, 0), shapeX) : null,
      ctx.needs(1) ? sumTo(where(ctx.saved[0]!, 0, g), shapeY) : null,
    ],
    [condition],
  );
}

/**
 * `x` with `value` wherever `mask` is true.
 *
 * ```ts
 * maskedFill(tensor([1, 2]), tensor([true, false]), 0); // [0, 2]
 * ```
 */
export const maskedFill = /* @__PURE__ */ named('maskedFill', (x: Tensor, mask: Tensor, value: number): Tensor => {
  checkTensors('maskedFill', x, mask);
  check('maskedFill', 'value', value, is.either(is.number, is.boolean));
  checkFits('maskedFill', Number(value), x.dtype);
  return where(mask, scalarOf(x.dtype, value, x.storage.backend), x);
});

const plain = { maximum, minimum, eq, ne, lt, le, gt, ge };
methods(plain);

const withForms = { neg, exp, log, sqrt, abs, sign, tanh, sigmoid, relu, mul, maskedFill };
methods(withInPlace(withForms));

const own = {
  /** This tensor's elements where `condition` is true, `other`'s elsewhere. */
  where: (x: Tensor, condition: Tensor, other: TensorLike): Tensor => where(condition, x, other),
};
methods(own);

declare module '../tensor/tensor.js' {
  interface Tensor
    extends MethodsFrom<typeof self, typeof plain & typeof withForms>,
      InPlaceOf<typeof withForms>,
      MethodsOf<typeof own> {}
}
