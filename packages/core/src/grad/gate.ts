import type { Condition } from './condition.js';
import { type ConditionalDecorator, decorate, type GateDecorator, looksLikeClass } from './decorate.js';
import type { Ending } from './ending.js';
import { flowFrame, hostForScope } from './flow.js';
import type { Frame } from './frame.js';
import { type Effect, endingOf, frameHere, guard, type Rule, runCoroutine, runGuarded } from './guard.js';
import { carryOver, isClass } from './original.js';
import { openScope, type Scope } from './scope.js';

/** The forms of every gate, with or without a condition. */
export interface Guards {
  /** Calls `fn` now, in the gate's mode, and returns what it returns; a promise or generator is covered in full. */
  run<R>(fn: () => R): R;
  /**
   * The same function, guarded at each call. Keeps types, name and length; `original()` returns the function itself.
   */
  wrap<F extends (...args: any[]) => any>(fn: F): F;
  /** Opens a scope for synchronous code: `using _ = noGrad.enter()`. */
  enter(): Scope;
  /** A function from a generator that yields what it awaits: like an async function, but covered on every runtime. */
  async<This, Args extends unknown[], R>(
    fn: (this: This, ...args: Args) => Generator<unknown, R, any>,
  ): (this: This, ...args: Args) => Promise<R>;
}

/** A gate that can decorate: it holds always, or where its condition does. */
export interface DecoratorGate extends Guards, GateDecorator {}

/** A gate that holds where its condition does. */
export interface ConditionalGate<C> extends Guards, ConditionalDecorator<C> {}

/** Shown by the compiler where a decorator has a flag: it would be read once, when the class is defined. */
export interface NotADecorator_WriteAConditionInstead extends Guards {}
type Flagged = NotADecorator_WriteAConditionInstead;

/** Shown by the compiler in place of a type: what is wrong with a condition. */
type Advice<C> = C extends (...args: any[]) => infer R
  ? [R] extends [boolean]
    ? unknown
    : [R] extends [PromiseLike<unknown>]
      ? 'the condition must be synchronous: it is asked before the call, and gives true or false'
      : 'the condition must give true or false'
  : {
      readonly advice: 'a gate takes a condition, such as () => flag, or a boolean; run(fn) and wrap(fn) take what is guarded';
    };

/** What a gate does with the arguments after its name. */
export interface GateFactory {
  /** The gate itself: `@noGrad()` is `@noGrad`. */
  (): DecoratorGate;
  /** Holds where the condition does; it is called at each call, as the method is. */
  <C extends Condition>(condition: C): ConditionalGate<C>;
  /** Holds if the flag is true now. Not a decorator, which would read the flag when the class is defined. */
  (flag: boolean): Flagged;
  /** All else is refused. */
  <C>(condition: C & Advice<C>): ConditionalGate<C>;
}

/**
 * A gate as it is exported. The decorator overload comes first: under a bare `@noGrad`, the compiler would take a
 * method that returns a boolean for a condition.
 */
export type Gate = GateDecorator & GateFactory & Guards;

/** `gradMode`: records if the flag or the condition is true, and does not if it is false. */
export interface ModeGate {
  /**
   * Records gradients where the condition holds, and does not where it fails; it is called at each call, as the method
   * is.
   */
  <C extends Condition>(condition: C): ConditionalGate<C>;
  /** Records gradients if `enabled` is true, else it does not: `gradMode(flag).run(fn)`. Not a decorator. */
  (enabled: boolean): Flagged;
  /** All else is refused. */
  <C>(condition: C & Advice<C>): ConditionalGate<C>;
}

const inert: Scope = { [Symbol.dispose]() {} };

function guards(rule: Rule): Guards {
  const check = (op: string, fn: unknown) => {
    if (typeof fn !== 'function')
      throw new TypeError(`${rule.gate}.${op}: takes a function, got ${fn === null ? 'null' : typeof fn}`);
    if (isClass(fn))
      throw new TypeError(`${rule.gate}.${op}: takes a function, not the class ${fn.name}: guard its methods`);
  };
  return {
    run(fn) {
      if (typeof fn !== 'function') check('run', fn);
      try {
        return runGuarded(rule, fn);
      } catch (error) {
        // It was a class, which cannot be called. Asking before the call would cost a third of it.
        check('run', fn);
        throw error;
      }
    },
    wrap(fn) {
      check('wrap', fn);
      return guard(rule, fn, fn.name || null);
    },
    enter() {
      const frame = frameHere(rule, flowFrame());
      return frame === null ? inert : openScope(frame, hostForScope(), endingOf(rule, frame));
    },
    async(fn) {
      check('async', fn);
      const started = function (this: unknown, ...args: unknown[]) {
        return runCoroutine(rule, fn, this, args);
      };
      carryOver(started, fn);
      return started as never;
    },
  };
}

