import type { Backend } from '../backend/backend.js';
import { kernelsOf } from '../backend/backends.js';
import { cpu } from '../backend/cpu.js';
import { type BinaryFunction, noParameters, type Parameters, type UnaryFunction } from '../backend/functions.js';
import { check } from '../check.js';
import { DeviceError, DTypeError, inNameOf } from '../errors.js';
import { isGradEnabled } from '../grad/index.js';
import { destinationOf } from '../graph/destination.js';
import { inPlace } from '../graph/inplace.js';
import { type Backward, record } from '../graph/node.js';
import { computedIn, type DType, isComplex, isFloat, recordOf } from '../memory/dtype.js';
import { promote, promoteValue } from '../memory/promote.js';
import { broadcastShapes } from '../memory/shape.js';
import { checkTensors, showOther } from '../tensor/check.js';
import * as is from '../tensor/kinds.js';
import type { Method } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import { sumTo } from './sum.js';

/** A tensor, or a plain value that broadcasts. */
export type TensorLike = Tensor | number | boolean;

/** How an elementwise operator of one tensor is defined: function, gradient, and accepted dtypes. */
export interface UnaryRule extends Partial<UnaryFunction> {
  /** The name of the kernel, where it is that of another operator. */
  readonly name?: string;
  /** The value for one element, in float64; parameters follow. */
  readonly forward: UnaryFunction['forward'];
  /** The gradient of `x`, given the gradient of the result `y`; `x` and `y` are as in the forward pass. */
  readonly backward: (g: Tensor, x: Tensor, y: Tensor, parameters: Parameters) => Tensor;
  /** What the rule reads; only that is kept in memory. */
  readonly saves?: 'input' | 'result';
  /** Integers stay integers; otherwise they become float32. */
  readonly keepsIntegers?: boolean;
  /** The result's dtype for bool (float32 by default); null refuses bool. */
  readonly ofBool?: 'bool' | 'int64' | null;
}

/** An elementwise operator of one tensor. */
interface UnaryOperator {
  readonly name: string;
  readonly fn: UnaryFunction;
  readonly rule: UnaryRule;
  readonly backward: Backward;
}

/** All elementwise functions of core, by name; kernels are tested against them. */
export const functions = {
  unary: new Map<string, UnaryFunction>(),
  binary: new Map<string, BinaryFunction>(),
};

/** A function of elements. All records have the same fields, so that kernels see one kind of object. */
const functionOf = <F extends UnaryFunction | BinaryFunction>(
  name: string,
  { forward, integer, exact, loop }: Partial<F> & Pick<F, 'forward'>,
) => ({ name, forward, integer, exact, loop }) as unknown as F;

/** Notes a function of core. Kernels are found by name, so a name belongs to one function. */
function defined<F extends { readonly name: string }>(all: Map<string, F>, fn: F): F {
  if (all.has(fn.name)) throw new Error(`there are two elementwise functions ${fn.name}`);
  all.set(fn.name, fn);
  return fn;
}

/** An elementwise operator of one tensor and of numbers, for `applyUnary`. */
export function unaryOperator(name: string, rule: UnaryRule): UnaryOperator {
  const fn = functionOf<UnaryFunction>(rule.name ?? name, rule);
  return operatorOf(name, rule.name === undefined ? defined(functions.unary, fn) : fn, rule);
}

const operatorOf = (name: string, fn: UnaryFunction, rule: UnaryRule): UnaryOperator => ({
  name,
  fn,
  rule,
  backward: backwardOf(rule),
});

/** Applies an operator to a tensor; function and rule get the parameters. */
export function applyUnary(operator: UnaryOperator, x: Tensor, parameters: Parameters = noParameters): Tensor {
  const { name, fn, rule, backward } = operator;
  checkTensors(name, x);
  try {
    const dtype = resultDType(name, rule, x);
    const target = destinationOf(name, x, dtype, x.shape);
    const y = target ?? Tensor.uninitialized(dtype, x.shape, x.storage.backend);
    x.storage.backend.kernels.unary(fn, x, y, parameters);
    if (target !== null) return target;
    const { saves } = rule;
    const inputs = [x];
    const saved = saves === 'input' ? inputs : saves === 'result' ? [y] : undefined;
    return record(name, inputs, y, backward, saved, parameters);
  } catch (error) {
    throw inNameOf(name, error);
  }
}

