import { guard, type Rule } from './guard.js';
import { isClass } from './original.js';
import { declareInMetadata, declareOnTarget, type GradPolicy } from './policies.js';

type AnyFunction = (...args: any[]) => any;

/** A decorator in both dialects. The types of members are kept. */
export interface GateDecorator {
  /** As a decorator: the method runs in the gate's mode, whether it is public, private or static. */
  <F extends AnyFunction>(value: F, context: ClassMethodDecoratorContext<any, F>): F;
  /** As a decorator: the getter runs in the gate's mode. */
  <F extends (this: any) => any>(value: F, context: ClassGetterDecoratorContext): F;
  /** As a decorator: the setter runs in the gate's mode. */
  <F extends (this: any, value: any) => void>(value: F, context: ClassSetterDecoratorContext): F;
  /** As a decorator: getter and setter of the accessor run in the gate's mode. */
  <T>(
    value: ClassAccessorDecoratorTarget<any, T>,
    context: ClassAccessorDecoratorContext<any, T>,
  ): ClassAccessorDecoratorResult<any, T>;
  /** As a decorator of the legacy dialect (`experimentalDecorators`): the member runs in the gate's mode. */
  <T>(target: object, key: PropertyKey, descriptor: TypedPropertyDescriptor<T>): void;
}

/** Shown by the compiler in place of a type: what is wrong, and what to do. */
type Misfit = "the condition does not fit this member: it is called with the member's own `this` and parameters";

/**
 * `T` if condition `C` can be called where a member with this `this` and these arguments is; else an error as a type.
 */
type IfFits<C, This, Args extends unknown[], T> = [C] extends [(this: This, ...args: Args) => boolean] ? T : Misfit;

/** A decorator with a condition, whose type has to fit the decorated member. */
export interface ConditionalDecorator<C> {
  <This, F extends (this: This, ...args: any[]) => any>(
    value: F & IfFits<C, This, Parameters<F>, unknown>,
    context: ClassMethodDecoratorContext<This, F>,
  ): F;
  <This, V>(
    value: ((this: This) => V) & IfFits<C, This, [], unknown>,
    context: ClassGetterDecoratorContext<This, V>,
  ): (this: This) => V;
  <This, V>(
    value: ((this: This, value: V) => void) & IfFits<C, This, [V], unknown>,
    context: ClassSetterDecoratorContext<This, V>,
  ): (this: This, value: V) => void;
  <This, V>(
    value: ClassAccessorDecoratorTarget<This, V> & IfFits<C, This, [V?], unknown>,
    context: ClassAccessorDecoratorContext<This, V>,
  ): ClassAccessorDecoratorResult<This, V>;
  <This extends object, T>(
    target: This,
    key: PropertyKey,
    descriptor: TypedPropertyDescriptor<T> & IfFits<C, This, T extends AnyFunction ? Parameters<T> : [T?], unknown>,
  ): void;
}

/** Whether a function is a class, judging by its source and prototype. */
export function looksLikeClass(fn: Function): boolean {
  if (isClass(fn)) return true;
  const prototype: unknown = fn.prototype;
  return typeof prototype === 'object' && prototype !== null && Object.getOwnPropertyNames(prototype).length > 1;
}

const advice = 'it decorates methods, getters, setters and accessors; ';

/** Applies a gate to the arguments of a decorator, which tell the dialect. */
export function decorate(rule: Rule, args: unknown[]): unknown {
  const [value, second] = args;
  if (isContext(second)) return decorateStandard(rule, value, second);
  if (args.length >= 2 && isObjectLike(value) && isKey(second))
    return decorateLegacy(rule, value, second, args[2] as PropertyDescriptor | undefined);
  if (typeof value === 'function' && looksLikeClass(value))
    throw new TypeError(`@${rule.gate}: ${advice}not the class ${value.name}: decorate its methods`);
  throw new TypeError(`@${rule.gate}: ${advice}to guard a function use ${rule.gate}.wrap(fn)`);
}

const isObjectLike = (v: unknown): v is object => (typeof v === 'object' && v !== null) || typeof v === 'function';

/** The name of a member. Compilers pass a numeric name as a number. */
const isKey = (v: unknown): v is PropertyKey => typeof v === 'string' || typeof v === 'symbol' || typeof v === 'number';

const isContext = (v: unknown): v is DecoratorContext =>
  typeof v === 'object' && v !== null && typeof (v as DecoratorContext).kind === 'string' && 'name' in v;

function policyOf(rule: Rule, member: string | symbol, kind: GradPolicy['kind'], isStatic: boolean) {
  return {
    member,
    kind,
    static: isStatic,
    gate: rule.gate,
    condition: typeof rule.when === 'function' ? rule.when : null,
  };
}

function decorateStandard(rule: Rule, value: unknown, context: DecoratorContext): unknown {
  const { kind, name } = context;
  if (kind === 'class')
    throw new TypeError(`@${rule.gate}: ${advice}not a class: decorate the methods of ${String(name)}`);
  const part = kind === 'accessor' ? (value as ClassAccessorDecoratorTarget<any, unknown> | null)?.get : value;
  if (kind === 'field' || typeof part !== 'function')
    throw new TypeError(
      `@${rule.gate}: ${advice}not the field ${String(name)}: make it a method, an \`accessor\`, or assign ${rule.gate}.wrap(() => ...)`,
    );
  declareInMetadata(
    context.metadata as Record<PropertyKey, unknown> | undefined,
    policyOf(rule, name!, kind, context.static),
  );
  const member = String(name);
  if (kind !== 'accessor') return guard(rule, value as AnyFunction, member);
  const { get, set } = value as ClassAccessorDecoratorTarget<any, unknown>;
  return { get: guard(rule, get, member), set: guard(rule, set, member) };
}

function decorateLegacy(
  rule: Rule,
  target: object,
  key: PropertyKey,
  descriptor: PropertyDescriptor | null | undefined,
): void {
  if (!descriptor || typeof (descriptor.value ?? descriptor.get ?? descriptor.set) !== 'function')
    throw new TypeError(
      `@${rule.gate}: ${advice}not the field ${String(key)}: make it a method, or assign ${rule.gate}.wrap(() => ...)`,
    );
  const isStatic =
    typeof target === 'function' && !Object.hasOwn(target, 'prototype') ? false : typeof target === 'function';
  const owner = isStatic ? (target as Function).name : target.constructor?.name;
  const member = owner ? `${owner}.${String(key)}` : String(key);
  const kind = descriptor.value ? 'method' : descriptor.get ? 'getter' : 'setter';
  declareOnTarget(target, policyOf(rule, typeof key === 'number' ? String(key) : key, kind, isStatic));
  for (const part of ['value', 'get', 'set'] as const)
    if (descriptor[part]) descriptor[part] = guard(rule, descriptor[part] as AnyFunction, member);
}
