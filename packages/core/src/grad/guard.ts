import { awaitSteps } from './asyncFunction.js';
import { ask, type Condition } from './condition.js';
import { cover, isIterator, isLazy, isObject, isThenable, rebound } from './cover.js';
import { checkCallback } from './diagnostics.js';
import { type Ending, finish } from './ending.js';
import {
  callAsCaller,
  callIn,
  currentFrame,
  currentObserver,
  currentSlot,
  enter,
  flowFrame,
  frameIn,
  frameOf,
  hasSlots,
  leave,
  noteSettings,
} from './flow.js';
import { copyOf, Frame, GradModeError, type Settings, shownParent } from './frame.js';
import { isClass, likeOriginal } from './original.js';
import { Body } from './steps.js';

type AnyFunction = (...args: any[]) => any;

/** How a gate changes the mode around it. */
export interface Effect {
  /** Whether operations are recorded inside; null does not change that. */
  readonly enabled: boolean | null;
  readonly inference: boolean;
  /** The values that it gives to other modes; null if it sets none. */
  readonly set: ((frame: Frame, self: unknown, args: readonly unknown[]) => Settings | null) | null;
  /** What it does when a call ends, given the settings that `set` made; null if nothing. */
  readonly ending: ((frame: Frame) => Ending) | null;
}

/**
 * What a gate does at each call: `always` its effect, or where a condition holds, or by a flag given when the gate was
 * made.
 */
export interface Rule {
  readonly gate: string;
  readonly effect: Effect;
  /** The effect where the condition does not hold; null leaves the caller's mode in force. */
  readonly otherwise: Effect | null;
  readonly when: Condition | boolean;
}

/** Whether only the method itself reads the arguments of a call. */
const isPlain = ({ when, effect }: Rule): boolean => when === true && effect.set === null;

/** The frame that a gate pushes for one call, or null where its condition leaves the caller's mode in force. */
function frameFor(
  rule: Rule,
  self: unknown,
  args: readonly unknown[],
  member: string | null,
  flow: Frame | undefined,
): Frame | null {
  const { gate, when } = rule;
  const holds = typeof when === 'boolean' ? when : ask(when, gate, self, args, member);
  const effect = holds ? rule.effect : rule.otherwise;
  if (effect === null) return null;
  const frame = newFrame(gate, effect, member, flow);
  if (effect.set !== null) {
    frame.settings = effect.set(frame, self, args);
    noteSettings();
  }
  return frame;
}

/** The same for `run` and `enter`, which are not calls of a function. */
export const frameHere = (rule: Rule, flow: Frame | undefined): Frame | null =>
  isPlain(rule) ? newFrame(rule.gate, rule.effect, null, flow) : frameFor(rule, undefined, [], null, flow);

/** What to do when the call of `frame` has ended; null where the condition left the caller's mode in force. */
export const endingOf = ({ effect }: Rule, frame: Frame | null): Ending | null =>
  frame === null || effect.ending === null ? null : effect.ending(frame);

function newFrame(gate: string, effect: Effect, member: string | null, flow: Frame | undefined): Frame {
  const parent = frameIn(flow);
  const enabled = effect.enabled ?? parent.enabled;
  if (enabled && parent.inference) refuseInInference(gate, member);
  return new Frame(gate, enabled, effect.inference || parent.inference, parent.settings, shownParent(parent), member);
}

function refuseInInference(gate: string, member: string | null): never {
  throw new GradModeError(
    `${gate}${member ? ` on ${member}` : ''}: inferenceMode is in force, and nothing can be recorded in it; ` +
      'use noGrad, or clone() tensors outside of it',
  );
}

/** Runs `fn` under the rule: the call, what it awaits, and the steps of an iterator that it returns. */
export function runGuarded<R>(rule: Rule, fn: () => R): R {
  const slot = currentSlot();
  const before = frameOf(slot);
  const frame = frameHere(rule, before);
  if (frame === null || !hasSlots || rule.effect.ending !== null || currentObserver())
    return callSlowly(rule, frame, null, fn, undefined, []) as R;
  const entered = enter(frame, slot);
  let result: R;
  try {
    result = fn();
  } finally {
    leave(frame, entered, before);
  }
  return isObject(result) ? (cover(frame, result) as R) : result;
}

