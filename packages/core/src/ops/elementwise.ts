import { inPlace } from '../autograd/inplace.js';
import { type Backward, record } from '../autograd/node.js';
import type { Backend } from '../backend/backend.js';
import { kernelsOf } from '../backend/backends.js';
import { closeWindows } from '../backend/host/storage.js';
import { show } from '../check.js';
import { DTypeError } from '../errors.js';
import { map, map2 } from '../kernels/elementwise.js';
import { type Exact1, type Exact2, mapExact, mapExact2 } from '../kernels/int64.js';
import type { Loop1, Loop2 } from '../kernels/loops.js';
import * as loops from '../kernels/loops.js';
import type { StreamKernel, StreamKernel2 } from '../kernels/stream.js';
import { checkTensors } from '../tensor/check.js';
import { checkFits, type DType, isFloat, toFloat } from '../tensor/dtype.js';
import { promote, promoteValue } from '../tensor/promote.js';
import { broadcastShapes, type Shape } from '../tensor/shape.js';
import { type InPlaceOf, type Method, type MethodsFrom, type MethodsOf, methods, Tensor } from '../tensor/tensor.js';
import type * as self from './elementwise.js';
import { absGradient, sigmoidGradient, sqrtGradient, squareGradient, tanhGradient, zerosFor } from './gradients.js';
import { sumTo } from './reduce.js';

/** A tensor, or a plain value that broadcasts. */
export type TensorLike = Tensor | number | boolean;

export interface UnaryRule {
  /** The value for one element, in float64. */
  readonly forward: (x: number) => number;
  /** The gradient of `x`, given that of the result `y`; both are as they were in the forward pass. */
  readonly backward: (g: Tensor, x: Tensor, y: Tensor) => Tensor;
  /** What the rule reads; nothing else is kept in memory. */
  readonly saves?: 'input' | 'result';
  /** Integers stay integers; otherwise they become float32. */
  readonly keepsIntegers?: boolean;
  /** What bool gives, float32 if it is left out; null refuses it. */
  readonly ofBool?: 'bool' | 'int64' | null;
  /** The value for integers of up to 32 bits, where that in float64 is not exact. */
  readonly integer?: (x: number) => number;
  /** The value for int64. */
  readonly exact?: Exact1;
  /** A faster loop over many elements. */
  readonly loop?: Loop1;
  /** A kernel for many float32 elements. */
  readonly kernel?: StreamKernel;
}

/** Applies a rule to a tensor. */
export function applyUnary(name: string, rule: UnaryRule, x: Tensor, backward = backwardOf(rule)): Tensor {
  checkTensors(name, x);
  const y = valueOf(name, rule, x);
  const { saves } = rule;
  const inputs = [x];
  return record(name, inputs, y, backward, saves === 'input' ? inputs : saves === 'result' ? [y] : undefined);
}

function valueOf(name: string, rule: UnaryRule, x: Tensor): Tensor {
  const { forward, keepsIntegers, ofBool, integer, exact, loop, kernel } = rule;
  if (isFloat(x.dtype)) return map(forward, x, x.dtype, loop, kernel);
  if (x.dtype === 'bool') {
    if (ofBool === null) throw new DTypeError(name, 'takes numbers, got bool; use .int() or .float()');
    return ofBool === 'int64' ? mapExact(exact!, x) : map(forward, x, ofBool ?? 'float32', loop);
  }
  if (!keepsIntegers) return map(forward, x, 'float32', loop);
  if (exact && x.dtype === 'int64') return mapExact(exact, x);
  return integer ? map(integer, x, x.dtype) : map(forward, x, x.dtype, loop);
}

// Made apart from the call: a closure made in it would keep its tensors alive.
function backwardOf({ backward, saves }: UnaryRule): Backward {
  if (saves === undefined) return (g) => [backward(g, g, g)];
  return (g, ctx) => {
    const saved = ctx.saved[0]!;
    return [backward(g, saved, saved)];
  };
}

/** Defines an elementwise operator of one tensor. */
export function unary(name: string, rule: UnaryRule): (x: Tensor) => Tensor {
  const backward = backwardOf(rule);
  return (x) => applyUnary(name, rule, x, backward);
}

/** The functions, and for each an in-place form `name_`. */
export function withInPlace(functions: Record<string, Method>): Record<string, Method> {
  const all: Record<string, Method> = { ...functions };
  for (const [name, fn] of Object.entries(functions))
    all[`${name}_`] = (self, ...args) => inPlace(`${name}_`, self, (x) => fn(x, ...args) as Tensor, args);
  return all;
}

