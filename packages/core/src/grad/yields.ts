import { whenDeveloping } from './diagnostics.js';
import { closeSince, countOpen } from './scope.js';

type AnyFunction = (...args: any[]) => any;

/** What all generators, and all async ones, inherit their steps from. */
const prototypes = [function* () {}, async function* () {}].map(
  (fn) => Object.getPrototypeOf(fn.prototype) as Record<string, AnyFunction>,
);

/**
 * A scope that a generator without a gate holds at a yield is in force for its consumer too. Only who patches the engine's
 * own methods can notice it there: in development mode, such a scope is closed and reported at the yield itself.
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
      // Where the engine's objects are frozen, reports come at the end of the turn.
      if (Reflect.defineProperty(prototype, name, { value: watched(step) })) originals.push([prototype, name, step]);
    }
});
