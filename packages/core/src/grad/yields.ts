import { whenDeveloping } from './diagnostics.js';
import { closeSince, countOpen } from './scope.js';

type AnyFunction = (...args: any[]) => any;

/** The prototypes from which all generators, and all async ones, inherit their steps. */
const prototypes = [function* () {}, async function* () {}].map(
  (fn) => Object.getPrototypeOf(fn.prototype) as Record<string, AnyFunction>,
);

/**
 * A scope that a generator without a gate keeps open at a yield would also be in force for its consumer. Only patching
 * the engine's methods can notice that: in development mode, such a scope is closed and reported at the yield.
 */
function watched(step: AnyFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]) {
    const before = countOpen();
    try {
      return Reflect.apply(step, this, args);
    } finally {
      closeSince(before);
    }
  };
}

const originals: [prototype: object, name: string, step: AnyFunction][] = [];

whenDeveloping((on) => {
  for (const [prototype, name, value] of originals.splice(0)) Reflect.defineProperty(prototype, name, { value });
  if (!on) return;
  for (const prototype of prototypes)
    for (const name of ['next', 'return', 'throw']) {
      const step = prototype[name]!;
      // Where the engine's objects are frozen, reports come at the end of the turn instead.
      if (Reflect.defineProperty(prototype, name, { value: watched(step) })) originals.push([prototype, name, step]);
    }
});