function resultDType(name: string, { ofBool, keepsIntegers }: UnaryRule, { dtype }: Tensor): DType {
  if (isFloat(dtype)) return dtype;
  if (dtype !== 'bool') return keepsIntegers ? dtype : 'float32';
  if (ofBool === null) throw new DTypeError(name, 'takes numbers, got bool; use .int() or .float()');
  return ofBool ?? 'float32';
}

/**
 * A saved tensor as a rule reads it. As in PyTorch, a gradient is the derivative for the conjugate, so for complex
 * numbers the rule of a function with a complex derivative reads the conjugate.
 */
export const conjugate = (t: Tensor): Tensor => (isComplex(t.dtype) ? recordOf(t.dtype).complex!.conj(t) : t);

// A closure that is made in the call itself would keep its tensors alive.
function backwardOf({ backward, saves }: UnaryRule): Backward {
  if (saves === undefined) return (g, ctx) => [backward(g, g, g, ctx.attributes as Parameters)];
  return (g, ctx) => {
    const saved = conjugate(ctx.saved[0]!);
    return [backward(g, saved, saved, ctx.attributes as Parameters)];
  };
}

/** Defines an elementwise operator of core of one tensor. */
export function unary(name: string, rule: UnaryRule): (x: Tensor) => Tensor {
  const operator = unaryOperator(name, rule);
  return (x) => applyUnary(operator, x);
}

/** The prefix of user-defined functions. No function of core begins so, and kernels are found by name. */
const custom = (name: string): string => `custom ${name}`;

function checkRule(op: string, name: unknown, rule: { forward: unknown }): void {
  check(op, 'the name', name, is.string);
  check(op, 'the rule', rule, is.object);
  check(op, 'forward of the rule', rule.forward, is.callback);
}

/** Defines an elementwise operator of one tensor. */
export function customUnary(name: string, rule: UnaryRule): (x: Tensor) => Tensor {
  checkRule('unary', name, rule);
  const operator = operatorOf(name, functionOf(custom(name), rule), rule);
  return (x) => applyUnary(operator, x);
}

/** Adds in-place forms, `name_`, to functions. */
export function withInPlace(functions: Record<string, Method>): Record<string, Method> {
  const all: Record<string, Method> = { ...functions };
  for (const [name, fn] of Object.entries(functions))
    all[`${name}_`] = (self, ...args) => inPlace(`${name}_`, self, (x) => fn(x, ...args) as Tensor, args);
  return all;
}

/** How an elementwise operator of two tensors is defined: function, gradients, and accepted dtypes. */
export interface BinaryRule extends Partial<BinaryFunction> {
  /** The function of two numbers. */
  readonly forward: BinaryFunction['forward'];
  /** The gradients of `a` and `b`, before they are summed to their shapes. Called only for those that are needed. */
  readonly backward?: readonly [
    (g: Tensor, a: Tensor, b: Tensor) => Tensor,
    (g: Tensor, a: Tensor, b: Tensor) => Tensor,
  ];
  /**
   * Whether the rule reads `a` and `b`; 'b' if the gradient of `a` reads `b` alone, 'other' if each reads the other
   * alone.
   */
  readonly saves?: boolean | 'b' | 'other';
  /** What to use instead of bool, which is refused. */
  readonly noBool?: string;
  /** The dtype of the result, given the dtype that both operands are promoted to. */
  readonly dtype?: (promoted: DType) => DType;
}

/** A plain value as a tensor that does not lift the dtype of `other`. */
export function toTensor(op: string, value: TensorLike, other: TensorLike): Tensor {
  if (Tensor.is(value)) return value;
  if (typeof value !== 'number' && typeof value !== 'boolean')
    throw new TypeError(`${op}: expected a Tensor or a number, got ${showOther(value)}`);
  return scalarOf(scalarDType(value, other), value, Tensor.is(other) ? other.storage.backend : undefined);
}

