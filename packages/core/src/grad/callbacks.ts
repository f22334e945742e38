import { Flow, follow, followed } from './asyncFunction.js';
import { flowFrame, followsAsync } from './flow.js';

type AnyFunction = (...args: any[]) => any;

/** The same function, bound to the mode in force now. */
function bound(fn: unknown): unknown {
  const frame = flowFrame();
  if (frame === undefined || typeof fn !== 'function') return fn;
  return function (this: unknown, ...args: unknown[]) {
    return new Flow(frame).run(() => Reflect.apply(fn as AnyFunction, this, args));
  };
}

/** Replaces a method by `make(original)`, keeping its name and other properties. */
function replace(owner: object, name: string, make: (original: AnyFunction) => AnyFunction): void {
  const original = (owner as Record<string, unknown>)[name];
  if (typeof original !== 'function') return;
  const replacement = make(original as AnyFunction);
  Object.defineProperties(replacement, Object.getOwnPropertyDescriptors(original));
  Object.defineProperty(owner, name, { value: replacement, writable: true, configurable: true });
}

/**
 * Makes timers, microtasks and `then` callbacks keep the mode in which they were started, as AsyncLocalStorage does.
 */
export function bindCallbacks(): void {
  if (followsAsync || followed.bindsCallbacks) return;
  followed.bindsCallbacks = true;
  const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'];
  for (const name of [...timers, 'requestAnimationFrame', 'requestIdleCallback'])
    replace(
      globalThis,
      name,
      (original) =>
        (fn, ...rest) =>
          original(bound(fn), ...rest),
    );
  replace(
    Promise.prototype,
    'then',
    (original) =>
      function (this: object, resolve, reject) {
        const next = Reflect.apply(original, this, [bound(resolve), bound(reject)]) as object;
        return followed.has(this) ? follow(next) : next;
      },
  );
  for (const name of ['all', 'allSettled', 'any', 'race'])
    replace(
      Promise,
      name,
      (original) =>
        function (this: unknown, values: Iterable<object>) {
          const list = typeof values?.[Symbol.iterator] === 'function' ? [...values] : values;
          const next = Reflect.apply(original, this, [list]) as object;
          const isCovered = (value: unknown) => !(value instanceof Promise) || followed.has(value);
          return Array.isArray(list) && list.every(isCovered) ? follow(next) : next;
        },
    );
}
