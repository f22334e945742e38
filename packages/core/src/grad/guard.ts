import {
  callIn,
  currentFrame,
  currentObserver,
  currentSlot,
  enter,
  flowFrame,
  followsAsync,
  frameIn,
  frameOf,
  leave,
} from './flow.js';
import { Frame, type FrameKind, GradModeError } from './frame.js';

/** Called as the guarded method is, with its `this` and arguments; says whether the gate holds for this call. */
export type Condition = (this: any, ...args: any[]) => boolean;

/** What a gate does to the mode: `always`, where a condition holds, or as a flag said when the gate was made. */
export interface Rule {
  readonly kind: FrameKind & ('noGrad' | 'enableGrad' | 'inferenceMode' | 'gradMode');
  readonly when: Condition | boolean;
}

type AnyFunction = (...args: any[]) => any;

/** The frame that a gate pushes for one call, or null where its condition leaves the caller's mode in force. */
export function frameFor(
  rule: Rule,
  self: unknown,
  args: readonly unknown[],
  member: string | null,
  flow: Frame | undefined,
): Frame | null {
  const { kind, when } = rule;
  const holds = typeof when === 'boolean' ? when : ask(when, kind, self, args, member);
  return holds || kind === 'gradMode' ? newFrame(kind, holds, member, flow) : null;
}

function newFrame(kind: Rule['kind'], holds: boolean, member: string | null, flow: Frame | undefined): Frame {
  const parent = frameIn(flow);
  const enabled = kind === 'enableGrad' || (kind === 'gradMode' && holds);
  if (enabled && parent.inference) refuseInInference(kind, member);
  // A loop of timers that each pass the gate again would make a chain without end.
  const under = parent.left && parent.kind === kind ? parent.parent : parent;
  return new Frame(kind, enabled, kind === 'inferenceMode' || parent.inference, under, member);
}

function refuseInInference(kind: string, member: string | null): never {
  throw new GradModeError(
    `${kind}${member ? ` on ${member}` : ''}: inferenceMode is in force, and nothing can be recorded in it; ` +
      'use noGrad outside instead, or clone() tensors outside of inferenceMode',
  );
}

/** Small enough to be inlined, as is all on the way of a guarded call: then its arguments are never collected. */
function ask(
  condition: Condition,
  kind: string,
  self: unknown,
  args: readonly unknown[],
  member: string | null,
): boolean {
  const answer: unknown = Reflect.apply(condition, self, args);
  return typeof answer === 'boolean' ? answer : refuseAnswer(answer, kind, member);
}

function refuseAnswer(answer: unknown, kind: string, member: string | null): never {
  const of = `the condition of ${kind}${member ? ` on ${member}` : ''}`;
  if (isThenable(answer)) {
    // The rejection of a promise that nobody may wait for is not another error.
    answer.then(undefined, () => {});
    throw new TypeError(`${of} gave a promise; it must be synchronous, and give true or false`);
  }
  throw new TypeError(
    `${of} must give true or false, got ${answer === null ? 'null' : typeof answer} ${String(answer)}`,
  );
}

/** Runs `fn` under the rule: its call, what it awaits, and the steps of the iterator it may return. */
export function runGuarded<R>(rule: Rule, fn: () => R): R {
  const slot = currentSlot();
  const before = frameOf(slot);
  const frame =
    rule.when === true ? newFrame(rule.kind, true, null, before) : frameFor(rule, undefined, [], null, before);
  if (currentObserver()) return observed(rule, frame, null, fn, undefined, []) as R;
  if (frame === null) return fn();
  const entered = enter(frame, slot);
  let result: R;
  try {
    result = fn();
  } finally {
    leave(frame, entered, before);
  }
  return isObject(result) ? (cover(frame, result) as R) : result;
}

/** Calls `fn` in `frame`, or as it is, and tells the observer of beginning and end. */
function observed(
  rule: Rule,
  frame: Frame | null,
  member: string | null,
  fn: AnyFunction,
  self: unknown,
  args: readonly unknown[],
): unknown {
  const { enabled, inference } = frame ?? currentFrame();
  const end = currentObserver()!({ gate: rule.kind, member, held: frame !== null, enabled, inference });
  let result: unknown;
  try {
    result = frame === null ? Reflect.apply(fn, self, args) : callIn(frame, fn, self, args);
    if (frame !== null && isObject(result)) result = cover(frame, result);
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) result.then(end, end);
  else end();
  return result;
}

interface Thenable {
  then(resolve?: AnyFunction, reject?: AnyFunction): unknown;
}

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

const isThenable = (value: unknown): value is Thenable =>
  isObject(value) && typeof (value as Thenable).then === 'function';

interface AnyIterator {
  next: AnyFunction;
  return?: AnyFunction;
  throw?: AnyFunction;
}

/** By what it can do, not by its tag: compilers for older targets make generators of plain objects. */
const isIterator = (value: object): value is AnyIterator =>
  (Symbol.iterator in value || Symbol.asyncIterator in value) &&
  typeof (value as Partial<AnyIterator>).next === 'function';

/** Makes sure that the lazy part of a result runs in `frame` as well. Anything else is returned as it is. */
function cover(frame: Frame, result: object): unknown {
  if (isIterator(result)) {
    if (Symbol.asyncIterator in result && !followsAsync) refuse(frame, 'an async iterator');
    return coverIterator(frame, result);
  }
  if (!isThenable(result)) return result;
  if (!followsAsync) {
    result.then(undefined, () => {});
    refuse(frame, 'a promise');
  }
  // A promise's own continuations are in the frame already; other thenables may start their work in then().
  return result instanceof Promise ? result : coverThenable(frame, result);
}

