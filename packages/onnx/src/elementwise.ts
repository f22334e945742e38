import { type DType, promoteTypes, TensorError, type View } from '@gradgate/core';
import type { Value } from './proto.js';
import type { Trace } from './trace.js';

/** Adds the nodes of an elementwise function, whose operands have the dtype of the result. */
type Unary = (t: Trace, x: Value, parameters: readonly number[]) => Value;
type Binary = (t: Trace, a: Value, b: Value, out: View) => Value;

/** A single operator of ONNX. */
const plain =
  (op: string): Unary =>
  (t, x) =>
    t.node(op, [x], x);

const withNumber =
  (op: string, number: number): Unary =>
  (t, x) =>
    t.node(op, [x, t.scalar(number, x.dtype)], x);

const scaled =
  (of: Unary, factor: number): Unary =>
  (t, x, p) =>
    withNumber('Mul', factor)(t, of(t, x, p), p);

const softplus: Unary = (t, x, [beta = 1, threshold = 20]) => {
  const product = beta === 1 ? x : withNumber('Mul', beta)(t, x, []);
  const smooth = t.node('Softplus', [product], x);
  const large = t.node('Greater', [product, t.scalar(threshold, x.dtype)], { dtype: 'bool', shape: x.shape });
  return t.node('Where', [large, x, beta === 1 ? smooth : withNumber('Div', beta)(t, smooth, [])], x);
};

/** By the name of core's function. */
const unary: Readonly<Record<string, Unary>> = {
  neg: plain('Neg'),
  abs: plain('Abs'),
  sign: plain('Sign'),
  exp: plain('Exp'),
  log: plain('Log'),
  sqrt: plain('Sqrt'),
  reciprocal: plain('Reciprocal'),
  rsqrt: (t, x) => t.node('Reciprocal', [t.node('Sqrt', [x], x)], x),
  square: (t, x) => t.node('Mul', [x, x], x),
  pow: (t, x, [exponent]) => t.node('Pow', [x, t.scalar(exponent!, x.dtype)], x),
  exp2: (t, x) => t.node('Pow', [t.scalar(2, x.dtype), x], x),
  log2: scaled(plain('Log'), 1 / Math.LN2),
  log10: scaled(plain('Log'), 1 / Math.LN10),
  log1p: (t, x) => t.node('Log', [withNumber('Add', 1)(t, x, [])], x),
  expm1: (t, x) => withNumber('Sub', 1)(t, t.node('Exp', [x], x), []),
  sin: plain('Sin'),
  cos: plain('Cos'),
  tan: plain('Tan'),
  asin: plain('Asin'),
  acos: plain('Acos'),
  atan: plain('Atan'),
  sinh: plain('Sinh'),
  cosh: plain('Cosh'),
  asinh: plain('Asinh'),
  acosh: plain('Acosh'),
  atanh: plain('Atanh'),
  floor: plain('Floor'),
  ceil: plain('Ceil'),
  round: plain('Round'),
  trunc: (t, x) => t.node('Mul', [t.node('Sign', [x], x), t.node('Floor', [t.node('Abs', [x], x)], x)], x),
  erf: plain('Erf'),
  erfc: (t, x) => t.node('Sub', [t.scalar(1, x.dtype), t.node('Erf', [x], x)], x),
  sigmoid: plain('Sigmoid'),
  tanh: plain('Tanh'),
  relu: plain('Relu'),
  silu: (t, x) => t.node('Mul', [x, t.node('Sigmoid', [x], x)], x),
  logSigmoid: (t, x) => t.node('Neg', [t.node('Softplus', [t.node('Neg', [x], x)], x)], x),
  gelu: plain('Gelu'),
  softplus,
  elu: (t, x, [alpha]) => t.node('Elu', [x], x, { alpha: { float: alpha! } }),
  leakyRelu: (t, x, [slope]) => t.node('LeakyRelu', [x], x, { alpha: { float: slope! } }),
  hardsigmoid: (t, x) => t.node('HardSigmoid', [x], x, { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  hardswish: plain('HardSwish'),
  clamp: (t, x, [low, high]) => t.node('Clip', [x, bound(t, low!, x.dtype), bound(t, high!, x.dtype)], x),
  softshrink: (t, x, [lambda]) => t.node('Shrink', [x], x, { lambd: { float: lambda! }, bias: { float: lambda! } }),
  hardshrink: (t, x, [lambda]) => t.node('Shrink', [x], x, { lambd: { float: lambda! } }),
};

/** A limit of clip; null if it is infinite. */
const bound = (t: Trace, value: number, dtype: DType): Value | null =>
  Number.isFinite(value) ? t.scalar(value, dtype) : null;

const both =
  (op: string, attributes = {}): Binary =>
  (t, a, b, out) =>
    t.node(op, [a, b], out, attributes);

const not =
  (op: string): Binary =>
  (t, a, b, out) =>
    t.node('Not', [t.node(op, [a, b], out)], out);

const arithmetic: Readonly<Record<string, Binary>> = {
  add: both('Add'),
  sub: both('Sub'),
  mul: both('Mul'),
  div: both('Div'),
  pow: both('Pow'),
  maximum: both('Max'),
  minimum: both('Min'),
  fmod: both('Mod', { fmod: 1 }),
};

const comparisons: Readonly<Record<string, Binary>> = {
  eq: both('Equal'),
  ne: not('Equal'),
  lt: both('Less'),
  le: both('LessOrEqual'),
  gt: both('Greater'),
  ge: both('GreaterOrEqual'),
};

/** For bool, sums are logical or and products logical and. */
const ofBool: Readonly<Record<string, Binary>> = {
  add: both('Or'),
  mul: both('And'),
  maximum: both('Or'),
  minimum: both('And'),
  pow: (t, a, b, out) => t.node('Or', [a, t.node('Not', [b], b)], out),
};

const truths: Readonly<Record<string, Binary>> = {
  logicalAnd: both('And'),
  logicalOr: both('Or'),
  logicalXor: both('Xor'),
};

/** Adds nodes for core's function of one tensor; returns its value. */
export function unaryNode(t: Trace, name: string, x: View, out: View, parameters: readonly number[] = []): Value {
  const nodes = Object.hasOwn(unary, name) ? unary[name] : undefined;
  if (nodes === undefined) throw unknown(name);
  return nodes(t, t.cast(t.read(x), out.dtype), parameters);
}

/** Adds nodes for core's function of two tensors that broadcast; returns its value. */
export function binaryNode(t: Trace, name: string, a: View, b: View, out: View): Value {
  const [x, y] = [t.read(a), t.read(b)];
  const own = (table: Readonly<Record<string, Binary>>) => (Object.hasOwn(table, name) ? table[name] : undefined);
  const common = promoteTypes(a.dtype, b.dtype);
  // ONNX compares bools only for equality, so other comparisons are of integers.
  const compared = common === 'bool' && name !== 'eq' && name !== 'ne' ? 'int32' : common;
  const comparison = own(comparisons);
  if (comparison) return comparison(t, t.cast(x, compared), t.cast(y, compared), out);
  const truth = own(truths);
  if (truth) return truth(t, t.cast(x, 'bool'), t.cast(y, 'bool'), out);
  const nodes = own(out.dtype === 'bool' ? ofBool : arithmetic);
  if (nodes === undefined) throw unknown(name);
  return nodes(t, t.cast(x, out.dtype), t.cast(y, out.dtype), out);
}

const unknown = (name: string): TensorError =>
  new TensorError(
    'exportOnnx',
    `the function '${name}' of the model cannot be exported to ONNX; compose it of other functions`,
  );