/** `fn`, guarded at each call. */
export function guard<F extends AnyFunction>(rule: Rule, fn: F, member: string | null): F {
  const plain = isPlain(rule);
  const { gate, effect } = rule;
  const ends = effect.ending !== null;
  // `runGuarded`, inlined by hand: a guarded method adds one frame to the stack, under its own name. Without a
  // condition only the method reads its arguments, so the engine need not collect them.
  const guarded = function (this: unknown, ...args: unknown[]) {
    const slot = currentSlot();
    const before = frameOf(slot);
    const frame = plain ? newFrame(gate, effect, member, before) : frameFor(rule, this, args, member, before);
    if (frame === null || !hasSlots || ends || currentObserver())
      return callSlowly(rule, frame, member, fn, this, args);
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

/**
 * Calls `fn` in `frame`, or in the caller's mode, and tells an observer and the gate's ending when it begins and ends.
 */
function callSlowly(
  rule: Rule,
  frame: Frame | null,
  member: string | null,
  fn: AnyFunction,
  self: unknown,
  args: readonly unknown[],
): unknown {
  const end = currentObserver() ? observeStart(rule, frame, member) : undefined;
  const ending = endingOf(rule, frame);
  let result: unknown;
  try {
    result = frame === null ? callAsCaller(fn, self, args) : callIn(frame, fn, self, args);
    if (isLazy(result)) result = cover(frame, result, ending);
    else if (ending !== null) finish(ending, result);
  } catch (error) {
    ending?.end();
    end?.();
    throw error;
  }
  if (end !== undefined) {
    if (isThenable(result) && !isIterator(result)) observeEnd(result, end);
    else end();
  }
  return result;
}

function observeStart({ gate }: Rule, frame: Frame | null, member: string | null): (() => void) | undefined {
  const { enabled, inference, settings } = frame ?? currentFrame();
  const call = { gate, member, held: frame !== null, enabled, inference, modes: valuesOf(settings) };
  const end: unknown = currentObserver()?.(call) ?? undefined;
  if (end !== undefined) checkCallback('observeGradModes: what the observer returns', end);
  return end as (() => void) | undefined;
}

/** Being observed must not make a lazy thenable start its work. */
function observeEnd(result: object, end: () => void): void {
  if (Object.prototype.toString.call(result) === '[object Promise]')
    Reflect.apply(Promise.prototype.then, result, [end, end]);
  else end();
}

/** The values of settings by the names of their modes. */
export const valuesOf = (settings: Settings | null): Record<string, unknown> =>
  Object.fromEntries([...(settings ?? [])].map(([name, { value }]) => [name, value]));

/**
 * Binds `fn` to the mode in force now, wherever it is called.
 *
 * ```ts
 * const later = noGrad.run(() => bindGradMode(() => isGradEnabled()));
 * later(); // false
 * ```
 */
export function bindGradMode<F extends AnyFunction>(fn: F): F {
  if (typeof fn !== 'function' || isClass(fn))
    throw new TypeError(`bindGradMode: expected a function, got ${typeof fn === 'function' ? 'a class' : typeof fn}`);
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
 * Runs a coroutine under the rule: a generator that yields what it awaits. Each step is synchronous, so this covers it
 * in full on every runtime.
 */
export function runCoroutine(
  rule: Rule,
  start: AnyFunction,
  self: unknown,
  args: readonly unknown[],
): Promise<unknown> {
  return awaitSteps(function* () {
    const own = frameFor(rule, self, args, start.name || null, flowFrame());
    const ending = endingOf(rule, own);
    try {
      const value = yield* stepsOf(rule, own ?? copyOf(currentFrame()), start, self, args);
      ending?.leave(value);
      return value;
    } finally {
      ending?.end();
    }
  });
}

function* stepsOf(
  rule: Rule,
  frame: Frame,
  start: AnyFunction,
  self: unknown,
  args: readonly unknown[],
): Generator<unknown, unknown, unknown> {
  const body = new Body(frame, false);
  const steps = body.run(start, self, args) as Iterator<unknown, unknown, unknown>;
  if (!isObject(steps) || !isIterator(steps))
    throw new TypeError(
      `${rule.gate}.async: takes a generator function, function* () { ... }; ${start.name || 'this one'} returned ${typeof steps}`,
    );
  let step = body.run(steps.next, steps, []) as IteratorResult<unknown>;
  while (!step.done) {
    let value: unknown;
    try {
      value = yield step.value;
    } catch (error) {
      if (steps.throw === undefined) throw error;
      step = body.run(steps.throw, steps, [error]) as IteratorResult<unknown>;
      continue;
    }
    step = body.run(steps.next, steps, [value]) as IteratorResult<unknown>;
  }
  return step.value;
}