interface BinaryRule {
  readonly forward: (a: number, b: number) => number;
  /** The gradients of `a` and `b` before they are summed to their shapes; called for those that are wanted. */
  readonly backward?: readonly [
    (g: Tensor, a: Tensor, b: Tensor) => Tensor,
    (g: Tensor, a: Tensor, b: Tensor) => Tensor,
  ];
  /** Whether the rule reads `a` and `b`. */
  readonly saves?: boolean;
  /** What to use instead, where bool is refused. */
  readonly noBool?: string;
  /** The result's dtype, from the dtype both sides are promoted to. */
  readonly dtype?: (promoted: DType) => DType;
  /** The value for integers of up to 32 bits, where that in float64 is not exact. */
  readonly integer?: (a: number, b: number) => number;
  /** The value for int64. */
  readonly exact?: Exact2;
  /** A faster loop over many elements. */
  readonly loop?: Loop2;
  /** A kernel for many float32 elements. */
  readonly kernel?: StreamKernel2;
}

/** A plain value as a tensor that takes part beside `other` without lifting its dtype. */
export function toTensor(op: string, value: TensorLike, other: TensorLike): Tensor {
  if (value instanceof Tensor) return value;
  if (typeof value !== 'number' && typeof value !== 'boolean')
    throw new TypeError(`${op}: expected a Tensor or a number, got ${show(value)}`);
  return scalarOf(scalarDType(value, other), value, other instanceof Tensor ? other.storage.backend : undefined);
}

/** A dtype that holds the value: float32 beside half types, which are computed in it. */
function scalarDType(value: number | boolean, other: TensorLike): DType {
  if (!(other instanceof Tensor)) return typeof value === 'boolean' ? 'bool' : 'float32';
  const { dtype } = other;
  if (isFloat(dtype)) return dtype === 'float64' ? dtype : 'float32';
  if (typeof value === 'boolean') return 'bool';
  if (!Number.isInteger(value)) return 'float32';
  return dtype !== 'int64' && value === (value | 0) ? 'int32' : Number.isSafeInteger(value) ? 'int64' : 'float64';
}

/** The dtype that the operands of an operator are promoted to, where `a` and `b` are what `toTensor` made of them. */
function promoted(left: TensorLike, right: TensorLike, a: Tensor, b: Tensor): DType {
  if (a.dtype === b.dtype) return a.dtype;
  if (!(left instanceof Tensor)) return right instanceof Tensor ? promoteValue(b.dtype, left) : 'float32';
  return right instanceof Tensor ? promote(a, b) : promoteValue(a.dtype, right);
}

/** A plain value as a tensor of this dtype. */
function scalarOf(dtype: DType, value: number | boolean, backend?: Backend): Tensor {
  const t = Tensor.unwritten(dtype, [], backend);
  t.storage.backend.kernels.fill(value, t);
  return t;
}

/** Defines an elementwise operator of two tensors that broadcast. */
export function binary(name: string, definition: BinaryRule) {
  const { forward, backward, saves = false, noBool, dtype, integer, exact, loop, kernel } = definition;
  const rule = backward && gradientsOf(backward, saves);
  return (left: TensorLike, right: TensorLike): Tensor => {
    const a = toTensor(name, left, right);
    const b = toTensor(name, right, left);
    if (noBool !== undefined && (a.dtype === 'bool' || b.dtype === 'bool'))
      throw new DTypeError(name, `takes numbers, got ${a.dtype} and ${b.dtype}; use ${noBool}`);
    const common = promoted(left, right, a, b);
    const shape = broadcastShapes(name, a.shape, b.shape);
    const result = dtype ? dtype(common) : common;
    const y =
      isFloat(common) || isFloat(result)
        ? map2(forward, a, b, shape, result, loop, kernel)
        : ofIntegers(a, b, shape, common, result);
    const inputs = [a, b];
    if (rule) return record(name, inputs, y, rule, saves ? inputs : undefined);
    closeWindows();
    return y;
  };

  function ofIntegers(a: Tensor, b: Tensor, shape: Shape, common: DType, result: DType): Tensor {
    if (common === 'bool' && result === 'bool') return map2((p, q) => (forward(p, q) ? 1 : 0), a, b, shape, 'bool');
    if (exact && (common === 'int64' || result === 'int64')) return mapExact2(exact, a, b, shape, result);
    return integer ? map2(integer, a, b, shape, result) : map2(forward, a, b, shape, result, loop);
  }
}

