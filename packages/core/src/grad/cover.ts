import { followed } from './asyncFunction.js';
import { callbacksOf, type Ending, endPromise } from './ending.js';
import { callIn, currentFrame, followsAsync } from './flow.js';
import { copyOf, Frame, GradModeError, shownParent } from './frame.js';
import { Body } from './steps.js';

type AnyFunction = (...args: any[]) => any;

interface Thenable {
  then(resolve?: AnyFunction, reject?: AnyFunction): unknown;
}

interface AnyIterator {
  next: AnyFunction;
  return?: AnyFunction;
  throw?: AnyFunction;
}

export const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

export const isThenable = (value: unknown): value is Thenable =>
  isObject(value) && typeof (value as Thenable).then === 'function';

/** Recognized by its methods, not by its tag: compilers for older targets make generators of plain objects. */
export const isIterator = (value: object): value is AnyIterator =>
  (Symbol.iterator in value || Symbol.asyncIterator in value) &&
  typeof (value as Partial<AnyIterator>).next === 'function';

/** Whether a part of the result runs later. */
export const isLazy = (value: unknown): value is object => isObject(value) && (isIterator(value) || isThenable(value));

const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

/** A promise whose `then` is the engine's (of any realm): its continuations are in the flow already. */
const isPlainPromise = (value: Thenable): boolean =>
  value instanceof Promise
    ? value.then === Promise.prototype.then
    : tagOf(value) === 'Promise' && /\[native code\]\s*\}$/.test(Function.prototype.toString.call(value.then));

/**
 * Makes the lazy part of a result run in `frame`; if `frame` is null, makes sure that it leaves nothing behind in the
 * mode of whoever asks for its steps. Returns the same object, except for a promise with an `ending`, which is told
 * what leaves and when the call ends.
 */
export function cover(frame: Frame | null, result: object, ending: Ending | null = null): unknown {
  const follows = followsAsync || followed.has(result);
  if (isIterator(result)) {
    if (Symbol.asyncIterator in result && !follows) return frame === null ? result : refuse(frame, 'an async iterator');
    return coverIterator(frame, result, ending);
  }
  if (frame === null || !isThenable(result)) return result;
  if (!follows) {
    result.then(undefined, () => {});
    return refuse(frame, 'a promise');
  }
  // Other thenables may start their work in then().
  if (!isPlainPromise(result)) return coverThenable(frame, result, ending);
  return ending === null ? result : endPromise(ending, result as PromiseLike<unknown>);
}

function refuse(frame: Frame, what: string): never {
  throw new GradModeError(
    `${frame.kind}${frame.member ? ` on ${frame.member}` : ''}: the guarded function returned ${what}, and this runtime has no ` +
      'AsyncLocalStorage to follow it: only the part before the first await would be covered. Write it as ' +
      `${frame.kind}.async(function* (...) { ... yield promise ... }), guard the synchronous parts with ${frame.kind}.run(), or ` +
      'build with @gradgate/unplugin',
  );
}

/** The covered iterators and thenables, and the bodies of the iterators. */
const bodies = new WeakMap<object, Body>();
const thenables = new WeakSet<object>();

/** Runs each step of the iterator in `frame` from now on; after it the consumer's mode is back. */
function coverIterator(frame: Frame | null, iterator: AnyIterator, ending: Ending | null): object {
  const known = bodies.get(iterator);
  // Of stacked gates, the inner one decides for the body.
  if (known !== undefined) {
    known.base ??= frame;
    if (ending !== null) known.endings.push(ending);
    return iterator;
  }
  const body = new Body(frame, Symbol.asyncIterator in iterator);
  if (ending !== null) body.endings.push(ending);
  const methods = new Map<PropertyKey, AnyFunction>();
  // On engines that may run a queued step in any flow, no step is queued.
  const inTurn = tagOf(iterator) === 'AsyncGenerator';
  for (const name of ['next', 'return', 'throw'] as const) {
    const method = iterator[name];
    if (typeof method !== 'function') continue;
    methods.set(name, (...args) =>
      inTurn ? body.runInTurn(method, iterator, args) : body.run(method, iterator, args),
    );
  }
  // An iterator that is its own iterable is covered once; if a sequence makes a new iterator each time, that one is
  // covered.
  for (const name of [Symbol.iterator, Symbol.asyncIterator] as const) {
    const make = (iterator as unknown as Record<symbol, AnyFunction | undefined>)[name];
    if (typeof make !== 'function') continue;
    methods.set(name, () => {
      const made: unknown =
        frame === null ? Reflect.apply(make, iterator, []) : callIn(copyOf(frame), make, iterator, []);
      if (made === iterator) return covered;
      return isObject(made) && isIterator(made) ? coverIterator(frame, made, ending) : made;
    });
  }
  const covered = override(iterator, methods);
  bodies.set(iterator, body);
  bodies.set(covered, body);
  return covered;
}

/** Runs the thenable's `then` in `frame` from now on; callbacks keep the mode of the code that passes them. */
function coverThenable(frame: Frame, thenable: Thenable, ending: Ending | null): object {
  if (ending === null && thenables.has(thenable)) return thenable;
  const { then } = thenable;
  const covered = override(
    thenable,
    new Map<PropertyKey, AnyFunction>([
      [
        'then',
        (...callbacks) => {
          const caller = currentFrame();
          const bound = callbacks.map((f) =>
            typeof f === 'function'
              ? (...args: unknown[]) => callIn(rebound(caller), f as AnyFunction, undefined, args)
              : f,
          );
          return callIn(copyOf(frame), then, thenable, ending === null ? bound : callbacksOf(ending, bound));
        },
      ],
    ]),
  );
  thenables.add(thenable);
  thenables.add(covered);
  return covered;
}

/** A frame with the mode of `frame`, for code that runs in that mode later. */
export function rebound(frame: Frame): Frame {
  const { enabled, inference, settings, parent } = frame;
  const copy = new Frame('bound', enabled, inference, settings, parent && shownParent(parent));
  copy.opener = frame.opener;
  return copy;
}

/**
 * The same object with other methods; its identity and private members stay. Objects that take no new properties are
 * replaced by a proxy.
 */
function override(target: object, methods: Map<PropertyKey, AnyFunction>): object {
  const takes = (name: PropertyKey) => Object.getOwnPropertyDescriptor(target, name)?.configurable ?? true;
  if (!Object.isExtensible(target) || ![...methods.keys()].every(takes)) return standIn(target, methods);
  for (const [name, value] of methods)
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: false });
  return target;
}

const standIn = (target: object, methods: Map<PropertyKey, AnyFunction>): object =>
  // A proxy of an empty target, since a proxy cannot replace fixed properties of its target.
  new Proxy(Object.create(Object.getPrototypeOf(target)), {
    get(_, name) {
      const value: unknown = methods.get(name) ?? Reflect.get(target, name, target);
      return typeof value === 'function' && name !== 'constructor' ? value.bind(target) : value;
    },
    set: (_, name, value) => Reflect.set(target, name, value, target),
    has: (_, name) => Reflect.has(target, name),
  });