/** Copies a tensor without dimensions from the host to the device of the other operand, without a gradient. */
export function beside(op: string, x: Tensor, other: Tensor): Tensor {
  if (isComplex(x.dtype)) return x;
  const { complex } = recordOf(other.dtype);
  if (complex !== undefined) return complex.beside(x, other.dtype);
  const to = other.storage.backend;
  if (x.ndim > 0 || x.storage.backend !== cpu || to.kernels === cpu.kernels) return x;
  if (x.requiresGrad && isGradEnabled())
    throw new DeviceError(
      op,
      `a tensor of no dimension on cpu gets no gradient from ${to.name}; make it there, by { device: '${to.name}' }, or detach() it`,
    );
  // A number that floats are computed with does not lift their dtype, so a device need not hold its own.
  return (x.dtype === 'float64' && isFloat(other.dtype) ? x.detach().to(computedIn(other.dtype)) : x.detach()).moved(
    to,
  );
}

/** A dtype that holds the value: float32 beside half types, which are computed in it. */
export function scalarDType(value: number | boolean, other: TensorLike): DType {
  if (!Tensor.is(other)) return typeof value === 'boolean' ? 'bool' : 'float32';
  const { dtype } = other;
  if (isFloat(dtype)) return dtype === 'float64' || dtype === 'complex128' ? 'float64' : 'float32';
  if (typeof value === 'boolean') return 'bool';
  if (!Number.isInteger(value)) return 'float32';
  return dtype !== 'int64' && value === (value | 0) ? 'int32' : Number.isSafeInteger(value) ? 'int64' : 'float64';
}

/** The dtype that operands are promoted to; `a` and `b` are as `toTensor` returned them. */
export function promoted(left: TensorLike, right: TensorLike, a: Tensor, b: Tensor): DType {
  if (a.dtype === b.dtype) return a.dtype;
  if (!Tensor.is(left)) return Tensor.is(right) ? promoteValue(b.dtype, left) : 'float32';
  return Tensor.is(right) ? promote(a, b) : promoteValue(a.dtype, right);
}

/** A plain value as a tensor of this dtype. */
export function scalarOf(dtype: DType, value: number | boolean, backend?: Backend): Tensor {
  const t = Tensor.uninitialized(dtype, [], backend);
  t.storage.backend.kernels.fill(value, t);
  return t;
}

/** Defines an elementwise operator of core of two tensors that broadcast. */
export const binary = (name: string, rule: BinaryRule) =>
  binaryOperator(name, defined(functions.binary, functionOf(name, rule)), rule);

/** Defines an elementwise operator of two tensors that broadcast. */
export const customBinary = (name: string, rule: BinaryRule) => {
  checkRule('binary', name, rule);
  return binaryOperator(name, functionOf(custom(name), rule), rule);
};

function binaryOperator(
  name: string,
  fn: BinaryFunction,
  rule: BinaryRule,
): (left: TensorLike, right: TensorLike) => Tensor {
  const { backward, saves, noBool, dtype } = rule;
  const gradients = backward && gradientsOf(backward, saves);
  /** Of tensors that are on one device, or that its kernels take together, promoted to `common`. */
  const compute = (a: Tensor, b: Tensor, common: DType): Tensor => {
    const shape = broadcastShapes(name, a.shape, b.shape);
    const kernels = kernelsOf(name, a, b);
    try {
      const result = dtype ? dtype(common) : common;
      const target = destinationOf(name, a, result, shape, b);
      const y = target ?? Tensor.uninitialized(result, shape, a.storage.backend);
      kernels.binary(fn, a, b, y);
      if (target !== null) return target;
      const inputs = [a, b];
      return gradients ? record(name, inputs, y, gradients, saves ? readOf(inputs, a, b, saves) : undefined) : y;
    } catch (error) {
      throw inNameOf(name, error);
    }
  };
  const prepare = (left: TensorLike, right: TensorLike): Tensor => {
    let a = toTensor(name, left, right);
    let b = toTensor(name, right, left);
    if (a.storage.backend !== b.storage.backend) [a, b] = [beside(name, a, b), beside(name, b, a)];
    if (noBool !== undefined && (a.dtype === 'bool' || b.dtype === 'bool'))
      throw new DTypeError(name, `takes numbers, got ${a.dtype} and ${b.dtype}; use ${noBool}`);
    const common = promoted(left, right, a, b);
    if (common !== 'int64' || dtype?.(common) !== 'bool') return compute(a, b, common);
    return compute(exactly(a, left), exactly(b, right), common);
  };
  // The most frequent operands have nothing to be prepared. Short, so that V8 makes it part of its callers.
  // What `reduce` and the like pass beside them are numbers first.
  return (left, right, options: unknown = undefined) =>
    typeof options === 'object'
      ? refuseOptions(name, options)
      : Tensor.is(left) && Tensor.is(right) && left.dtype === 'float32' && isAlike(left, right)
        ? compute(left, right, 'float32')
        : prepare(left, right);
}