// One for all calls of an operator, as in `backwardOf`.
function gradientsOf([ofA, ofB]: NonNullable<BinaryRule['backward']>, saves: boolean): Backward {
  return (g, ctx) => {
    const saved = saves ? ctx.saved : null;
    const a = saved === null ? g : saved[0]!;
    const b = saved === null ? g : saved[1]!;
    return [
      ctx.needs(0) ? sumTo(ofA(g, a, b), ctx.inputShape(0)) : null,
      ctx.needs(1) ? sumTo(ofB(g, a, b), ctx.inputShape(1)) : null,
    ];
  };
}

/** `a + b`, with broadcasting. */
export const add = binary('add', {
  kernel: 'add',
  loop: loops.addLoop,
  forward: (a, b) => a + b,
  exact: (a, b) => a + b,
  backward: [(g) => g, (g) => g],
});

/** `a - b`, with broadcasting. */
export const sub = binary('sub', {
  kernel: 'sub',
  loop: loops.subLoop,
  forward: (a, b) => a - b,
  exact: (a, b) => a - b,
  backward: [(g) => g, (g) => neg(g)],
  noBool: 'logicalXor(), logicalNot(), or .int()',
});

/** `a * b`, with broadcasting. */
export const mul = binary('mul', {
  kernel: 'mul',
  loop: loops.mulLoop,
  forward: (a, b) => a * b,
  integer: Math.imul,
  exact: (a, b) => a * b,
  backward: [(g, _, b) => mul(g, b), (g, a) => mul(g, a)],
  saves: true,
});

/** `a / b` in floating point, with broadcasting. */
export const div = binary('div', {
  kernel: 'div',
  loop: loops.divLoop,
  forward: (a, b) => a / b,
  backward: [(g, _, b) => div(g, b), (g, a, b) => neg(mul(g, div(div(a, b), b)))],
  saves: true,
  dtype: toFloat,
});

/** `-x`. */
export const neg = unary('neg', {
  kernel: 'neg',
  loop: loops.negLoop,
  forward: (x) => -x,
  exact: (x) => -x,
  ofBool: null,
  backward: (g) => neg(g),
  keepsIntegers: true,
});

/** The natural exponential. */
export const exp = unary('exp', {
  kernel: 'exp',
  loop: loops.expLoop,
  forward: Math.exp,
  backward: (g, _, y) => mul(g, y),
  saves: 'result',
});

/** The natural logarithm. */
export const log = unary('log', {
  kernel: 'log',
  forward: Math.log,
  backward: (g, x) => div(g, x),
  saves: 'input',
});

/** The square root. */
export const sqrt = unary('sqrt', {
  kernel: 'sqrt',
  loop: loops.sqrtLoop,
  forward: Math.sqrt,
  backward: (g, _, y) => sqrtGradient(g, y),
  saves: 'result',
});

/** `x²`. */
export const square = unary('square', {
  kernel: 'square',
  loop: loops.squareLoop,
  forward: (x) => x * x,
  integer: (x) => Math.imul(x, x),
  exact: (x) => x * x,
  ofBool: 'int64',
  backward: (g, x) => squareGradient(g, x),
  saves: 'input',
  keepsIntegers: true,
});

/** The absolute value; its gradient is 0 at 0. */
export const abs = unary('abs', {
  kernel: 'abs',
  forward: Math.abs,
  exact: (x) => (x < 0n ? -x : x),
  ofBool: 'bool',
  backward: (g, x) => absGradient(g, x),
  saves: 'input',
  keepsIntegers: true,
});

/** -1, 0 or 1; 0 for NaN, as in PyTorch. */
export const sign = unary('sign', {
  forward: (x) => Number(x > 0) - Number(x < 0),
  exact: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  ofBool: 'bool',
  backward: zerosFor,
  keepsIntegers: true,
});

/** The hyperbolic tangent. */
export const tanh = unary('tanh', {
  kernel: 'tanh',
  forward: Math.tanh,
  backward: (g, _, y) => tanhGradient(g, y),
  saves: 'result',
});

/** `1 / (1 + exp(-x))`. */
export const sigmoid = unary('sigmoid', {
  kernel: 'sigmoid',
  forward: (x) => 1 / (1 + Math.exp(-x)),
  backward: (g, _, y) => sigmoidGradient(g, y),
  saves: 'result',
});

/** `max(x, 0)`; its gradient is 0 at 0, and passes where `x` is NaN. */
export const relu = unary('relu', {
  kernel: 'relu',
  loop: loops.reluLoop,
  forward: (x) => (x > 0 || Number.isNaN(x) ? x : 0),
  exact: (x) => (x > 0n ? x : 0n),
  ofBool: null,
  backward: (g, _, y) => reluGradient(g, y),
  saves: 'result',
  keepsIntegers: true,
});