/** The gate of a rule: a callable decorator with the methods of `Guards`. */
function decoratorGate(rule: Rule): DecoratorGate {
  const apply = (...args: unknown[]) => decorate(rule, args);
  return Object.assign(apply as unknown as GateDecorator, guards(rule));
}

/** Makes a gate from its arguments: none, a condition, a flag, or what a decorator is applied to. */
function gateFrom(rule: Omit<Rule, 'when'>, args: unknown[], whole: DecoratorGate | null): unknown {
  const { gate } = rule;
  const [first] = args;
  if (args.length > 1) {
    if (whole) return decorate({ ...rule, when: true }, args);
    throw new TypeError(`@${gate}: needs a condition, as in @${gate}(() => ...)`);
  }
  if (args.length === 0 && whole) return whole;
  if (typeof first === 'boolean') {
    const refuse = () => {
      throw new TypeError(
        `@${gate}(${first}): would freeze the flag when the class is defined; write @${gate}(() => flag), which reads it at each call`,
      );
    };
    return Object.assign(refuse, guards({ ...rule, when: first }));
  }
  if (typeof first === 'function') {
    if (looksLikeClass(first))
      throw new TypeError(
        `@${gate}: decorates methods, getters, setters and accessors, not a class (${first.name}); decorate its methods`,
      );
    return decoratorGate({ ...rule, when: first as Condition });
  }
  throw new TypeError(
    `${gate}: takes a condition (a function that gives true or false) or a boolean, got ${first === null ? 'null' : typeof first}`,
  );
}

/** Refuses a name that is not a text or is empty. */
export function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string' || name === '')
    throw new TypeError(
      `${what}: the name must be a string that is not empty, got ${name === '' ? 'an empty one' : typeof name}`,
    );
}

const effects = new WeakMap<object, Effect>();

/** A gate that has `effect` where it holds. */
export function makeGate(name: string, effect: Effect): Gate {
  const rule = { gate: name, effect, otherwise: null };
  const gate = ((...args: unknown[]) => gateFrom(rule, args, gate)) as Gate;
  Object.defineProperty(gate, 'name', { value: name });
  effects.set(gate, effect);
  return Object.assign(gate, guards({ ...rule, when: true }));
}

export function makeModeGate(name: string, on: Effect, off: Effect): ModeGate {
  return ((...args: unknown[]) => gateFrom({ gate: name, effect: on, otherwise: off }, args, null)) as ModeGate;
}

/** The endings of a combined gate, innermost first. */
function allOf(endings: readonly Ending[]): Ending {
  const each = (tell: (ending: Ending) => void): void => endings.toReversed().forEach(tell);
  return { leave: (value) => each((ending) => ending.leave(value)), end: () => each((ending) => ending.end()) };
}

/**
 * Combines gates into one, the last one innermost: `combineGates('evaluating', noGrad, evalMode)`. Takes gates as they
 * are exported or as `gateWith` returns them, but not gates with a condition: the combined gate takes one itself.
 *
 * ```ts
 * const serving = combineGates('serving', inferenceMode, evalMode);
 * serving.run(() => [isGradEnabled(), isTraining(true)]); // [false, false]
 * ```
 */
export function combineGates(name: string, ...gates: Gate[]): Gate {
  checkName('combineGates', name);
  const parts = gates.map((gate, i) => {
    const effect = effects.get(gate);
    if (effect === undefined)
      throw new TypeError(`combineGates: argument ${i + 1} of ${name} is not a gate without condition, such as noGrad`);
    return effect;
  });
  let enabled: boolean | null = null;
  for (const part of parts) enabled = part.enabled ?? enabled;
  const setters = parts.filter(({ set }) => set !== null);
  // Each ending belongs to what its own gate has set, as a later gate may set the same mode.
  const endings = new WeakMap<Frame, Ending[]>();
  return makeGate(name, {
    enabled,
    inference: parts.some(({ inference }) => inference),
    set:
      setters.length === 0
        ? null
        : (frame, self, args) => {
            for (const { set, ending } of setters) {
              frame.settings = set!(frame, self, args);
              if (ending !== null) endings.set(frame, [...(endings.get(frame) ?? []), ending(frame)]);
            }
            return frame.settings;
          },
    ending: setters.every(({ ending }) => ending === null) ? null : (frame) => allOf(endings.get(frame)!),
  });
}