function refuseOptions(op: string, options: unknown): never {
  throw new TypeError(`${op}: takes two operands, got also ${showOther(options)}`);
}

const isAlike = (a: Tensor, b: Tensor): boolean => a.dtype === b.dtype && a.storage.backend === b.storage.backend;

/** A plain value beyond 2^53 beside int64 is compared exactly. */
const exactly = (t: Tensor, value: TensorLike): Tensor =>
  t.dtype === 'float64' ? scalarOf('int64', value as number, t.storage.backend) : t;

/** What the gradients that are wanted read: the rest may be written to and given back. */
const readOf = (inputs: readonly Tensor[], a: Tensor, b: Tensor, saves: BinaryRule['saves']): readonly Tensor[] =>
  saves !== true && !b.requiresGrad ? [b] : saves === 'other' && !a.requiresGrad ? [a] : inputs;

// One closure for all calls of an operator, as in `backwardOf`.
function gradientsOf([ofA, ofB]: NonNullable<BinaryRule['backward']>, saves: BinaryRule['saves']): Backward {
  return (g, ctx) => {
    const saved = saves ? ctx.saved : [g];
    const a = conjugate(saved[0]!);
    const b = saved.length < 2 ? a : conjugate(saved[1]!);
    return [
      ctx.needs(0) ? sumTo(ofA(g, a, b), ctx.inputShape(0)) : null,
      ctx.needs(1) ? sumTo(ofB(g, a, b), ctx.inputShape(1)) : null,
    ];
  };
}

/** A gradient as one function of two numbers: the gradient of the result, and the operand or the result. */
interface GradientRule extends Partial<BinaryFunction> {
  /** The function of two numbers. */
  readonly forward: BinaryFunction['forward'];
  /** The same by recorded operators, for where a gradient of it may be needed; `fused` is the kernel's. */
  readonly recorded: (g: Tensor, v: Tensor, parameters: Parameters, fused: Gradient) => Tensor;
}

/** The gradient of an elementwise operator, given the gradient of its result and what was saved. */
export type Gradient = (g: Tensor, v: Tensor, parameters?: Parameters) => Tensor;

/** A gradient by one kernel, or by recorded operators where a gradient of it may be needed. */
export function fusedGradient(name: string, rule: GradientRule): Gradient {
  const fn = defined(functions.binary, functionOf(name, rule));
  const { recorded } = rule;
  const fused: Gradient = (g, v, parameters) => {
    const out = Tensor.uninitialized(g.dtype, g.shape, g.storage.backend);
    kernelsOf(name, g, v).binary(fn, g, v, out, parameters);
    return out;
  };
  return (g, v, parameters = noParameters) =>
    isGradEnabled() || isComplex(g.dtype) ? recorded(g, v, parameters, fused) : fused(g, v, parameters);
}

/** The gradient of a step function: 0 for every `g`, also NaN and infinity. */
export function zerosFor(g: Tensor): Tensor {
  return Tensor.zeros(g.dtype, g.shape, g.storage.backend);
}

/** Refuses complex tensors in operators that call no kernel which would refuse them. */
export function realOnly(op: string, { dtype }: Tensor): void {
  if (isComplex(dtype)) throw new DTypeError(op, `takes real tensors, got ${dtype}; use real(), imag() or abs()`);
}

/** Refuses dtypes that are not real floating point. */
export function floatOnly(op: string, x: Tensor): void {
  realOnly(op, x);
  floatOrComplex(op, x);
}

/** Refuses integers and bool. */
export function floatOrComplex(op: string, x: Tensor): void {
  if (!isFloat(x.dtype)) throw new DTypeError(op, `takes floating point tensors, got ${x.dtype}; use .float()`);
}