const aboveZero = (g: number, y: number): number => (y <= 0 ? 0 : g);

/** `g` where `y` is not 0, in one pass; linear in `g`, which is all a second derivative needs. */
function reluGradient(g: Tensor, y: Tensor): Tensor {
  const out = map2(aboveZero, g, y, g.shape, g.dtype, loops.reluGradientLoop, 'reluGradient');
  return record('reluGradient', [g], out, reluGradientGradient, [y]);
}

const reluGradientGradient: Backward = (gg, ctx) => [reluGradient(gg, ctx.saved[0]!)];

const larger = (a: number, b: number): number => (a > b || Number.isNaN(a) ? a : b);
const smaller = (a: number, b: number): number => (a < b || Number.isNaN(a) ? a : b);

/** What of the gradient goes to `a`: nothing where `lost` says so, half of it where both are equal. Both get it at NaN. */
const share = (g: Tensor, a: Tensor, b: Tensor, lost: (a: Tensor, b: Tensor) => Tensor): Tensor =>
  where(lost(a, b), 0, where(eq(a, b), mul(g, 0.5), g));

/** The larger of `a` and `b`, with broadcasting; NaN if either is. */
export const maximum = binary('maximum', {
  kernel: 'maximum',
  forward: larger,
  exact: (a, b) => (a > b ? a : b),
  backward: [(g, a, b) => share(g, a, b, lt), (g, a, b) => share(g, b, a, lt)],
  saves: true,
});

/** The smaller of `a` and `b`, with broadcasting; NaN if either is. */
export const minimum = binary('minimum', {
  kernel: 'minimum',
  forward: smaller,
  exact: (a, b) => (a < b ? a : b),
  backward: [(g, a, b) => share(g, a, b, gt), (g, a, b) => share(g, b, a, gt)],
  saves: true,
});

/** Comparisons give bool tensors, which carry no gradient. */
const comparison = (name: string, forward: <T extends number | bigint>(a: T, b: T) => boolean, loop?: Loop2) =>
  binary(name, { forward: forward as never, exact: forward, dtype: () => 'bool', loop });

export const eq = comparison('eq', (a, b) => a === b, loops.eqLoop);
export const ne = comparison('ne', (a, b) => a !== b, loops.neLoop);
export const lt = comparison('lt', (a, b) => a < b, loops.ltLoop);
export const le = comparison('le', (a, b) => a <= b, loops.leLoop);
export const gt = comparison('gt', (a, b) => a > b, loops.gtLoop);
export const ge = comparison('ge', (a, b) => a >= b, loops.geLoop);

const floatOnly = (op: string, x: Tensor): void => {
  if (!isFloat(x.dtype)) throw new DTypeError(op, `takes floating point tensors, got ${x.dtype}; use .float()`);
};

/** The elements of `a` where `condition` holds, those of `b` elsewhere; all three broadcast. */
export function where(condition: Tensor, a: TensorLike, b: TensorLike): Tensor {
  checkTensors('where', condition);
  if (condition.dtype !== 'bool')
    throw new DTypeError(
      'where',
      `the condition is a bool tensor, got ${condition.dtype}; compare first, e.g. with ne(0)`,
    );
  const x = toTensor('where', a, b);
  const y = toTensor('where', b, a);
  const dtype = promoted(a, b, x, y);
  const shape = broadcastShapes('where', condition.shape, broadcastShapes('where', x.shape, y.shape));
  const out = Tensor.unwritten(dtype, shape, condition.storage.backend);
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

/** `x` with `value` wherever `mask` holds. */
export function maskedFill(x: Tensor, mask: Tensor, value: number): Tensor {
  checkTensors('maskedFill', x, mask);
  checkFits('maskedFill', value, x.dtype);
  return where(mask, scalarOf(x.dtype, value, x.storage.backend), x);
}

const plain = { maximum, minimum, eq, ne, lt, le, gt, ge };
methods(plain);

const withForms = { neg, exp, log, sqrt, square, abs, sign, tanh, sigmoid, relu, add, sub, mul, div, maskedFill };
methods(withInPlace(withForms));

const own = {
  /** This tensor's elements where `condition` holds, `other`'s elsewhere. */
  where: (x: Tensor, condition: Tensor, other: TensorLike): Tensor => where(condition, x, other),
};
methods(own);

export { floatOnly };

declare module '../tensor/tensor.js' {
  interface Tensor
    extends MethodsFrom<typeof self, typeof plain & typeof withForms>,
      InPlaceOf<typeof withForms>,
      MethodsOf<typeof own> {}
}