function refuse(frame: Frame, what: string): never {
  throw new GradModeError(
    `${frame.kind}${frame.member ? ` on ${frame.member}` : ''}: the guarded function returned ${what}, and this runtime has no ` +
      'AsyncLocalStorage to follow it: only the part before the first await would be covered. Write it as ' +
      `${frame.kind}.async(function* (...) { ... yield promise ... }), or guard the synchronous parts with ${frame.kind}.run()`,
  );
}

/** The same iterator, each step of which runs in `frame`, with the consumer's mode back after it. */
function coverIterator(frame: Frame, iterator: AnyIterator): object {
  frame.ownedByGenerator = true;
  const covered = Object.create(iterator) as Record<PropertyKey, unknown>;
  const define = (name: PropertyKey, value: unknown) =>
    Object.defineProperty(covered, name, { value, writable: true, configurable: true });
  for (const name of ['next', 'return', 'throw'] as const) {
    const method = iterator[name];
    if (typeof method !== 'function') continue;
    define(name, (...args: unknown[]) => callIn(frame, method, iterator, args));
  }
  // An iterator is its own iterable; where a sequence makes a new one each time, that one is covered.
  for (const name of [Symbol.iterator, Symbol.asyncIterator] as const) {
    const make = (iterator as unknown as Record<symbol, AnyFunction | undefined>)[name];
    if (make === undefined) continue;
    define(name, () => {
      const made = callIn(frame, make, iterator, []);
      return made === iterator ? covered : coverIterator(frame, made);
    });
  }
  return covered;
}

/** The same thenable, whose `then` runs in `frame`; the callbacks stay in the mode of who passes them. */
function coverThenable(frame: Frame, thenable: Thenable): object {
  const covered = Object.create(thenable) as Thenable;
  Object.defineProperty(covered, 'then', {
    value: (...callbacks: unknown[]) => {
      const caller = currentFrame();
      const bound = callbacks.map((f) =>
        typeof f === 'function'
          ? (...args: unknown[]) => callIn(rebound(caller), f as AnyFunction, undefined, args)
          : f,
      );
      return callIn(frame, thenable.then, thenable, bound);
    },
    writable: true,
    configurable: true,
  });
  return covered;
}

const rebound = ({ enabled, inference, parent }: Frame): Frame => new Frame('bound', enabled, inference, parent);

/** Gives `wrapper` the name, length and own attributes of `fn`, and lets `original` find `fn` again. */
export function likeOriginal<F extends AnyFunction>(wrapper: F, fn: F): F {
  Object.defineProperty(wrapper, 'name', { value: fn.name, configurable: true });
  Object.defineProperty(wrapper, 'length', { value: fn.length, configurable: true });
  originals.set(wrapper, fn);
  return wrapper;
}

const originals = new WeakMap<object, AnyFunction>();

/** The function that a gate wrapped, without its guards; `fn` itself if none did. */
export function original<F extends AnyFunction>(fn: F): F {
  let inner: AnyFunction = fn;
  while (originals.has(inner)) inner = originals.get(inner)!;
  return inner as F;
}

/** `fn`, guarded at each call. */
export function guard<F extends AnyFunction>(rule: Rule, fn: F, member: string | null): F {
  // As `runGuarded`, written out: a guarded method adds one frame to the stack, under its own name. And where no
  // condition is asked, nobody but the method takes its arguments, so the engine need not collect them.
  const guarded = function (this: unknown, ...args: unknown[]) {
    const slot = currentSlot();
    const before = frameOf(slot);
    const frame =
      rule.when === true ? newFrame(rule.kind, true, member, before) : frameFor(rule, this, args, member, before);
    if (currentObserver()) return observed(rule, frame, member, fn, this, args);
    if (frame === null) return Reflect.apply(fn, this, args);
    const entered = enter(frame, slot);
    let result: unknown;
    try {
      result = Reflect.apply(fn, this, args);
    } finally {
      leave(frame, entered, before);
    }
    return isObject(result) ? cover(frame, result) : result;
  };
  return likeOriginal(guarded as unknown as F, fn);
}

/** Makes `fn` run in the mode that is in force now, wherever it is called. */
export function bindGradMode<F extends AnyFunction>(fn: F): F {
  if (typeof fn !== 'function') throw new TypeError(`bindGradMode: expected a function, got ${typeof fn}`);
  const now = rebound(currentFrame());
  return likeOriginal(
    function (this: unknown, ...args: unknown[]) {
      const frame = rebound(now);
      const result: unknown = callIn(frame, fn, this, args);
      return isObject(result) ? cover(frame, result) : result;
    } as F,
    fn,
  );
}

/**
 * Runs a coroutine in `frame`: a generator that yields what it waits for. Each of its steps is synchronous, so this
 * covers it in full on every runtime.
 */
export async function runCoroutine(
  rule: Rule,
  start: AnyFunction,
  self: unknown,
  args: readonly unknown[],
): Promise<unknown> {
  const frame = frameFor(rule, self, args, start.name || null, flowFrame());
  const call = (fn: AnyFunction, on: unknown, values: unknown[]): any =>
    frame === null ? Reflect.apply(fn, on, values) : callIn(frame, fn, on, values);
  if (frame) frame.ownedByGenerator = true;
  const steps = call(start, self, args as unknown[]) as Iterator<unknown, unknown, unknown>;
  if (!isObject(steps) || !isIterator(steps))
    throw new TypeError(
      `${rule.kind}.async takes a generator function, function* () { ... }; ${start.name || 'this one'} returned ${typeof steps}`,
    );
  let step = call(steps.next, steps, []);
  while (!step.done) {
    let value: unknown;
    try {
      value = await step.value;
    } catch (error) {
      if (steps.throw === undefined) throw error;
      step = call(steps.throw, steps, [error]);
      continue;
    }
    step = call(steps.next, steps, [value]);
  }
  return step.value;
}
